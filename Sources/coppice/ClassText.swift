import Datasets

/// How many samples each class has, for people: numbers in the order of the classes, each after the name of its class where
/// classes have names.
func describeClasses(_ counts: [Int], names: [String]) -> String {
    guard !names.isEmpty else { return counts.map(String.init).joined(separator: " ") }
    return counts.enumerated().map { "\(Dataset.className($0, of: names)) \($1)" }.joined(separator: ", ")
}
