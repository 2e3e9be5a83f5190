import Support

/// The header of a .npy file: the magic bytes, a version, a length, and a Python dictionary as text.
struct NumPyHeader {
    /// The type of the elements.
    let type: ValueType
    /// Whether the first byte of each element is its highest.
    let isBigEndian: Bool
    /// Whether the first dimension runs fastest, and not the last.
    let isFortranOrder: Bool
    let shape: [Int]
    /// Bytes before the first element.
    let byteCount: Int

    /// Reads the header from the front of a file.
    /// - Throws: ``DatasetError`` `.file`, `.malformed`, `.truncated`, `.unsupported`.
    init(_ reader: some ByteStream) throws(DatasetError) {
        let entries = try NumPyEntries(reader)
        guard let (type, isBigEndian) = Self.element(entries.type) else {
            throw .unsupported(file: reader.path, reason: Self.refusal(of: entries.type))
        }
        self.type = type
        self.isBigEndian = isBigEndian
        // Of one dimension both orders are the same.
        isFortranOrder = entries.fortranOrder && entries.shape.count > 1
        shape = entries.shape
        byteCount = entries.byteCount
    }

    /// Holds the file's size against the header; returns how many elements there are.
    /// - Throws: ``DatasetError`` `.malformed`, `.truncated` or `.oversized`.
    @discardableResult
    func check(_ reader: some ByteStream) throws(DatasetError) -> Int {
        try NumPyEntries.check(reader, shape: shape, elementSize: type.byteCount, headerSize: byteCount)
    }

    /// Why elements of a type are not read.
    private static func refusal(of descriptor: String) -> String {
        let read = "float16, float32, float64, int8, uint8, int16, int32 and int64 are"
        guard descriptor.hasSuffix("O") else { return "elements of type \(excerpt(descriptor)) are not read; \(read)" }
        return "it is an array of Python objects (|O), which are not read; \(read): save numpy.stack(array) instead"
    }

    /// A single byte has no order, so any mark before it does.
    private static func element(_ descriptor: String) -> (type: ValueType, isBigEndian: Bool)? {
        guard descriptor.count == 3, let mark = descriptor.first else { return nil }
        let name = descriptor.dropFirst()
        guard let type = ValueType.allCases.first(where: { $0.numPyDescriptor?.dropFirst() == name }) else {
            return nil
        }
        guard (type.byteCount == 1 ? "<>=|" : "<>").contains(mark) else { return nil }
        return (type, type.byteCount > 1 && mark == ">")
    }

    /// A version 1 header, padded so that the elements start at a multiple of 64; nil when it does not fit.
    static func bytes(type: ValueType, shape: [Int]) -> [UInt8]? {
        guard let descriptor = type.numPyDescriptor else { return nil }
        let tuple =
            shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map { String($0) }.joined(separator: ", ") + ")"
        var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(tuple), }"
        let unpadded = NumPyEntries.magic.count + 4 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        guard text.utf8.count <= NumPyEntries.longest else { return nil }
        let length = UInt16(text.utf8.count)
        return NumPyEntries.magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
    }
}

/// What a header says, whatever the elements are.
struct NumPyEntries {
    /// The type in NumPy's notation, "<f4" for one; "record" for a record.
    let type: String
    let fortranOrder: Bool
    let shape: [Int]
    /// Bytes before the first element.
    let byteCount: Int

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Why a file is none, as part of a sentence.
    static let refusal = "not a .npy file: it does not start with the bytes \\x93NUMPY"

