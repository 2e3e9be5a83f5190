/// A number as people write it: in a study file, on the command line and in the environment alike.
///
/// Accepted is `[+-] digits [. digits] [e [+-] digits]`, and `.5` and `5.` too. The whole part has no leading zeros, which
/// YAML 1.1 reads as octal. Underscores, hexadecimal, octal and binary digits, sixties (`1:30`), `inf` and `nan` are
/// refused, each by its name, because programs disagree about what they mean.
package struct DecimalNumber: Equatable, Sendable {
    /// Why a text is not accepted as a number.
    package struct Refusal: Error, Equatable {
        /// What should be different, as the end of a sentence: "without leading zeros: write 10". Empty for a text that
        /// is no number of any kind.
        package let hint: String

        package init(hint: String) { self.hint = hint }
    }

    /// The number is 0.digits times ten to the power of `scale`; neither end of the digits is a zero. None for 0.
    private let digits: [UInt8]
    private let scale: Int
    private let isNegative: Bool
    /// The nearest 64-bit float; infinity beyond its range.
    package let double: Double

    /// Reads a number.
    /// - Throws: ``Refusal``.
    package init(_ text: String) throws(Refusal) {
        var rest = Array(text.utf8)[...]
        func take(_ accepted: (UInt8) -> Bool, upTo most: Int = .max) -> String {
            let found = rest.prefix(most).prefix(while: accepted)
            rest = rest.dropFirst(found.count)
            return String(decoding: found, as: UTF8.self)
        }
        let isSign = { (byte: UInt8) in byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") }
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        let sign = take(isSign, upTo: 1)
        let whole = take(isDigit)
        let fraction = take({ $0 == UInt8(ascii: ".") }, upTo: 1).isEmpty ? "" : take(isDigit)
        var (powerSign, power) = ("", "")
        let hasPower = !take({ $0 | 0x20 == UInt8(ascii: "e") }, upTo: 1).isEmpty
        if hasPower { (powerSign, power) = (take(isSign, upTo: 1), take(isDigit)) }
        // No number that anybody means has more characters.
        guard rest.isEmpty, !(whole + fraction).isEmpty, hasPower != power.isEmpty, text.utf8.count <= 500 else {
            throw Self.refusal(of: text)
        }
        guard whole.count < 2 || !whole.hasPrefix("0") else {
            throw Refusal(hint: "without leading zeros" + Self.writing(text, without: "0"))
        }
        // More digits of an exponent than this are beyond every range that is asked for.
        let size = power.drop { $0 == "0" }
        let exponent = (size.count > 9 ? 1_000_000_000 : Int(size) ?? 0) * (powerSign == "-" ? -1 : 1)
        let all = Array((whole + fraction).utf8).map { $0 - UInt8(ascii: "0") }
        let leading = all.prefix { $0 == 0 }.count
        digits = Array(all[leading...].reversed().drop { $0 == 0 }.reversed())
        scale = digits.isEmpty ? 0 : whole.count - leading + exponent
        isNegative = sign == "-" && !digits.isEmpty
        double = Double(text) ?? .nan
    }

    /// The number as a whole one; nil where it has a fraction or is beyond the type's range.
    package func whole<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) -> Integer? {
        // Where there are more digits than places before the point, there is a fraction. UInt64 has 20 places at most.
        guard scale >= digits.count, scale <= 20 else { return nil }
        var value = Integer(0)
        for place in 0..<scale {
            let digit = Integer(place < digits.count ? digits[place] : 0)
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isBeyond) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            if isTooLarge || isBeyond { return nil }
            value = sum
        }
        return value
    }

    /// The number in units of ten to the power of -`places`, rounded up; nil where it is below 0, or where such units are
    /// more than 10^37.
    package func units(of places: Int) -> Int128? {
        let whole = scale + places
        guard !isNegative, whole <= 37 else { return nil }
        var units: Int128 = 0
        for place in 0..<max(0, whole) { units = 10 * units + Int128(place < digits.count ? digits[place] : 0) }
        return digits.count > max(0, whole) ? units + 1 : units
    }

    /// The number as a float; nil where it is beyond what a float holds: too large, or so small that it would be 0.
    package var finite: Double? { double.isFinite && (double != 0 || digits.isEmpty) ? double : nil }

    // MARK: - Refusals

    private static func refusal(of text: String) -> Refusal {
        let body = text.drop { $0 == "-" || $0 == "+" }.lowercased()
        let isNumeric = body.first.map { $0.isNumber || $0 == "." } ?? false
        func based(_ prefix: String, _ radix: Int, _ name: String) -> Refusal? {
            guard body.hasPrefix(prefix), !body.dropFirst(2).isEmpty else { return nil }
            let sign = text.hasPrefix("-") ? "-" : ""
            let digits = body.dropFirst(2).replacing("_", with: "")
            let value = UInt64(digits, radix: radix).map { ": write \(sign)\($0)" } ?? ""
            return Refusal(hint: "in decimal, not \(name)" + value)
        }
        if let based = based("0x", 16, "hexadecimal") ?? based("0o", 8, "octal") ?? based("0b", 2, "binary") {
            return based
        }
        if ["inf", ".inf", "infinity"].contains(body) { return Refusal(hint: "not infinity") }
        if ["nan", ".nan"].contains(body) || body.hasPrefix("nan(") { return Refusal(hint: "not NaN") }
        if ["yes", "no", "on", "off", "true", "false"].contains(body) { return Refusal(hint: "not yes or no") }
        if isNumeric, body.hasSuffix("%") { return Refusal(hint: "without a percent sign") }
        if text.contains(where: \.isWhitespace), isNumeric || body.first?.isWhitespace == true {
            return Refusal(hint: "without spaces" + writing(text, without: " "))
        }
        guard isNumeric else { return Refusal(hint: "") }
        if body.contains("_") { return Refusal(hint: "without underscores" + writing(text, without: "_")) }
        if body.contains(":") { return Refusal(hint: "without colons") }
        if body.contains(",") { return Refusal(hint: "with a decimal point and no thousands separators") }
        if body.contains(where: { !$0.isASCII && $0.isNumber }) { return Refusal(hint: "in the digits 0 to 9") }
        return Refusal(hint: "")
    }

    /// What to write in place of `text`, where leaving out one kind of character makes a number of it.
    private static func writing(_ text: String, without character: Character) -> String {
        let sign = text.prefix { $0 == "-" || $0 == "+" }
        let body = text.dropFirst(sign.count)
        var plain =
            character == "0"
            ? String(body.drop { $0 == "0" })
            : body.filter { character == " " ? !$0.isWhitespace : $0 != character }
        if character == "0", plain.first?.isNumber != true { plain = "0" + plain }
        // Each attempt is shorter than the one before, so that they end.
        guard plain.utf8.count < min(30, body.utf8.count), (try? DecimalNumber(sign + plain)) != nil else { return "" }
        return ": write \(sign)\(plain)"
    }
}

