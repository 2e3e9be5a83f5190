import Support

/// The value of one field of a JSON object, found without a look into the others.
///
/// Foundation's reader would take one of two fields of the same name without a word, and round numbers; this one finds
/// both, and gives a number as it is written.
package enum JSONField: Equatable, Sendable {
    /// A number, as it is written.
    case number(String)
    /// A string's bytes, escapes resolved. Those that were not UTF-8 come back as they were, escaped as Python does it
    /// (`\udc80` to `\udcff`, PEP 383) too.
    case string([UInt8])
    /// Anything else, in words: "null", "true", "a list".
    case other(String)

    /// The field `name` of the object that `text` is; nil where there is none of that name.
    /// - Throws: `Sentence`, part of one: what is no JSON, and a name that is there twice.
    package static func named(_ name: String, in text: UnsafeRawBufferPointer) throws(Sentence) -> JSONField? {
        var scanner = JSONScanner(bytes: text)
        return try scanner.field(Array(name.utf8))
    }

    /// What kind of value it is, as part of a sentence.
    package var kind: String {
        switch self {
        case .number: "a number"
        case .string: "a string"
        case .other(let words): words
        }
    }
}

/// Goes through the text of one JSON object (RFC 8259) from front to back.
private struct JSONScanner {
    let bytes: UnsafeRawBufferPointer
    private var place = 0
    private static let mostLevels = 500

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    /// The field `name` of the whole text.
    mutating func field(_ name: [UInt8]) throws(Sentence) -> JSONField? {
        var found: JSONField?
        passSpace()
        guard take("{") else { throw wrong("an object starts with {") }
        passSpace()
        if !take("}") {
            repeat {
                passSpace()
                let key = try string(keeping: true)
                passSpace()
                guard take(":") else { throw wrong("a colon is missing") }
                passSpace()
                if key == name {
                    if found != nil {
                        throw Sentence("the field \"\(excerpt(String(decoding: name, as: UTF8.self)))\" is there twice")
                    }
                    found = try value(keeping: true, level: 1)
                } else {
                    _ = try value(keeping: false, level: 1)
                }
                passSpace()
            } while take(",")
            guard take("}") else { throw wrong("a comma or } is missing") }
        }
        passSpace()
        guard place == bytes.count else { throw wrong("something follows the object") }
        return found
    }

    private func wrong(_ reason: String) -> Sentence { Sentence("no JSON object: \(reason) at byte \(place + 1)") }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func passSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place += 1 }
    }

    /// Passes a value; it is given back where it is kept.
    private mutating func value(keeping: Bool, level: Int) throws(Sentence) -> JSONField {
        switch next {
        case UInt8(ascii: "\""): return .string(try string(keeping: keeping))
        case UInt8(ascii: "{"):
            try passContainer(end: "}", level: level, hasKeys: true)
            return .other("an object")
        case UInt8(ascii: "["):
            try passContainer(end: "]", level: level, hasKeys: false)
            return .other("a list")
        case UInt8(ascii: "t"): return try word("true")
        case UInt8(ascii: "f"): return try word("false")
        case UInt8(ascii: "n"): return try word("null")
        default: return .number(try number(keeping: keeping))
        }
    }

    private mutating func passContainer(end: Unicode.Scalar, level: Int, hasKeys: Bool) throws(Sentence) {
        guard level < Self.mostLevels else { throw wrong("more than \(Self.mostLevels) levels") }
        place += 1
        passSpace()
        if take(end) { return }
        repeat {
            passSpace()
            if hasKeys {
                _ = try string(keeping: false)
                passSpace()
                guard take(":") else { throw wrong("a colon is missing") }
                passSpace()
            }
            _ = try value(keeping: false, level: level + 1)
            passSpace()
        } while take(",")
        guard take(end) else { throw wrong("a comma or \(end) is missing") }
    }

    private mutating func word(_ word: StaticString) throws(Sentence) -> JSONField {
        for offset in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[offset] else { throw wrong("a value is missing") }
            place += 1
        }
        return .other("\(word)")
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
        return place - start
    }

    private mutating func number(keeping: Bool) throws(Sentence) -> String {
        let start = place
        _ = take("-")
        let isZero = next == UInt8(ascii: "0")
        let count = digits()
        guard count > 0 else { throw wrong("a value is missing") }
        guard count == 1 || !isZero else { throw wrong("a number with a zero before it") }
        if take("."), digits() == 0 { throw wrong("a digit is missing") }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw wrong("a digit is missing") }
        }
        return keeping ? String(decoding: bytes[start..<place], as: UTF8.self) : ""
    }

    /// Passes a string; what it holds, where it is kept.
    private mutating func string(keeping: Bool) throws(Sentence) -> [UInt8] {
        guard take("\"") else { throw wrong("a string is missing") }
        var text: [UInt8] = []
        var start = place
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                if keeping { text += bytes[start..<place] }
                place += 1
                return text
            case UInt8(ascii: "\\"):
                if keeping { text += bytes[start..<place] }
                place += 1
                let resolved = try escape()
                if keeping { text += resolved }
                start = place
            case 0..<0x20: throw wrong("a control character in a string")
            default: place += 1
            }
        }
        throw wrong("a string has no end")
    }

    private static let simple: [UInt8: UInt8] = [
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
    ]

    /// What follows a backslash.
    private mutating func escape() throws(Sentence) -> [UInt8] {
        guard let letter = next else { throw wrong("a string has no end") }
        if let byte = Self.simple[letter] {
            place += 1
            return [byte]
        }
        guard take("u") else { throw wrong("an unknown escape") }
        let unit = try hexadecimal()
        if (0xD800..<0xDC00).contains(unit) {
            guard take("\\"), take("u") else { throw wrong("half a surrogate pair") }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw wrong("half a surrogate pair") }
            return utf8(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        }
        // Python's name for a byte that was not UTF-8.
        if (0xDC80..<0xDD00).contains(unit) { return [UInt8(unit - 0xDC00)] }
        guard !(0xDC00..<0xE000).contains(unit) else { throw wrong("half a surrogate pair") }
        return utf8(unit)
    }

    private func utf8(_ code: UInt32) -> [UInt8] {
        Unicode.Scalar(code).map { Array(String($0).utf8) } ?? []
    }

    private mutating func hexadecimal() throws(Sentence) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw wrong("a hexadecimal digit is missing")
            }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }
}