    /// Whether these first 8 bytes begin such a file.
    static func isStart(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) && bytes.count == 8 }

    /// NumPy itself refuses to parse headers above 10,000 characters.
    static let longest = 10_000

    /// Reads the header from the front of a file.
    /// - Throws: ``DatasetError`` `.file`, `.malformed`, `.truncated`, `.unsupported`.
    init(_ reader: some ByteStream) throws(DatasetError) {
        let path = reader.path
        let start = try reader.read(upTo: 8)
        guard !start.isEmpty else { throw .malformed(file: path, reason: "it is empty: a file of 0 bytes") }
        guard Self.isStart(start) else { throw .malformed(file: path, reason: Self.refusal) }
        guard (1...3).contains(start[6]) else {
            throw .unsupported(file: path, reason: "version \(start[6]) of the .npy format; 1, 2 and 3 are read")
        }
        let lengthSize = start[6] == 1 ? 2 : 4
        let lengthBytes = try reader.read(upTo: lengthSize)
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let expected = 8 + lengthSize + length
        guard lengthBytes.count == lengthSize, expected <= reader.fileSize else {
            throw .truncated(file: path, expected: expected, found: reader.fileSize)
        }
        guard length <= Self.longest else {
            throw .malformed(file: path, reason: "its header of \(length) bytes is longer than \(Self.longest)")
        }
        let text = try reader.read(upTo: length)
        guard text.count == length else { throw .truncated(file: path, expected: expected, found: reader.fileSize) }
        var parser = LiteralParser(text)
        guard let entries = parser.header() else {
            throw .malformed(file: path, reason: "its header is not the dictionary of descr, fortran_order and shape")
        }
        type = entries.type
        fortranOrder = entries.fortranOrder
        shape = entries.shape
        byteCount = expected
    }

    /// Holds the file's size against the header; returns how many elements there are.
    /// - Throws: ``DatasetError`` `.malformed`, `.truncated` or `.oversized`.
    static func check(
        _ reader: some ByteStream, shape: [Int], elementSize: Int, headerSize: Int
    ) throws(DatasetError) -> Int {
        let path = reader.path
        guard let count = product(shape), let payload = product([count, elementSize]),
            payload < Int.max - headerSize
        else {
            throw .malformed(file: path, reason: "its header's shape \(excerpt("\(shape)")) is beyond any file")
        }
        let expected = headerSize + payload
        guard reader.fileSize >= expected else {
            throw .truncated(file: path, expected: expected, found: reader.fileSize)
        }
        guard reader.fileSize == expected else { throw .oversized(file: path, expected: expected) }
        return count
    }
}

/// Parses the one Python literal that .npy headers hold: a dictionary of strings, booleans and tuples of numbers.
private struct LiteralParser {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The three entries, each present once and none beside them; nil when the text is anything else.
    mutating func header() -> (type: String, fortranOrder: Bool, shape: [Int])? {
        var type: String?
        var fortranOrder: Bool?
        var shape: [Int]?
        guard take("{") else { return nil }
        while !take("}") {
            guard let key = string(), take(":") else { return nil }
            switch key {
            case "descr" where type == nil: type = string() ?? structuredType()
            case "fortran_order" where fortranOrder == nil: fortranOrder = boolean()
            case "shape" where shape == nil: shape = tuple()
            default: return nil
            }
            if take(",") { continue }
            guard take("}") else { return nil }
            break
        }
        skipSpace()
        guard position == text.count, let type, let fortranOrder, let shape else { return nil }
        return (type, fortranOrder, shape)
    }

    private mutating func skipSpace() {
        while position < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[position]) { position += 1 }
    }

    private mutating func take(_ word: String) -> Bool {
        skipSpace()
        guard text[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func string() -> String? {
        skipSpace()
        guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"") else {
            return nil
        }
        guard let end = text[(position + 1)...].firstIndex(of: text[position]) else { return nil }
        defer { position = end + 1 }
        return String(decoding: text[(position + 1)..<end], as: UTF8.self)
    }

    /// A record type is a list; it is skipped so that the error can name it.
    private mutating func structuredType() -> String? {
        guard take("["), let end = text[position...].lastIndex(of: UInt8(ascii: "]")) else { return nil }
        position = end + 1
        return "record"
    }

    private mutating func boolean() -> Bool? { take("True") ? true : take("False") ? false : nil }

    private mutating func tuple() -> [Int]? {
        guard take("(") else { return nil }
        var numbers: [Int] = []
        while !take(")") {
            guard let number = number() else { return nil }
            numbers.append(number)
            if take(",") { continue }
            // (3) without a comma is a number in Python, no tuple.
            guard numbers.count > 1, take(")") else { return nil }
            break
        }
        return numbers
    }

    private mutating func number() -> Int? {
        skipSpace()
        let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        position += digits.count
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
