import Support

/// A number followed by a unit, for options that take rates and times.
enum UnitNumber {
    /// The bytes per second of each unit of a rate.
    private static let rates: KeyValuePairs<String, Double> = [
        "B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12,
        "bit/s": 1 / 8.0, "kbit/s": 1e3 / 8, "Mbit/s": 1e6 / 8, "Gbit/s": 1e9 / 8, "Tbit/s": 1e12 / 8,
    ]
    /// The number of each unit of a time in a second. Dividing by these is exact where multiplying by fractions is not.
    private static let times: KeyValuePairs<String, Double> = ["s": 1, "ms": 1e3, "us": 1e6, "µs": 1e6, "ns": 1e9]

    /// The bytes per second of a rate such as `50GB/s` or `400Gbit/s`.
    /// - Throws: ``Failure`` that says what `option` takes.
    static func rate(_ text: String, option: String) throws -> Double {
        let (number, unit) = try parts(of: text, units: rates, option: option, examples: "50GB/s or 400Gbit/s")
        let value = number * unit
        guard (1...1e18).contains(value) else {
            throw Failure(
                "\(option) is '\(excerpt(text))'; a rate from 1 B/s to 1e9 GB/s is accepted", exitCode: 64)
        }
        return value
    }

    /// The seconds of a time such as `5us`, which may be 0.
    /// - Throws: ``Failure`` that says what `option` takes.
    static func time(_ text: String, option: String) throws -> Double {
        let (number, unit) = try parts(of: text, units: times, option: option, examples: "5us or 0.1ms")
        let value = number / unit
        guard value >= 0, value <= 3600 else {
            throw Failure("\(option) is '\(excerpt(text))'; a time from 0 to 3600 s is accepted", exitCode: 64)
        }
        return value
    }

    /// The number in `text` and the size of the unit that follows it; there may be a space between them.
    private static func parts(
        of text: String, units: KeyValuePairs<String, Double>, option: String, examples: String
    ) throws -> (number: Double, unit: Double) {
        func refusal(_ reason: String) -> Failure {
            Failure(
                "\(option) is '\(excerpt(text))'; \(reason), such as \(examples); units are "
                    + units.map(\.key).joined(separator: ", "),
                exitCode: 64)
        }
        // The longest matching unit, because all others end with `s` too.
        let fitting = units.filter { text.hasSuffix($0.key) }
        guard let unit = fitting.max(by: { $0.key.count < $1.key.count }) else {
            throw refusal("a number with its unit is needed")
        }
        var number = text.dropLast(unit.key.count)
        if number.hasSuffix(" ") { number = number.dropLast() }
        do throws(Sentence) { return (try DecimalNumber.real(String(number)), unit.value) } catch {
            throw refusal("before the unit \(unit.key) \(error)")
        }
    }
}
