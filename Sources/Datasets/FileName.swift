import Support

/// A file's name or path as the system has it: bytes, which need not be UTF-8. Ordered by these.
struct FileName: Hashable, Comparable, Sendable {
    /// Everything but the final zero.
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(_ text: String) { bytes = Array(text.utf8) }

    static func < (left: FileName, right: FileName) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    static func / (folder: FileName, name: FileName) -> FileName {
        folder.bytes.isEmpty ? name : FileName(folder.bytes + [UInt8(ascii: "/")] + name.bytes)
    }

    /// Whether the system's tools leave it out of listings.
    var isHidden: Bool { bytes.first == UInt8(ascii: ".") }

    /// The same name in small letters, where it is UTF-8 or ASCII.
    var lowercased: [UInt8] {
        if let text = String(validating: bytes, as: UTF8.self) { return Array(text.lowercased().utf8) }
        return bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    /// Whether the name ends so, in letters of any case.
    func hasExtension(_ endings: [String]) -> Bool {
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return endings.contains(String(decoding: FileName(Array(bytes[(dot + 1)...])).lowercased, as: UTF8.self))
    }

    /// The name as a sentence can show it: on one line, with nothing in it that a terminal obeys; bytes that are not UTF-8
    /// as \xNN.
    var shown: String {
        if let text = String(validating: bytes, as: UTF8.self) { return excerpt(text, longest: 300) }
        let escaped = bytes.map { byte in
            (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return excerpt(escaped.joined(), longest: 300)
    }

    /// Hands the name to `body` as C has it.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { characters in
            // There is at least the final zero.
            characters.baseAddress.map(body) ?? body("")
        }
    }
}
