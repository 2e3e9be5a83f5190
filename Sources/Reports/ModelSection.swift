import Studies

/// The page's comparison of a study's models and embeddings: the cost of pruning by model, how well the scores of one
/// model select for another, then the embeddings against each other.
struct ModelSection: Sendable {
    /// A comparison of models with its pictures.
    private struct Costs: Sendable {
        let comparison: ModelComparison
        let charts: [Chart]
        let leftOut: [String]
    }

    private let comparisons: [Costs]
    private let tables: [ScoreModelTable]
    private let embeddings: [EmbeddingTable]

    /// True if embeddings are compared with each other.
    var comparesEmbeddings: Bool { !embeddings.isEmpty }
    /// Every picture.
    var charts: [Chart] { comparisons.flatMap(\.charts) }

    init(_ sections: [ReportSection]) {
        let all = ModelComparison.all(sections)
        comparisons = all.enumerated().map { place, comparison in
            let (charts, leftOut) = ModelCharts.charts(comparison)
            return Costs(
                comparison: comparison,
                charts: all.count == 1 ? charts : charts.map { $0.named("\(place + 1)-\($0.name)") }, leftOut: leftOut)
        }
        tables = ScoreModelTable.all(sections)
        embeddings = EmbeddingTable.all(sections)
    }

    /// The parts of the page.
    /// - Parameter figures: numbers pictures that were drawn, in the order in which they are asked for.
    func contents(figures: ([Chart]) -> [PageFigure]) -> [PageContents.Models] {
        func title(_ heading: String, _ part: String?) -> String { heading + (part.map { ", \($0)" } ?? "") }
        let costs = comparisons.enumerated().map { place, entry in
            let comparison = entry.comparison
            let heading = title("Cost of pruning by model", comparison.title)
            return PageContents.Models(
                id: "models-\(place + 1)", title: heading, sentences: comparison.sentences,
                hasSentences: !comparison.sentences.isEmpty, figures: figures(entry.charts),
                note: entry.leftOut.isEmpty
                    ? nil
                    : "Not pictured for want of room: \(Wording.list(entry.leftOut, atMost: 8)). The table has every case.",
                label: heading, caption: ModelComparison.heading + ".",
                columns: comparison.columns,
                rows: Self.html(comparison.rows(Self.cell)))
        }
        let scores = tables.enumerated().map { place, table in
            let heading = title("Selected by one model, trained as another", table.title)
            return PageContents.Models(
                id: "score-models-\(place + 1)", title: heading, sentences: [], hasSentences: false, figures: [],
                note: nil, label: heading, caption: ScoreModelTable.heading + ".", columns: table.columns,
                rows: Self.html(table.fields(Self.cell)))
        }
        let compared = embeddings.enumerated().map { place, table in
            let heading = title("Embeddings compared", table.title)
            return PageContents.Models(
                id: "embeddings-\(place + 1)", title: heading, sentences: table.sentences, hasSentences: true,
                figures: [], note: nil, label: heading, caption: EmbeddingTable.heading + ".", columns: table.columns,
                rows: Self.html(table.fields(Self.cell)))
        }
        return costs.filter { !$0.rows.isEmpty } + scores + compared
    }

    private static func cell(_ comparison: Comparison) -> String {
        cell(comparison.difference, comparison.interval95)
    }

    private static func cell(_ difference: Double?, _ interval: Interval?) -> String {
        (difference.map { Wording.signed($0) } ?? "") + (interval.map { " (\(Wording.signed($0)))" } ?? "")
    }

    private static func html(_ rows: [[String]]) -> String {
        rows.map { row in
            "<tr><th scope=\"row\">\(Wording.escaped(row[0]))</th>"
                + row.dropFirst().map { "<td>\(Wording.escaped($0))</td>" }.joined() + "</tr>\n"
        }.joined()
    }
}