extension DecimalNumber {
    /// A share such as `10%` or `10 %`, in percent; nil for a text without a percent sign.
    /// - Throws: ``Refusal`` for what stands before the sign.
    package static func percent(_ text: String) throws(Refusal) -> Double? {
        guard text.hasSuffix("%") else { return nil }
        let number = String(text.dropLast().reversed().drop { $0 == " " }.reversed())
        return try DecimalNumber(number).double
    }

    /// A whole number of `range`.
    /// - Parameter isQuoted: whether the text stands in quotes where it should be a bare number.
    /// - Throws: ``Sentence`` that says what is needed: "a whole number from 1 to 9 is needed, without quotes".
    package static func whole<Integer: FixedWidthInteger>(
        _ text: String, in range: ClosedRange<Integer>, isQuoted: Bool = false
    ) throws(Sentence) -> Integer {
        let wanted =
            range == Integer.min...Integer.max && Integer.isSigned
            ? "a whole number" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let number = try read(text, wanted, isQuoted: isQuoted)
        guard let value = number.whole(Integer.self), range.contains(value) else {
            // Whoever asks for any number is told of the bounds only where they matter.
            let isBeyond = wanted == "a whole number" && abs(number.double) > 1e18
            throw Sentence("\(wanted) is needed" + (isBeyond ? ", up to \(Integer.max)" : ""))
        }
        return value
    }

    /// A number that a 64-bit float holds.
    /// - Throws: ``Sentence`` that says what is needed.
    package static func real(_ text: String, isQuoted: Bool = false) throws(Sentence) -> Double {
        guard let value = try read(text, "a number", isQuoted: isQuoted).finite else {
            throw Sentence("a number that 64 bits hold is needed, from 4.9e-324 to 1.7e308")
        }
        return value
    }

    private static func read(_ text: String, _ wanted: String, isQuoted: Bool) throws(Sentence) -> DecimalNumber {
        do throws(Refusal) {
            let number = try DecimalNumber(text)
            if isQuoted { throw Refusal(hint: "without quotes: write \(excerpt(text))") }
            return number
        } catch {
            throw Sentence("\(wanted) is needed" + (error.hint.isEmpty ? "" : ", \(error.hint)"))
        }
    }
}

/// An error that is a sentence and nothing else.
package struct Sentence: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A number in its shortest form that reads back the same, without a fraction where it is whole.
package func shortest(_ value: Double) -> String {
    if value.magnitude < 1e15, let whole = Int(exactly: value) { return "\(whole)" }
    return "\(value)"
}
