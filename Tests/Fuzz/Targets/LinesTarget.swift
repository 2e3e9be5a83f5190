import Datasets
import Foundation
import Support

/// Lines of text and of JSONL, and one field of each object, which Foundation's reader has to find too.
func acceptsLines(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let (path, copy) = (folder + "/input", folder + "/copy.txt")
    try put(bytes, at: path)
    let ids: Identifiers
    do { ids = try Identifiers(path) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    var lines: [[UInt8]] = []
    do {
        try ids.forEachLine { (index, line) throws(DatasetError) in lines.append(Array(line)) }
        for index in 0..<ids.count {
            try require(try ids.line(index) == lines[index], "line \(index) is read in two ways")
        }
        try ids.write(Array(0..<ids.count), to: copy)
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "the lines of a file that was accepted are not read: \(error)")
    }
    let text = bytes.dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    let isEnded = text.isEmpty || text.last == 0x0A
    try require(lines.count == text.count { $0 == 0x0A } + (isEnded ? 0 : 1), "\(lines.count) lines")
    let written = FileManager.default.contents(atPath: copy).map(Array.init) ?? []
    try require(written == text + (isEnded ? [] : [0x0A]), "the lines written are not the file's")
    guard ids.isJSON else { return true }
    var areObjects = true
    for line in lines where try !acceptsObject(line) { areObjects = false }
    return areObjects
}

private func acceptsObject(_ line: [UInt8]) throws(Violation) -> Bool {
    let text = String(decoding: line, as: UTF8.self)
    let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
    let outcome = line.withUnsafeBytes { bytes in
        Result { () throws(Sentence) in try JSONField.named("a", in: bytes) }
    }
    switch outcome {
    case .failure(let error):
        try requireSentence(error.description, .badData)
        // Foundation takes one of two fields, and other encodings, more levels, and a comma before an end.
        let bare = text.filter { !$0.isWhitespace }
        let isKnown =
            ["twice", "levels"].contains(where: error.description.contains) || line.contains(0)
            || bare.contains(",}") || bare.contains(",]")
        try require(object == nil || isKnown, "\(error), and Foundation reads it: \(text.debugDescription)")
        return false
    case .success(let field):
        // It refuses bytes that are no text, halves of pairs, and numbers that it cannot hold.
        let isPlain = Array(text.utf8) == line && !text.lowercased().contains("\\ud")
        let hasLargeNumbers = text.lowercased().contains("e") || text.count(where: \.isNumber) > 15
        guard let object else {
            try require(!isPlain || hasLargeNumbers, "Foundation does not read \(text.debugDescription)")
            return true
        }
        // Names that are canonically equivalent are one to Swift.
        guard isPlain, !line.contains(where: { $0 > 127 }) else { return true }
        switch (field, object["a"]) {
        case (nil, nil): break
        case (.number(let number), let value as NSNumber):
            // Foundation keeps 38 digits and rounds more than once.
            let (ours, theirs) = (Double(number) ?? .nan, value.doubleValue)
            try require(
                ours == theirs || (ours - theirs).magnitude <= 1e-12 * ours.magnitude,
                "\(number) is \(value) to Foundation")
        case (.string(let bytes), let value as String):
            try require(bytes == Array(value.utf8), "\(bytes) is \(value.debugDescription) to Foundation")
        case (.other, _?): break
        default: throw Violation(description: "\(String(describing: field)) in \(text.debugDescription)")
        }
        return true
    }
}
