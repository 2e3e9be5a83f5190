import Support

/// What says of each sample which one it is.
package enum SampleIDs: Sendable {
    /// A line of a file per sample.
    case lines(Identifiers)
    /// The path of the file that a sample was read from, relative to the data set's folder.
    case paths(SampleFiles)

    /// Whether the id of each sample is a JSON object.
    package var isJSON: Bool {
        switch self {
        case .lines(let lines): lines.isJSON
        case .paths: false
        }
    }

    /// The bytes of the id of a sample, without an end of line.
    /// - Throws: ``DatasetError`` as ``Identifiers/line(_:)``.
    package func id(_ index: Int) throws(DatasetError) -> [UInt8] {
        switch self {
        case .lines(let lines): try lines.line(index)
        case .paths(let files): files.paths[index]
        }
    }

    /// Adds the ids of `indices` to a file, in that order, a line each.
    /// - Throws: ``DatasetError`` as ``Identifiers/write(_:to:)-(_,StagedFile)``.
    package func write(_ indices: [Int], to file: StagedFile) throws(DatasetError) {
        switch self {
        case .lines(let lines): try lines.write(indices, to: file)
        case .paths(let files):
            try inFiles { () throws(FileError) in
                for index in indices { try file.write(files.paths[index] + [UInt8(ascii: "\n")]) }
            }
        }
    }

    /// The first sample whose id does not fit on a line; nil where all do.
    package var firstBroken: Int? {
        guard case .paths(let files) = self else { return nil }
        // A carriage return at the end would be taken for a part of the line's end.
        return files.paths.firstIndex { $0.contains(UInt8(ascii: "\n")) || $0.last == UInt8(ascii: "\r") }
    }

    /// The id of a sample as a JSON value: the object that the line is, or else a string. Bytes that are not UTF-8 are
    /// written as Python escapes them (`\udc80` to `\udcff`, PEP 383).
    /// - Throws: ``DatasetError`` as ``id(_:)``, and `.malformed` for a line of JSONL that is no object.
    package func json(_ index: Int) throws(DatasetError) -> [UInt8] {
        let id = try id(index)
        guard case .lines(let lines) = self, lines.isJSON else { return JSONText.string(id) }
        do throws(Sentence) {
            _ = try id.withUnsafeBytes { text in
                Result { () throws(Sentence) in try JSONField.named("", in: text) }
            }.get()
        } catch {
            throw lines.malformed(line: index, error.description)
        }
        return id
    }

    /// The id of a sample as people read it: of JSONL the field `path`, `id` or `title`, the first that is there; else all
    /// of it. On one line, cut off after `longest` characters.
    /// - Throws: ``DatasetError`` as ``id(_:)``.
    package func shown(_ index: Int, longest: Int) throws(DatasetError) -> String {
        let id = try id(index)
        var text = String(decoding: id, as: UTF8.self)
        if isJSON {
            for name in ["path", "id", "title"] {
                let field = id.withUnsafeBytes { bytes in try? JSONField.named(name, in: bytes) }
                switch field {
                case .string(let bytes) where !bytes.isEmpty: text = String(decoding: bytes, as: UTF8.self)
                case .number(let number): text = number
                default: continue
                }
                break
            }
        }
        return excerpt(text, longest: longest)
    }
}

/// Text as JSON has it.
enum JSONText {
    /// A string of these bytes, with its quotes.
    static func string(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.reserveCapacity(bytes.count + 2)
        var rest = bytes[...]
        while let byte = rest.first {
            let length = characterLength(rest)
            if length == 0 {
                text += "\\udc\(hexadecimal(byte))".utf8
            } else if length > 1 {
                text += rest.prefix(length)
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                text += [UInt8(ascii: "\\"), byte]
            } else if byte < 0x20 || byte == 0x7F {
                text += "\\u00\(hexadecimal(byte))".utf8
            } else {
                text.append(byte)
            }
            rest = rest.dropFirst(max(1, length))
        }
        return text + [UInt8(ascii: "\"")]
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    /// Bytes of the UTF-8 character that `bytes` begin with; 0 where they begin with none.
    private static func characterLength(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let first = bytes.first else { return 0 }
        let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard length > 1 else { return 1 }
        return bytes.count >= length && String(validating: bytes.prefix(length), as: UTF8.self) != nil ? length : 0
    }
}
