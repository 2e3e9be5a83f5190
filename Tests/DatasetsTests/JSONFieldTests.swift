import Datasets
import Foundation
import Support
import Testing

@Suite struct JSONFieldTests {
    private func field(_ name: String, _ bytes: [UInt8]) throws -> JSONField? {
        try bytes.withUnsafeBytes { try JSONField.named(name, in: $0) }
    }

    private func field(_ name: String, _ text: String) throws -> JSONField? { try field(name, Array(text.utf8)) }

    @Test(
        arguments: [
            (#"{"a": 1, "n": 2}"#, .number("2")), (#"{"n":-0.5e+3}"#, .number("-0.5e+3")),
            (#"{"n": 12345678901234567890.10}"#, .number("12345678901234567890.10")),
            (#" { "b" : { "n" : 7 , "x":[ ] } , "n" : "v" } "#, .string(Array("v".utf8))),
            (#"{"x": [1, {"n": 3}, [[]], "n"], "y": "\"n\": 4"}"#, nil), ("{}", nil), (#"{"n": null}"#, .other("null")),
            (#"{"n": true}"#, .other("true")), (#"{"n": [1, 2]}"#, .other("a list")),
            (#"{"n": {}}"#, .other("an object")),
            (#"{"\u006e": 5}"#, .number("5")), (#"{"n": ""}"#, .string([])),
            (#"{"n": "a\/b\\c\n\u00e9\ud83d\ude00ä"}"#, .string(Array("a/b\\c\né😀ä".utf8))),
            (#"{"n": "x\udcff\udc80"}"#, .string([0x78, 0xFF, 0x80])), ("{\"N\": 1, \"n \": 2}\r", nil),
        ] as [(String, JSONField?)]) func findsAField(text: String, expected: JSONField?) throws
    {
        #expect(try field("n", text) == expected)
    }

    /// Names are equal where their bytes are: a letter with an accent and one that an accent follows are two.
    @Test func namesAreBytes() throws {
        #expect(try field("caf\u{E9}", "{\"cafe\u{301}\": 1}") == nil)
        #expect(try field("caf\u{E9}", "{\"cafe\u{301}\": 1, \"caf\\u00E9\": 2}") == .number("2"))
        #expect(try field("p", Array("{\"p\": \"".utf8) + [0xE9, 0xFF] + Array("\"}".utf8)) == .string([0xE9, 0xFF]))
    }

    @Test(arguments: [
        ("", "an object starts with {"), ("[]", "an object starts with {"), ("{", "a string is missing at byte 2"),
        (#"{"n" 1}"#, "a colon is missing at byte 6"), (#"{"n": 1,}"#, "a string is missing at byte 9"),
        (#"{"n": 01}"#, "a zero before it"), (#"{"n": 1.}"#, "a digit is missing"),
        (#"{"n": .5}"#, "a value is missing"),
        (#"{"n": 1e}"#, "a digit is missing"), (#"{"n": +1}"#, "a value is missing"),
        (#"{"n": NaN}"#, "a value is missing"),
        (#"{"n": 1} x"#, "something follows"), (#"{"n": "a}"#, "no end"), (#"{"n": "\x"}"#, "unknown escape"),
        (#"{"n": "\ud83d"}"#, "half a surrogate"), (#"{"n": "\u12g4"}"#, "hexadecimal"),
        ("{\"n\": \"a\tb\"}", "control character"),
        (#"{"n": tru}"#, "a value is missing"), (#"{"a": [1 2]}"#, "a comma or ] is missing"),
        (#"{'n': 1}"#, "a string is missing"),
        (#"{"n": 1, "b": 2, "n": 3}"#, #"the field "n" is there twice"#), (#"{"n": 1, "\u006e": 3}"#, "twice"),
    ]) func refusesWhatIsNoObject(text: String, words: String) throws {
        let error = try #require(throws: Sentence.self) { try field("n", text) }
        #expect(error.description.contains(words), "\(error)")
    }

    @Test func manyLevelsAreRefusedWithoutACrash() throws {
        func nested(_ levels: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
        }
        #expect(try field("n", nested(400)) == nil)
        #expect(throws: Sentence.self) { try field("n", nested(100_000)) }
    }
}
