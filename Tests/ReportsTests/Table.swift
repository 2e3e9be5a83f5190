import Foundation

/// A table of comma-separated values, read by the letter of RFC 4180 and typed by the rules of R's `read.csv` (`?read.csv`,
/// `?type.convert`); pandas types these columns alike.
struct Table {
    enum Fault: Error { case notCSV(String) }

    /// What R makes of a column.
    enum Kind: String { case logical, integer, double, character }

    let names: [String]
    let rows: [[String]]

    init(_ text: String) throws {
        var records: [[String]] = []
        var record: [String] = []
        var field = ""
        enum State { case start, plain, quoted, afterQuote }
        var state = State.start
        func end() { record.append(field); field = ""; state = .start }
        for scalar in text.unicodeScalars {
            switch (state, scalar) {
            case (.quoted, "\""): state = .afterQuote
            case (.quoted, _): field.unicodeScalars.append(scalar)
            case (.afterQuote, "\""):
                field.append("\"")
                state = .quoted
            case (_, ","): end()
            case (_, "\n"):
                end()
                records.append(record)
                record = []
            case (.start, "\""): state = .quoted
            case (.afterQuote, _): throw Fault.notCSV("text after a closing quote")
            case (_, "\""), (_, "\r"): throw Fault.notCSV("a bare \(scalar.debugDescription)")
            default:
                field.unicodeScalars.append(scalar)
                state = .plain
            }
        }
        guard state == .start, field.isEmpty, record.isEmpty else { throw Fault.notCSV("the last line has no end") }
        guard let names = records.first else { throw Fault.notCSV("no line") }
        // read.csv has check.names, which changes what is no name or is there twice.
        guard Set(names).count == names.count,
            names.allSatisfy({ $0.wholeMatch(of: /[A-Za-z][A-Za-z0-9._]*/) != nil })
        else { throw Fault.notCSV("names \(names)") }
        guard records.allSatisfy({ $0.count == names.count }) else { throw Fault.notCSV("lines of different lengths") }
        self.names = names
        rows = Array(records.dropFirst())
    }

    func column(_ name: String) -> [String] {
        guard let place = names.firstIndex(of: name) else { return [] }
        return rows.map { $0[place] }
    }

    /// The column's type: the first of logical, integer and double that takes every field but "NA" and blank ones.
    func kind(_ name: String) -> Kind {
        let values = column(name).filter { $0 != "NA" && !$0.isEmpty }
        if values.allSatisfy({ ["T", "F", "TRUE", "FALSE", "true", "false", "True", "False"].contains($0) }) {
            return .logical
        }
        if values.allSatisfy({ $0.wholeMatch(of: /[-+]?[0-9]+/) != nil && Int32($0) != nil && Int32($0) != .min }) {
            return .integer
        }
        if values.allSatisfy({ $0.wholeMatch(of: /[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?/) != nil }) {
            return .double
        }
        return .character
    }
}
