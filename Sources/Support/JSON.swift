import Foundation

/// JSON as this program writes and reads it: keys in alphabetical order, slashes as they are, properties under their names
/// in snake_case.
package enum JSON {
    /// How a property's name becomes a key. The keys of dictionaries are data and stay as they are, either way.
    package enum Keys: Sendable {
        /// `trainingSeconds` is `training_seconds`, and `runID` is `run_id`.
        case snakeCase
        /// As the property is written.
        case asWritten
    }

    /// What becomes of numbers that JSON cannot say.
    package enum NonFinite: Sendable {
        /// Encoding them is an error.
        case refused
        /// They are the strings "inf", "-inf" and "nan".
        case named
    }

    /// How the text is laid out.
    package enum Layout: Sendable {
        /// One line, without its end.
        case line
        /// A key per line, for people.
        case indented
    }

    /// The JSON of a value.
    /// - Throws: `EncodingError`, for a number that is not finite where these are refused.
    package static func data(
        _ value: some Encodable, keys: Keys = .snakeCase, nonFinite: NonFinite = .refused, layout: Layout = .line
    ) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if layout == .indented { encoder.outputFormatting.insert(.prettyPrinted) }
        if keys == .snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        if nonFinite == .named {
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        }
        return try encoder.encode(value)
    }

    /// The JSON of a value as ``data(_:keys:nonFinite:layout:)`` has it, as text.
    /// - Throws: the same.
    package static func text(
        _ value: some Encodable, keys: Keys = .snakeCase, nonFinite: NonFinite = .refused, layout: Layout = .line
    ) throws -> String {
        String(decoding: try data(value, keys: keys, nonFinite: nonFinite, layout: layout), as: UTF8.self)
    }

    /// The value of a JSON text; keys that no property has are passed over.
    /// - Throws: `DecodingError`.
    package static func value<Value: Decodable>(
        _ type: Value.Type = Value.self, of json: Data, keys: Keys = .snakeCase, nonFinite: NonFinite = .refused
    ) throws -> Value {
        let decoder = JSONDecoder()
        if keys == .snakeCase {
            decoder.keyDecodingStrategy = .custom { path in
                // The path of a value always ends with its key.
                let key = path[path.count - 1]
                return key.intValue == nil ? Property(stringValue: property(key.stringValue)) : key
            }
        }
        if nonFinite == .named {
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        }
        return try decoder.decode(type, from: json)
    }

    /// Properties of keys that were read before: a log has the same ones on every line.
    private static let known = KnownProperties()

    /// Behind a lock that is not Synchronization's Mutex: the thread sanitizer does not see its futex where threads wait.
    private final class KnownProperties: @unchecked Sendable {
        private let lock = NSLock()
        private var properties: [String: String] = [:]

        func property(_ key: String) -> String {
            lock.lock()
            defer { lock.unlock() }
            if let property = properties[key] { return property }
            let property = JSON.camelCase(key)
            // Keys of other people's files may be many.
            if properties.count < 1000 { properties[key] = property }
            return property
        }
    }

    /// The property of a key: `run_id` is `runID`.
    static func property(_ key: String) -> String { known.property(key) }

    private static func camelCase(_ key: String) -> String {
        let words = key.split(separator: "_", omittingEmptySubsequences: false)
        guard words.count > 1, !words.contains("") else { return key }
        return words[0]
            + words.dropFirst().map { $0 == "id" ? "ID" : $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private struct Property: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
