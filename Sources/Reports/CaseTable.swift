import Studies

/// The table of a section's cases as HTML. It is put together here and not by the template: a study may have thousands of
/// rows.
enum CaseTable {
    /// The rows of the table's body.
    static func rows(_ section: ReportSection) -> String {
        var html = ""
        html.reserveCapacity(section.cases.count * 900)
        for entry in section.cases { html += row(entry) }
        return html
    }

    /// The table's columns before the comparisons; the first names the row.
    static func columns(_ section: ReportSection) -> [String] {
        let units = Wording.sentence(section.cases.first?.units ?? "samples")
        return ["Case", "\(units) kept", "Median %", "95% interval", "Runs", "Seconds"]
    }
    /// The columns of each comparison.
    static let comparisonColumns = ["Difference", "95% interval", "p", "p (Holm)", "Verdict"]

    /// The columns after the comparisons.
    static let moreColumns = ["Mean %", "sd", "Best %"]

    private static func row(_ entry: ReportCase) -> String {
        let summary = entry.summary
        var html = entry.isWhole ? "<tr class=\"whole\">" : "<tr>"
        html += "<th scope=\"row\">\(Wording.escaped(entry.name))</th>"
        html += cell(keptText(entry))
        html += cell(Statistics.median(summary.accuracies).map { Number.fixed($0, 2) })
        html += cell(
            summary.medianInterval.map { "\(Number.fixed($0.low, 2)) to \(Number.fixed($0.high, 2))" })
        let diverged = summary.divergedCount > 0 ? " <small>(\(summary.divergedCount) diverged)</small>" : ""
        html += "<td>\(summary.records.count)\(diverged)</td>"
        html += cell(Statistics.median(summary.times).map(Wording.seconds))
        for baseline in Baseline.allCases { html += cells(summary.comparisons[baseline]) }
        html += cell(Statistics.mean(summary.accuracies).map { Number.fixed($0, 2) })
        html += cell(Statistics.standardDeviation(summary.accuracies).map { Number.fixed($0, 2) })
        html += cell(summary.accuracies.max().map { Number.fixed($0, 2) })
        return html + "</tr>\n"
    }

    /// How many samples the runs kept: one number, or the range.
    private static func keptText(_ entry: ReportCase) -> String {
        let sizes = entry.summary.keptSizes
        guard let least = sizes.min(), let most = sizes.max(), least < most else { return Wording.size(entry.kept) }
        return "\(Wording.size(least)) to \(Wording.size(most))"
    }

    private static func cells(_ comparison: Comparison?) -> String {
        guard let comparison else { return String(repeating: "<td></td>", count: comparisonColumns.count) }
        return cell(comparison.difference.map { Wording.signed($0) })
            + cell(comparison.interval95.map { Wording.signed($0) })
            + cell(comparison.p.map(Wording.probability)) + cell(comparison.pHolm.map(Wording.probability))
            + "<td class=\"\(style(comparison.verdict))\">\(mark(comparison.verdict)) \(comparison.verdict.rawValue)"
            + (comparison.runsToDecide.map { " <small>(about \(Number.grouped(Double($0))) runs)</small>" } ?? "")
            + "</td>"
    }

    private static func cell(_ text: String?) -> String {
        text.map { "<td>\(Wording.escaped($0))</td>" } ?? "<td></td>"
    }

    private static func style(_ verdict: Verdict) -> String {
        switch verdict {
        case .better: "better"
        case .worse: "worse"
        case .equal: "equal"
        case .notDecided: "undecided"
        case .diverged: "diverged"
        }
    }

    /// A sign beside the word, so that it is not the colour alone that catches the eye.
    private static func mark(_ verdict: Verdict) -> String {
        switch verdict {
        case .better: "\u{25B2}"
        case .worse: "\u{25BC}"
        case .equal: "="
        case .notDecided: "?"
        case .diverged: "\u{2715}"
        }
    }
}

/// How many samples of each class the runs of a case kept, on average over the runs.
struct ClassCounts: Sendable {
    /// A case's row.
    struct Row: Equatable, Sendable {
        let label: String
        let cells: [Cell]
        /// The largest count over the smallest; nil where a class is missing.
        let ratio: String
    }

    /// A class's count, and how far it is from the class's share.
    struct Cell: Equatable, Sendable {
        let count: String
        let style: String
    }

    let classes: [String]
    let rows: [Row]
    /// How many cases are not shown.
    let leftOut: Int

    /// The whole set's counts and those of the cases whose classes are furthest from their shares, `most` at the most.
    /// - Returns: nil where no case says what it kept of each class.
    init?(_ section: ReportSection, most: Int) {
        let counted = section.cases.compactMap { entry -> (entry: ReportCase, means: [Double])? in
            let records = entry.summary.records
            let count = records.map(\.perClass.count).max() ?? 0
            guard count > 1 else { return nil }
            let means = (0..<count).map { label in
                records.reduce(0) { $0 + Double(label < $1.perClass.count ? $1.perClass[label] : 0) }
                    / Double(records.count)
            }
            return (entry, means)
        }
        guard let width = counted.map(\.means.count).max() else { return nil }
        // The whole set's shares, or equal ones where it has not been run.
        let reference = counted.first { $0.entry.isWhole }?.means ?? [Double](repeating: 1, count: width)
        let total = max(reference.reduce(0, +), 1e-9)
        func share(_ label: Int) -> Double { label < reference.count ? reference[label] / total : 0 }
        func unevenness(_ means: [Double]) -> Double {
            let sum = max(means.reduce(0, +), 1e-9)
            // Half the sum of absolute differences: the part of the samples that would have to change class.
            return means.enumerated().reduce(0) { $0 + abs($1.element / sum - share($1.offset)) } / 2
        }
        let others = counted.filter { !$0.entry.isWhole }
            .map { (entry: $0.entry, means: $0.means, unevenness: unevenness($0.means)) }
            .sorted {
                ($1.unevenness, $0.entry.summary.experiment.id) < ($0.unevenness, $1.entry.summary.experiment.id)
            }
        let shown = counted.filter { $0.entry.isWhole }.prefix(1) + others.prefix(most).map { ($0.entry, $0.means) }
        leftOut = max(0, others.count - most)
        classes = (0..<width).map(String.init)
        rows = shown.map { entry, means in
            let sum = max(means.reduce(0, +), 1e-9)
            let cells = means.enumerated().map { label, mean in
                Cell(count: Self.text(mean), style: Self.style(mean / sum, share: share(label)))
            }
            let least = means.min() ?? 0
            return Row(
                label: entry.label, cells: cells,
                ratio: least > 0 ? Number.fixed((means.max() ?? 0) / least, 1) : "\u{221E}")
        }
    }

    private static func text(_ mean: Double) -> String {
        mean < 100 && mean != mean.rounded() ? Number.fixed(mean, 1) : Number.grouped(mean)
    }

    private static func style(_ part: Double, share: Double) -> String {
        guard share > 0 else { return "" }
        switch part / share {
        case ..<0.5: return "few2"
        case ..<0.8: return "few1"
        case ...1.25: return ""
        case ...2: return "many1"
        default: return "many2"
        }
    }
}
