import Support
import Testing

struct SHA256Tests {
    /// FIPS 180-4's examples, as NIST publishes them.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]) func knownAnswers(text: String, digest: String) {
        var hash = SHA256()
        hash.update(text)
        #expect(hash.digest == digest)
    }

    @Test(arguments: [1, 7, 63, 64, 65, 127]) func piecesAreOneText(length: Int) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 31) }
        var whole = SHA256()
        bytes.withUnsafeBytes { whole.update($0) }
        var pieces = SHA256()
        for start in stride(from: 0, to: bytes.count, by: length) {
            // Looking at a digest on the way changes nothing.
            _ = pieces.digest
            bytes[start..<min(start + length, bytes.count)].withUnsafeBytes { pieces.update($0) }
        }
        #expect(pieces.digest == whole.digest)
    }
}
