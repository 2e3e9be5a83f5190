import Studies

/// A study as text for a terminal.
public enum StudyText {
    /// What a study would do: its experiments, and how much there is to compute.
    public static func plan(_ plan: StudyPlan) -> String {
        let rows = plan.experiments.map { experiment in
            ["\(experiment.id)", name(experiment), "\(experiment.size)", "\(experiment.settings.runs)"]
        }
        let table = align([["#", "case", "size", "runs"]] + rows, left: [1])
        let counts = [
            counted(plan.experiments.count, "experiment"), counted(plan.runs.count, "run"),
            counted(plan.clusteringCount, "distinct clustering"),
            "\(Number.grouped(plan.trainedImages)) images to train on",
        ]
        return table + counts.joined(separator: ", ") + "\n"
    }

    /// What a study found: one line a case with a finished run.
    public static func summary(_ results: StudyResults) -> String {
        let header = ["case", "requested", "kept", "median %", "best %", "mean %", "sd", "runs", "seconds"]
        let rows = results.summaries.map { summary in
            let kept = summary.keptSizes
            let least = kept.min() ?? 0
            let most = kept.max() ?? 0
            return [
                name(summary.experiment), "\(summary.experiment.size)",
                least == most ? Number.fixed(least, 0) : "\(Number.fixed(least, 0))-\(Number.fixed(most, 0))",
                text(Statistics.median(summary.accuracies)), text(summary.accuracies.max()),
                text(Statistics.mean(summary.accuracies)), text(Statistics.standardDeviation(summary.accuracies)),
                "\(summary.records.count)", text(Statistics.median(summary.times)),
            ]
        }
        return align([header] + rows, left: [0])
    }

    /// A case's name: what is kept, and by which clustering.
    public static func name(_ experiment: Experiment) -> String {
        var words: [String] =
            switch experiment.method {
            case .none: ["whole set"]
            case .random: ["random"]
            case .cluster: [experiment.strategy == .random ? "random in cluster" : experiment.strategy?.rawValue ?? ""]
            }
        if let shares = experiment.hybridShares { words.append("\(shares.nClosest):\(shares.nFurthest)") }
        if let k = experiment.k { words.append("k \(k)") }
        if let usePCA = experiment.usePCA {
            words.append(usePCA ? "PCA \(experiment.settings.pcaComponents)" : "pixels")
        }
        return words.joined(separator: ", ")
    }

    private static func text(_ value: Double?) -> String { value.map { Number.fixed($0, 2) } ?? "-" }

    private static func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

    /// Columns as wide as their widest field, two spaces apart; numbers end where their column ends.
    private static func align(_ rows: [[String]], left: Set<Int>) -> String {
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
