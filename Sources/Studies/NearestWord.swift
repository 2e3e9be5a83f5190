/// The word of `known` that takes the fewest edits to reach from `word`; of equals, the first. Empty for no words.
package func nearestWord(to word: String, in known: [String]) -> String {
    // What is much longer than every known word is like none of them, and comparing it would take its time.
    let word = String(word.prefix(100))
    let distances = known.map { editDistance(word.lowercased(), $0.lowercased()) }
    guard let least = distances.min(), let index = distances.firstIndex(of: least) else { return "" }
    return known[index]
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to make `target` of `source`
/// (the optimal string alignment distance).
func editDistance(_ source: String, _ target: String) -> Int {
    let source = Array(source)
    let target = Array(target)
    var beforeLast: [Int] = []
    var last = Array(0...target.count)
    for row in source.indices {
        var current = [row + 1]
        for column in target.indices {
            let replaced = last[column] + (source[row] == target[column] ? 0 : 1)
            var best = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, source[row] == target[column - 1], source[row - 1] == target[column] {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        beforeLast = last
        last = current
    }
    return last[target.count]
}
