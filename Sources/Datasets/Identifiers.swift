import Foundation
import Support

/// A file with a line per sample that says what the sample is: a path, a name, or a JSON object.
///
/// Lines end with a line feed, with or without a carriage return before it, and are kept byte for byte, whatever their
/// encoding. A byte order mark at the start of the file belongs to no line. Memory: 8 bytes per line, and the lines that are
/// looked at.
///
/// A file whose name ends in `.jsonl` or `.ndjson` is JSONL, and one in `.txt` is text. Of any other name the first line
/// decides: the file is JSONL where that starts as an object does, with `{` and then `"` or `}`, blanks between them apart.
/// Every line of JSONL must start with `{`.
package final class Identifiers: Sendable {
    /// Whether each line is a JSON object.
    package let isJSON: Bool
    /// Whether the file's name says so; otherwise its first line does.
    package let isKindByName: Bool
    /// Where each line starts, and where the last one ends: [count + 1].
    private let starts: [Int]
    private let file: OpenFile

    /// The file, as errors name it.
    package var path: String { file.path }

    /// How many lines there are.
    package var count: Int { starts.count - 1 }

    /// What files of lines are called: the name of an array's file with another ending.
    package func name(beside array: String) -> String { Self.name(beside: array, isJSON: isJSON) }

    /// What a file of such lines is called.
    package static func name(beside array: String, isJSON: Bool) -> String {
        (array.hasSuffix(".npy") ? String(array.dropLast(4)) : array) + (isJSON ? ".jsonl" : ".txt")
    }

    /// Opens a file and looks for its lines.
    /// - Parameter count: how many lines it must have, where that is known.
    /// - Throws: ``DatasetError`` `.file`; `.malformed` for UTF-16, for a line of JSONL that is blank or no object, and
    ///   what ``check(count:)`` throws.
    package init(_ path: String, count: Int? = nil) throws(DatasetError) {
        let file = try OpenFile(path)
        var index = LineIndex(path: path)
        for start in stride(from: 0, to: file.size, by: Self.blockSize) {
            let block = try Self.readAll(start..<min(file.size, start + Self.blockSize), of: file)
            let outcome = block.withUnsafeBytes { block in
                Result { () throws(DatasetError) in try index.add(block, at: start) }
            }
            try outcome.get()
        }
        try index.end(at: file.size)
        (self.file, starts, isJSON) = (file, index.starts, index.isJSON)
        isKindByName = index.isKindByName
        if let count { try check(count: count) }
    }

    /// Checks that there is a line for each sample.
    /// - Throws: ``DatasetError`` `.malformed` where there is not.
    package func check(count expected: Int) throws(DatasetError) {
        guard count != expected else { return }
        var hint = ""
        if count == expected + 1, starts[count] - starts[count - 1] < 3, try line(count - 1).isEmpty {
            hint = ", and the last one is empty"
        }
        throw malformed(
            "\(describeCount(count, "line")) for \(describeCount(expected, "sample")); one line per sample is needed"
                + hint)
    }

    /// The bytes of line `index`, from 0, without its end.
    /// - Throws: ``DatasetError`` `.file`, `.malformed` where the file has changed.
    package func line(_ index: Int) throws(DatasetError) -> [UInt8] {
        var line = try bytes(of: index)
        if line.last == newline {
            line.removeLast()
            if line.last == carriageReturn { line.removeLast() }
        }
        return line
    }

    /// Gives every line without its end to `body`, in order, with its number from 0.
    /// - Throws: as ``line(_:)``, and what `body` throws.
    package func forEachLine(
        _ body: (Int, UnsafeRawBufferPointer) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        var first = 0
        while first < count {
            // As many whole lines as fit into a block, at least one.
            var next = first + 1
            while next < count, starts[next + 1] - starts[first] <= Self.blockSize { next += 1 }
            let range = starts[first]..<starts[next]
            let block = try readAll(range)
            var failure: DatasetError?
            block.withUnsafeBytes { block in
                do throws(DatasetError) {
                    for line in first..<next {
                        var part = block[starts[line] - range.lowerBound..<starts[line + 1] - range.lowerBound]
                        if part.last == newline {
                            part.removeLast()
                            if part.last == carriageReturn { part.removeLast() }
                        }
                        try body(line, UnsafeRawBufferPointer(rebasing: part))
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            first = next
        }
        try file.checkUnchanged()
    }

    /// Reads every line of JSONL, so that a fault shows before anything is computed.
    /// - Throws: as ``line(_:)``; `.malformed` for a line that is not UTF-8 or no object.
    package func checkObjects() throws(DatasetError) {
        guard isJSON else { return }
        try forEachLine { (index, line) throws(DatasetError) in
            guard String(validating: line, as: UTF8.self) != nil else {
                throw malformed(line: index, "it is not UTF-8, as JSON has to be; save the file as UTF-8")
            }
            do throws(Sentence) { _ = try JSONField.named("", in: line) } catch {
                throw malformed(
                    line: index, error.description + (isKindByName ? "" : "; \(LineIndex.textByName)"))
            }
        }
    }

    /// Adds the lines of `indices` to a file, in that order, each as it is; a missing end of the last line is added.
    /// - Throws: as ``line(_:)``, and ``DatasetError`` `.file` of writing.
    package func write(_ indices: [Int], to file: StagedFile) throws(DatasetError) {
        for index in indices {
            var start = starts[index]
            let end = starts[index + 1]
            var last: UInt8?
            // A long line comes in pieces.
            repeat {
                let part = try readAll(start..<min(end, start + Self.blockSize))
                try inFiles { () throws(FileError) in try file.write(part) }
                start += part.count
                last = part.last
            } while start < end
            if last != newline { try inFiles { () throws(FileError) in try file.write([newline]) } }
        }
        try self.file.checkUnchanged()
    }

    /// Writes the lines of `indices`, in that order, to a file that appears whole or not at all.
    /// - Throws: as ``write(_:to:)-(_,StagedFile)``.
    package func write(_ indices: [Int], to path: String) throws(DatasetError) {
        let file = try inFiles { () throws(FileError) in try StagedFile(path) }
        try write(indices, to: file)
        try inFiles { () throws(FileError) in try file.commit() }
    }

    /// An error about line `index`, from 0, which people count from 1.
    package func malformed(line index: Int, _ reason: String) -> DatasetError {
        malformed("line \(index + 1): \(reason)")
    }

    private func malformed(_ reason: String) -> DatasetError { .malformed(file: path, reason: reason) }

    private func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
        try readAll(starts[index]..<starts[index + 1])
    }

    // MARK: - Reading

    private static let blockSize = 1 << 22

    private func readAll(_ range: Range<Int>) throws(DatasetError) -> [UInt8] { try Self.readAll(range, of: file) }

    private static func readAll(_ range: Range<Int>, of file: OpenFile) throws(DatasetError) -> [UInt8] {
        var failure: DatasetError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            do throws(DatasetError) {
                try file.read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
                initialized = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")

/// Finds where lines start, block by block.
private struct LineIndex {
    let path: String
    private(set) var starts: [Int] = []
    private(set) var isJSON: Bool
    /// Whether the file's name decides that.
    let isKindByName: Bool
    /// Whether nothing but blanks of the current line was seen.
    private var isBlank = true

    /// What helps where text was taken for JSONL.
    static let textByName = "a file whose name ends in .txt is read as text"

    init(path: String) {
        self.path = path
        isJSON = FileName(path).hasExtension(["jsonl", "ndjson"])
        isKindByName = isJSON || FileName(path).hasExtension(["txt"])
    }

    mutating func add(_ block: UnsafeRawBufferPointer, at offset: Int) throws(DatasetError) {
        var place = 0
        if offset == 0 {
            place = try startOfText(block)
            starts = [place]
            if !isKindByName { isJSON = Self.startsObject(block[place...]) }
        }
        guard let base = block.baseAddress else { return }
        while place < block.count {
            if isJSON, isBlank { place = try passBlanks(block, from: place) }
            guard place < block.count, let end = memchr(base + place, Int32(newline), block.count - place) else {
                return
            }
            place = base.distance(to: UnsafeRawPointer(end)) + 1
            starts.append(offset + place)
            isBlank = true
        }
    }

    /// Ends a last line that has no line feed.
    mutating func end(at size: Int) throws(DatasetError) {
        if starts.isEmpty { starts = [0] }
        guard let last = starts.last, last < size else { return }
        if isJSON, isBlank { throw blank }
        starts.append(size)
    }

    /// Where the first byte of a line of JSONL is that is no blank.
    private mutating func passBlanks(_ block: UnsafeRawBufferPointer, from start: Int) throws(DatasetError) -> Int {
        for place in start..<block.count {
            switch block[place] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), carriageReturn: continue
            case newline: throw blank
            case UInt8(ascii: "{"):
                isBlank = false
                return place
            default:
                throw wrong(
                    "it does not start with {\(isKindByName ? "" : ", as line 1 does"); in JSONL each line is an object"
                        + (isKindByName ? "" : ", and \(Self.textByName)"))
            }
        }
        return block.count
    }

    /// Whether a line starts as an object does: the brace of `{cat}.jpg` starts none.
    private static func startsObject(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard text.first == UInt8(ascii: "{") else { return false }
        let next = text.dropFirst().first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        // An object of several lines is none of JSONL, which the error says that names its second line.
        return next.map { [UInt8(ascii: "\""), UInt8(ascii: "}"), carriageReturn, newline].contains($0) } ?? true
    }

    private var blank: DatasetError { wrong("it is blank; in JSONL each line is an object") }

    private func wrong(_ reason: String) -> DatasetError {
        .malformed(file: path, reason: "line \(starts.count): \(reason)")
    }

    /// The length of a byte order mark.
    private func startOfText(_ block: UnsafeRawBufferPointer) throws(DatasetError) -> Int {
        if block.starts(with: [0xEF, 0xBB, 0xBF]) { return 3 }
        let start = block.prefix(4)
        let hasMark = block.starts(with: [0xFF, 0xFE]) || block.starts(with: [0xFE, 0xFF])
        // Without a byte order mark, two ASCII characters reveal UTF-16.
        let zeros = start.map { $0 == 0 }
        if hasMark && start.contains(0) || zeros == [false, true, false, true] || zeros == [true, false, true, false] {
            throw .malformed(
                file: path, reason: "it is UTF-16, whose lines do not end with one byte; save it as UTF-8")
        }
        return 0
    }
}
