import Studies

extension StudyText {
    /// A table under its heading.
    private struct Table {
        let heading: String
        let rows: [[String]]
        /// A sentence below it.
        var note: String?
    }

    /// The tables that compare a study's models and embeddings; empty for a study of one of each.
    private static func tables(_ results: StudyResults) -> [Table] {
        let sections = ReportSection.sections(of: results)
        func heading(_ text: String, _ title: String?) -> String { (title.map { "\($0): " } ?? "") + text }
        let costs = ModelComparison.all(sections).filter { !$0.lines.isEmpty }.map { comparison in
            Table(
                heading: heading(ModelComparison.heading, comparison.title),
                rows: [comparison.columns] + comparison.rows(difference))
        }
        let scores = ScoreModelTable.all(sections).map { table in
            Table(
                heading: heading(ScoreModelTable.heading, table.title), rows: [table.columns] + table.fields(difference)
            )
        }
        let embeddings = EmbeddingTable.all(sections).map { table in
            Table(
                heading: heading(EmbeddingTable.heading, table.title), rows: [table.columns] + table.fields(difference),
                note: table.shortage.map { "\($0)." })
        }
        return costs + scores + embeddings
    }

    /// The tables for a terminal.
    static func models(_ results: StudyResults) -> String {
        let tables = tables(results)
        return tables.map { table in
            "\n\(table.heading):\n" + align(table.rows, left: Set([0] + (2..<table.rows[0].count)))
                + (table.note.map { "note: \($0)\n" } ?? "")
        }.joined() + (tables.isEmpty ? "" : "\n")
    }

    /// The tables as Markdown.
    static func markdownOfModels(_ results: StudyResults) -> String {
        tables(results).map { table in
            let lines = [table.rows[0], table.rows[0].map { _ in "---" }] + table.rows.dropFirst()
            return "\n\(table.heading):\n\n" + lines.map { "| \($0.joined(separator: " | ")) |\n" }.joined()
                + (table.note.map { "\n\($0)\n" } ?? "")
        }.joined()
    }
}
