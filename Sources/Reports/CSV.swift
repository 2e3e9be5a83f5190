import Studies

/// Text of comma-separated values with the quoting of RFC 4180; lines end with a line feed alone, as the tools that cut
/// and count columns on a command line expect them.
package enum CSV {
    /// One line of fields, its end included.
    package static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\n" }

    /// A field, quoted where it holds a comma, a quote or a line break.
    package static func field(_ text: String) -> String {
        let special = text.unicodeScalars.contains { [",", "\"", "\n", "\r"].contains($0) }
        return special ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}

/// A column of a table: its name, and how its field is made of a row; nil where the column does not apply.
struct Column<Row>: Sendable {
    let name: String
    let value: @Sendable (Row) -> String?

    init(_ name: String, _ value: @escaping @Sendable (Row) -> String?) {
        self.name = name
        self.value = value
    }

    /// The column for rows that hold what it is made of.
    func of<Outer>(_ part: @escaping @Sendable (Outer) -> Row) -> Column<Outer> {
        Column<Outer>(name) { value(part($0)) }
    }
}

extension CSV {
    /// A whole table, its names first.
    static func table<Row>(_ columns: [Column<Row>], _ rows: [Row]) -> String {
        line(columns.map(\.name)) + rows.map { row in line(columns.map { $0.value(row) ?? "" }) }.joined()
    }
}
