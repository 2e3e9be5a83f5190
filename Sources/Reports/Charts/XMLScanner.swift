import Foundation

/// A strict reader of the XML that a drawing program writes: elements, attributes, text, CDATA, comments, a prolog. What
/// it does not know, such as entities of a document's own, makes the whole document unreadable: nothing is guessed.
struct XMLScanner {
    /// A piece of a document.
    enum Event: Equatable {
        case start(name: String, attributes: [String: String])
        case text(String)
        case end(name: String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var events: [Event] = []
    private var open: [String] = []

    /// The pieces of `document`, in order; nil where it is not well-formed. An empty element starts and ends.
    static func events(of document: String) -> [Event]? {
        var scanner = XMLScanner(bytes: Array(document.utf8))
        return scanner.scan() ? scanner.events : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func scan() -> Bool {
        var hasRoot = false
        _ = take("\u{FEFF}")
        if take("<?xml"), !skip(past: "?>") { return false }
        while position < bytes.count {
            if take("<!--") {
                guard skip(past: "-->") else { return false }
            } else if take("<![CDATA[") {
                guard !open.isEmpty, let text = text(before: "]]>") else { return false }
                add(text)
            } else if take("<!DOCTYPE") {
                // An inner subset could define entities; none is expected, so none is read.
                guard !hasRoot, let text = text(before: ">"), !text.contains("[") else { return false }
            } else if take("<?") {
                guard skip(past: "?>") else { return false }
            } else if take("</") {
                guard let name = name(), skipSpaces() >= 0, take(">"), open.popLast() == name else { return false }
                events.append(.end(name: name))
            } else if take("<") {
                guard !hasRoot || !open.isEmpty, element() else { return false }
                hasRoot = true
            } else {
                guard let text = characters(until: UInt8(ascii: "<")) else { return false }
                guard !open.isEmpty || text.allSatisfy(\.isWhitespace) else { return false }
                if !open.isEmpty { add(text) }
            }
        }
        return hasRoot && open.isEmpty
    }

    /// A start tag, behind its "<".
    private mutating func element() -> Bool {
        guard let name = name() else { return false }
        var attributes: [String: String] = [:]
        while true {
            let spaces = skipSpaces()
            let isEmpty = take("/>")
            if isEmpty || take(">") {
                events.append(.start(name: name, attributes: attributes))
                if isEmpty { events.append(.end(name: name)) } else { open.append(name) }
                return true
            }
            guard spaces > 0, let key = self.name(), skipSpaces() >= 0, take("="), skipSpaces() >= 0,
                position < bytes.count
            else { return false }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return false }
            position += 1
            guard let value = characters(until: quote), position < bytes.count,
                attributes.updateValue(value, forKey: key) == nil
            else { return false }
            position += 1
        }
    }

    private mutating func add(_ text: String) {
        guard !text.isEmpty else { return }
        if case .text(let before) = events.last {
            events[events.count - 1] = .text(before + text)
        } else {
            events.append(.text(text))
        }
    }

    /// Text up to `stop` or the end, its references replaced; nil where one is unknown or where "<" is in it.
    private mutating func characters(until stop: UInt8) -> String? {
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != stop {
            switch bytes[position] {
            case UInt8(ascii: "<"): return nil
            case UInt8(ascii: "&"):
                position += 1
                guard let name = self.text(before: ";"), let character = Self.character(name) else { return nil }
                text += Array(String(character).utf8)
            case 9, 10, 13:
                // A line ends in one newline, which is a space in an attribute.
                if take("\r\n") { position -= 1 }
                text.append(stop != UInt8(ascii: "<") ? 32 : bytes[position] == 13 ? 10 : bytes[position])
                position += 1
            default:
                text.append(bytes[position])
                position += 1
            }
        }
        return String(validating: text, as: UTF8.self)
    }

    /// The character of "lt", "#8722" or "#x2212".
    private static func character(_ reference: String) -> Character? {
        switch reference {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard reference.hasPrefix("#") else { return nil }
            let digits = reference.dropFirst()
            let code = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            // Of the control characters, XML has these three.
            guard let code, code >= 32 || [9, 10, 13].contains(code) else { return nil }
            return UnicodeScalar(code).map(Character.init)
        }
    }

    private mutating func name() -> String? {
        let begin = position
        while position < bytes.count {
            let byte = bytes[position]
            let isLetter = (byte | 32 >= UInt8(ascii: "a") && byte | 32 <= UInt8(ascii: "z")) || byte >= 128
            let isLater = (48...57).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            guard isLetter || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":") || (isLater && position > begin)
            else { break }
            position += 1
        }
        return position == begin ? nil : String(validating: bytes[begin..<position], as: UTF8.self)
    }

    /// Skips white space; returns how much there was.
    private mutating func skipSpaces() -> Int {
        let begin = position
        while position < bytes.count, [9, 10, 13, 32].contains(bytes[position]) { position += 1 }
        return position - begin
    }

    private mutating func take(_ word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func skip(past word: String) -> Bool { text(before: word) != nil }

    /// What comes before `word`, which is passed; nil where it does not come.
    private mutating func text(before word: String) -> String? {
        let begin = position
        let pattern = Array(word.utf8)
        while position + pattern.count <= bytes.count {
            if bytes[position] == pattern[0], bytes[position..<(position + pattern.count)].elementsEqual(pattern) {
                position += pattern.count
                return String(validating: bytes[begin..<(position - pattern.count)], as: UTF8.self)
            }
            position += 1
        }
        return nil
    }
}
