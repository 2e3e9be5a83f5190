import Studies

/// A study as text for a terminal.
package enum StudyText {
    /// What a study would do: its experiments, how much there is to compute, and how long that should take.
    package static func plan(_ plan: StudyPlan, estimate: StudyEstimate? = nil) -> String {
        let names = CaseNames(plan)
        let rows = plan.experiments.map { experiment in
            ["\(experiment.id)", names.name(experiment), "\(experiment.size)", "\(experiment.runs)"]
        }
        let table = align([["#", "case", "size", "runs"]] + rows, left: [1])
        let counts = [
            counted(plan.experiments.count, "experiment"), counted(plan.runs.count, "run"),
            counted(plan.clusteringCount, "distinct clustering"),
            "\(Number.grouped(plan.trainedImages)) \(plan.unit)s to train on"
                + (plan.artifactNetworks.map { " and \(Number.grouped(plan.scoreImages)) for \($0)" } ?? ""),
        ]
        return table + counts.joined(separator: ", ") + "\n" + (estimate.map { text($0, plan.unit) } ?? "")
            + ([plan.estimateNote].compactMap(\.self) + plan.comparisonNotes).map { "note: \($0)\n" }.joined()
    }

    private static func text(_ estimate: StudyEstimate, _ unit: String) -> String {
        let rates = estimate.rates
        let hasSeveral = estimate.models.count > 1
        let measured = "measured now over \(Number.grouped(Double(rates.images))) \(unit)s each"
        let replicas = estimate.models.first?.replicas ?? rates.replicas
        var parts = [
            "training \(Number.duration(estimate.training))"
                + (hasSeveral
                    ? ""
                    : " at \(Number.grouped(estimate.imagesPerSecond)) \(unit)s/s"
                        + " (\(counted(replicas, "network")) together, \(measured))"),
            "tests \(Number.duration(estimate.evaluation))",
        ]
        for (things, seconds) in estimate.artifacts.sorted(by: { $0.key < $1.key }) where seconds > 0 {
            parts.append("\(things) \(Number.duration(seconds))")
        }
        return "about \(Number.duration(estimate.total)): \(parts.joined(separator: ", "))\n"
            + (hasSeveral ? "by model, \(measured):\n" + table(of: estimate, unit) : "")
    }

    /// A row per model with its rate and its seconds, and their sums.
    private static func table(of estimate: StudyEstimate, _ unit: String) -> String {
        let header = ["model", "\(unit)s", "together", "\(unit)s/s", "training", "tests", "both"]
        let rows = estimate.models.map { model in
            [
                model.name, Number.grouped(model.images), "\(model.replicas)", Number.grouped(model.imagesPerSecond),
                Number.duration(model.training), Number.duration(model.evaluation), Number.duration(model.total),
            ]
        }
        let sum = [
            "sum", Number.grouped(estimate.models.reduce(0) { $0 + $1.images }), "", "",
            Number.duration(estimate.training), Number.duration(estimate.evaluation),
            Number.duration(estimate.training + estimate.evaluation),
        ]
        return align([header] + rows + [sum], left: [0])
    }

    /// What a study found: one line per case with a finished run, how little is enough, and what a reader must know to read
    /// them.
    package static func summary(_ results: StudyResults) -> String {
        let baselines = Baseline.allCases.filter { baseline in
            results.summaries.contains { $0.comparisons[baseline] != nil }
        }
        let header =
            ["case", "requested", "kept", "median %", "95% interval", "best %", "runs", "seconds"]
            + baselines.map { $0 == .full ? "against the whole set" : "against random" }
        let names = CaseNames(results.plan)
        let rows = results.summaries.map { summary in
            [
                names.name(summary.experiment), "\(summary.experiment.size)", kept(summary),
                text(Statistics.median(summary.accuracies)), interval(summary),
                text(summary.accuracies.max()), runs(summary), text(Statistics.median(summary.times)),
            ] + baselines.map { summary.comparisons[$0].map(comparison) ?? "" }
        }
        let first = header.count - baselines.count
        let table = align([header] + rows, left: Set([0] + (first..<header.count)))
        let answers = answers(results).map { "how little is enough? \($0)\n" }
        return table + models(results) + (answers + results.comparisonNotes.map { "note: \($0)\n" }).joined()
    }

    /// The answer of each data set and way of training; none where nothing was compared with the whole set.
    private static func answers(_ results: StudyResults) -> [String] {
        let sections = ReportSection.sections(of: results)
        return sections.compactMap { section in
            let sentences = Answer(section).sentences
            guard !sentences.isEmpty else { return nil }
            return (sections.count > 1 ? "\(section.title): " : "") + sentences.joined(separator: " ")
        }
    }

    /// What a study found, as a Markdown table for a page or an issue, with the same notes below it.
    package static func markdown(_ results: StudyResults) -> String {
        let header = [
            "case", "size", "kept", "median %", "95% interval", "runs", "against the whole set", "against random",
        ]
        let names = CaseNames(results.plan)
        let rows = results.summaries.map { summary in
            [
                names.name(summary.experiment), Number.grouped(Double(summary.experiment.size)), kept(summary),
                text(Statistics.median(summary.accuracies)), interval(summary), runs(summary),
            ] + Baseline.allCases.map { summary.comparisons[$0].map(comparison) ?? "" }
        }
        let lines = [header, header.map { _ in "---" }] + rows
        let table = lines.map { "| \($0.joined(separator: " | ")) |\n" }.joined()
        let notes = (answers(results) + results.comparisonNotes).map { "- \($0)\n" }.joined()
        return table + markdownOfModels(results) + (notes.isEmpty ? "" : "\n\(notes)")
    }

    private static func kept(_ summary: CaseSummary) -> String {
        let sizes = summary.keptSizes
        let (least, most) = (sizes.min() ?? 0, sizes.max() ?? 0)
        return least == most ? Number.fixed(least, 0) : "\(Number.fixed(least, 0))-\(Number.fixed(most, 0))"
    }

    private static func interval(_ summary: CaseSummary) -> String {
        summary.medianInterval.map { "\(text($0.low))-\(text($0.high))" } ?? "-"
    }

    /// What a run came to: its accuracy, or where it diverged.
    package static func outcome(_ record: RunRecord) -> String {
        record.accuracy.map { "\(Number.fixed($0, 2))%" }
            ?? "diverged" + (record.diverged.map { " at step \($0.step)" } ?? "")
    }

    /// Finished runs, and how many of them diverged.
    private static func runs(_ summary: CaseSummary) -> String {
        "\(summary.records.count)" + (summary.divergedCount > 0 ? " (\(summary.divergedCount) diverged)" : "")
    }

    /// A comparison in short: the mean difference in points with its 95% interval, and the verdict.
    package static func comparison(_ comparison: Comparison) -> String {
        let figures = difference(comparison)
        var words = figures + (figures.isEmpty ? "" : " ") + comparison.verdict.rawValue
        if let runs = comparison.runsToDecide { words += " (about \(runs) runs would)" }
        return words
    }

    /// The mean difference in points with its 95% interval.
    static func difference(_ comparison: Comparison) -> String {
        difference(comparison.difference, comparison.interval95)
    }

    /// A difference in points with its interval.
    static func difference(_ difference: Double?, _ interval: Interval?) -> String {
        let interval = interval.map { "[\(signed($0.low)), \(signed($0.high))]" }
        return [difference.map(signed), interval].compactMap { $0 }.joined(separator: " ")
    }

    private static func signed(_ points: Double) -> String {
        let text = Number.fixed(points, 2)
        return text.hasPrefix("-") || text == "0.00" ? text : "+\(text)"
    }

    private static func text(_ value: Double?) -> String { value.map { Number.fixed($0, 2) } ?? "-" }

    private static func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

    /// Columns as wide as their widest field, two spaces apart; numbers end where their column ends.
    static func align(_ rows: [[String]], left: Set<Int>) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map(\.[column].count).max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, field) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - field.count)
                line += (column == 0 ? "" : "  ") + (left.contains(column) ? field + padding : padding + field)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
