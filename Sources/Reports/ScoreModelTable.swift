import Networks
import Studies

/// Selection for one model by the networks of another: the gain of each case over random samples of the same size, by
/// selecting model and trained model.
struct ScoreModelTable: Sendable {
    /// A case and size with one selecting model.
    struct Row: Sendable {
        /// The name of the case, without the selecting model.
        let name: String
        let size: Int
        /// The selecting model.
        let selects: String
        /// The differences from random samples, by the index of the trained model.
        fileprivate(set) var comparisons: [Int: Comparison] = [:]
    }

    /// A title that distinguishes the table from the study's others; nil for a single table.
    let title: String?
    /// The trained models.
    let models: [String]
    /// Rows by case, then by size (smallest first), then by selecting model.
    let rows: [Row]

    /// The table's heading, without a full stop.
    static let heading =
        "Selected by the networks of one model, trained as another: mean paired difference from random samples of the same"
        + " size, in percentage points, with its 95% interval"

    /// The tables of a study: one per data set and training in which some case is scored by networks of another model.
    static func all(_ sections: [ReportSection]) -> [ScoreModelTable] {
        ReportSection.byTraining(sections).compactMap(ScoreModelTable.init)
    }

    /// - Returns: nil if fewer than two pairs of models have been compared with random samples.
    private init?(_ group: (title: String?, sections: [ReportSection])) {
        guard group.sections.contains(where: { $0.experiments.contains { $0.otherScoreModel != nil } }) else {
            return nil
        }
        (title, models) = (group.title, group.sections.map(\.key.recipe.model.name))
        let names = ModelComparison.Key.names(group.sections, tellsScoreModel: false)
        var order: [ModelComparison.Key] = []
        var found: [ModelComparison.Key: [Row]] = [:]
        for (place, section) in group.sections.enumerated() {
            for entry in section.cases {
                let experiment = entry.summary.experiment
                guard let selects = experiment.dynamics?.model.name,
                    let comparison = entry.summary.comparisons[.random]
                else { continue }
                let key = ModelComparison.Key(experiment, tellsScoreModel: false)
                if found[key] == nil { order.append(key) }
                var rows = found[key] ?? []
                let row =
                    rows.firstIndex { $0.size == experiment.size && $0.selects == selects }
                    ?? {
                        rows.append(
                            Row(name: names[key] ?? entry.name, size: experiment.size, selects: selects))
                        return rows.count - 1
                    }()
                // The first of several equal cases is used.
                if rows[row].comparisons[place] == nil { rows[row].comparisons[place] = comparison }
                found[key] = rows
            }
        }
        rows = order.flatMap { key in
            let rows = found[key] ?? []
            return rows.indices.sorted { (rows[$0].size, $0) < (rows[$1].size, $1) }.map { rows[$0] }
        }
        let pairs = rows.flatMap { row in row.comparisons.keys.map { [row.selects, models[$0]] } }
        guard Set(pairs).count > 1 else { return nil }
    }

    /// The names of the columns of ``fields(_:)``.
    var columns: [String] { ["Case", "Size", "Selected by"] + models.map { "trained: \($0)" } }

    /// The fields of each row: the case, the size, the selecting model, and a cell per trained model, empty if it was
    /// not run.
    /// - Parameter text: a difference and its interval.
    func fields(_ text: (Comparison) -> String) -> [[String]] {
        rows.map { row in
            [row.name, Wording.size(Double(row.size)), row.selects]
                + models.indices.map { ModelComparison.cell(row.comparisons[$0], text) }
        }
    }

    // MARK: - As CSV

    /// One row per case that selects by networks: the models of both kinds, and the comparison with random samples. Nil
    /// if every case is scored by networks of its own model.
    static func csv(_ results: StudyResults) -> String? {
        guard results.plan.experiments.contains(where: { $0.otherScoreModel != nil }) else { return nil }
        let words = [
            "experiment_id", "dataset", "pruning_method", "selection_strategy", "k", "requested", "score_model",
            "model",
        ]
        let columns =
            words.map { name in Column<CaseSummary>(name) { $0.experiment.word(column: name) } }
            + StudyTables.comparisonColumns(.random).map { column in
                Column(column.name) { summary in summary.comparisons[.random].flatMap(column.value) }
            }
        return CSV.table(columns, results.summaries.filter { $0.experiment.dynamics != nil })
    }
}
