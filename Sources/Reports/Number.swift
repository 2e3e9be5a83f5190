import Support

/// Numbers as tables have them.
enum Number {
    /// The shortest form that reads back the same.
    static func exact(_ value: Double) -> String { shortest(value) }

    /// Seconds to the microsecond.
    static func seconds(_ value: Double) -> String { exact((value * 1e6).rounded() / 1e6) }

    /// A statistic of percentages to six decimals: no digit that the runs' own figures could not carry.
    static func percent(_ value: Double) -> String { exact((value * 1e6).rounded() / 1e6) }

    /// A number with exactly `decimals` decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int((value.magnitude * scale).rounded())
        let unit = Int(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        if decimals == 0 { return "\(sign)\(scaled)" }
        let fraction = "\(scaled % unit)"
        return "\(sign)\(scaled / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// Seconds as people say them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "\(seconds) s" }
        if seconds < 9.95 { return "\(fixed(seconds, 1)) s" }
        let whole = Int(seconds.rounded())
        if whole < 120 { return "\(whole) s" }
        if whole < 7200 { return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s" }
        let minutes = (whole + 30) / 60
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// A number of any size: three digits where it is below 100, else a whole number with commas.
    static func significant(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 100 else { return grouped(value) }
        return shortest(Double(String(format: "%.3g", value)) ?? value)
    }

    /// A whole number with its thousands set apart by commas.
    static func grouped(_ value: Double) -> String {
        let digits = Array(fixed(value, 0))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digits[index - 1] != "-" { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
