import Foundation
import Testing

@testable import Support

@Suite struct JSONTests {
    private struct Record: Codable, Equatable {
        var experimentID = 3
        var runID = 7
        var trainingSeconds = 0.5
        var pHolm: Double? = 0.25
        var path = "a/b"
        /// Keys that are somebody's names.
        var byName = ["someName": Inner(), "other_name": Inner()]

        struct Inner: Codable, Equatable { var perClass = [1, 2] }
    }

    @Test func propertiesAreSnakeCaseAndNamesAreNot() throws {
        let text = try JSON.text(Record())
        #expect(
            text == #"{"by_name":{"other_name":{"per_class":[1,2]},"someName":{"per_class":[1,2]}},"experiment_id":3,"#
                + #""p_holm":0.25,"path":"a/b","run_id":7,"training_seconds":0.5}"#)
        #expect(try JSON.value(Record.self, of: Data(text.utf8)) == Record())
    }

    @Test func keysStayWhereTheyAreWanted() throws {
        let text = try JSON.text(Record.Inner(), keys: .asWritten, layout: .indented)
        #expect(text == "{\n  \"perClass\" : [\n    1,\n    2\n  ]\n}")
        #expect(try JSON.value(Record.Inner.self, of: Data(text.utf8), keys: .asWritten) == Record.Inner())
        #expect(throws: DecodingError.self) {
            try JSON.value(Record.Inner.self, of: Data(#"{"per_class": [1]}"#.utf8), keys: .asWritten)
        }
    }

    @Test func numbersThatAreNotFiniteAreNamedOrRefused() throws {
        let values: [Double] = [.infinity, -Double.infinity, 1]
        #expect(throws: EncodingError.self) { try JSON.text(values) }
        let text = try JSON.text(values, nonFinite: .named)
        #expect(text == #"["inf","-inf",1]"#)
        #expect(try JSON.value([Double].self, of: Data(text.utf8), nonFinite: .named) == values)
        #expect(throws: DecodingError.self) { try JSON.value([Double].self, of: Data(text.utf8)) }
    }

    @Test(arguments: [
        ("run_id", "runID"), ("kept", "kept"), ("per_class", "perClass"), ("_x", "_x"), ("x_", "x_"), ("a__b", "a__b"),
    ]) func keysArePropertiesNames(key: String, property: String) { #expect(JSON.property(key) == property) }
}
