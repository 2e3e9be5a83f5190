import Datasets

/// Labels of training samples, and the same file as the labels of test samples, which must come to the same.
func acceptsLabels(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.txt"
    try put(bytes, at: path)
    let file: LabelFile
    do { file = try LabelFile.read(path) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    try require(file.names.isEmpty || file.labels.allSatisfy { Int($0) < file.names.count }, "a label without a word")
    do {
        let again = try LabelFile.read(path, numberedAs: file, of: path)
        try require(again.labels == file.labels, "\(again.labels) are \(file.labels)")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "test labels are refused that training labels have: \(error)")
    }
    return true
}
