import Datasets

/// Labels in any of their formats: as labels of training samples, and as those of the test samples that belong to them,
/// which must come to the same. Of text, lines of the same word have the same class, and others have another one.
func acceptsLabels(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.labels"
    try put(bytes, at: path)
    let file: LabelFile
    do { file = try LabelFile.read(path) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    if let note = file.note { try requireSentence(note, mentions: path, .badData) }
    do {
        let again = try LabelFile.read(path, numberedAs: file, of: path)
        try require(again.labels == file.labels, "\(again.labels) are \(file.labels)")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "test labels are refused that training labels have: \(error)")
    }
    try require(file.names.count <= 256, "\(file.names.count) classes")
    // What is neither an array nor compressed is text.
    guard !bytes.starts(with: [0x93]), !bytes.starts(with: [0x1F, 0x8B]), bytes.first != 0 else { return true }
    let text = bytes.dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    try require(file.labels.count == lines.count, "\(file.labels.count) labels of \(lines.count) lines")
    for (label, line) in zip(file.labels, lines) {
        let word = String(decoding: line.filter { ![0x09, 0x0D, 0x20].contains($0) }, as: UTF8.self)
        if file.names.isEmpty {
            try require(Int(word) == Int(label), "\(word.debugDescription) has label \(label)")
        } else {
            let name = file.names[Int(label)].utf8.filter { ![0x09, 0x0D, 0x20].contains($0) }
            try require(name.elementsEqual(word.utf8), "\(word.debugDescription) is in class \(file.names[Int(label)])")
        }
    }
    return true
}
