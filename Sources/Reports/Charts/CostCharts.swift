import Studies

/// Accuracy against what it cost: seconds, and steps of training.
enum CostCharts {
    /// What accuracy is held against.
    enum Cost: CaseIterable {
        /// All that a run takes.
        case seconds
        /// Updates of the weights.
        case steps

        /// The name of the picture's file, which begins those of several.
        var name: String {
            switch self {
            case .seconds: "accuracy-seconds"
            case .steps: "accuracy-steps"
            }
        }

        fileprivate var title: String {
            switch self {
            case .seconds: "Accuracy against seconds"
            case .steps: "Accuracy against steps of training"
            }
        }

        fileprivate var axisTitle: String {
            switch self {
            case .seconds: "seconds per run"
            case .steps: "steps of training"
            }
        }

        fileprivate var caption: String {
            switch self {
            case .seconds:
                "Median accuracy against the median of a run's seconds: its share of the selection (clusterings, scores and"
                    + " the networks trained for them), its training and its test."
            case .steps:
                "Median accuracy against the steps that a run trains for. Networks trained for scores are not in it; their"
                    + " time is in the seconds."
            }
        }

        fileprivate func of(_ entry: ReportCase) -> Double {
            switch self {
            case .seconds: entry.seconds
            case .steps: entry.steps
            }
        }

        fileprivate func text(_ value: Double) -> String {
            switch self {
            case .seconds: "\(Wording.seconds(value)) s"
            case .steps: Wording.counted(Int(value.rounded()), "step")
            }
        }
    }

    /// Pictures of accuracy against seconds, then against steps, one point per case; none where all cases cost the same.
    /// - Parameter most: points of a picture.
    static func charts(_ section: ReportSection, most: Int) -> [Chart] {
        Cost.allCases.flatMap { cost -> [Chart] in
            let cases = section.cases.filter { cost.of($0) > 0 }
            guard Set(cases.map(cost.of)).count > 1 else { return [] }
            var methods: [String] = []
            for entry in cases where !entry.arm.isBaseline && !methods.contains(entry.arm.method) {
                methods.append(entry.arm.method)
            }
            let parts = SizeCharts.parts(methods)
            return parts.enumerated().map { index, part in
                chart(
                    section, cost, cases.filter { $0.arm.isBaseline || part.members.contains($0.arm.method) },
                    most: most,
                    of: cases, title: part.title, number: parts.count == 1 ? nil : index + 1)
            }
        }
    }

    /// - Parameters:
    ///   - cases: what is shown.
    ///   - all: what all parts show, which have the same axes.
    private static func chart(
        _ section: ReportSection, _ cost: Cost, _ cases: [ReportCase], most: Int, of all: [ReportCase], title: String?,
        number: Int?
    ) -> Chart {
        // Where there are too many, every n-th of each kind; n is odd, so that of the two of use_pca neither is left out.
        let least = (cases.count + most - 1) / most
        let stride = least == 1 ? 1 : least | 1
        var seen: [String: Int] = [:]
        let shown = cases.filter { entry in
            let method = entry.arm.method
            defer { seen[method, default: 0] += 1 }
            return seen[method, default: 0] % stride == 0
        }
        var methods: [String] = []
        for method in shown.map(\.arm.method) where !methods.contains(method) { methods.append(method) }
        // A line per method, where a method is not several lines.
        let isJoined = stride == 1 && Set(shown.map(\.arm)).count == methods.count
        let values = all.map(cost.of)
        let (lowest, highest) = (values.min() ?? 1, values.max() ?? 1)
        let intervals = isJoined ? all.compactMap(\.summary.medianInterval) : []
        let hasLines = isJoined && shown.count > methods.count
        let axis = AccuracyAxis(all.map(\.accuracy) + intervals.flatMap { [$0.low, $0.high] })
        // The whole set goes last, over the others.
        let whole = section.whole?.arm.method
        var blocks: [String] = []
        var bars: [String] = []
        var plots: [String] = []
        for (index, method) in methods.enumerated().sorted(by: { $0.element != whole && $1.element == whole }) {
            let points = shown.filter { $0.arm.method == method }.sorted { $0.kept < $1.kept }
            let mark = section.marks[method]
            let name = "kind\(index)"
            blocks.append(Plot.data(name, Plot.rows(points, axis, x: cost.of)))
            if !intervals.isEmpty {
                bars.append("$\(name) using 1:2:3:4 with yerrorbars pt 0 lw 1 lc rgb '\(mark.colour)' notitle")
            }
            plots.append(
                "$\(name) using 1:2 with \(hasLines ? "linespoints" : "points") lc rgb '\(mark.colour)' lw 1.5 pt"
                    + " \(mark.point) ps \(method == whole ? 1.8 : 0.9)"
                    + (hasLines ? " dt \(mark.dash)" : "") + " title \(Plot.quoted(method))")
        }
        let key = Plot.key(methods)
        return Chart(
            name: cost.name + (number.map { "-\($0)" } ?? ""), title: cost.title + (title.map { ", \($0)" } ?? ""),
            caption: cost.caption
                + (hasLines ? " A point per case; a line joins the sizes of a method." : " A point per case.")
                + (intervals.isEmpty ? "" : " Upright lines are 95% intervals of the medians.") + axis.note
                + leftOut(stride, shown, cases),
            description: description(section, cost, shown), height: 430 + key.height,
            commands: blocks + Plot.logarithmic("x", lowest / 1.3...highest * 1.3) + axis.commands("y") + [
                "set xlabel '\(cost.axisTitle)'", "set ylabel 'median accuracy, %'", key.command,
                "plot " + (bars + plots).joined(separator: ", \\\n"),
            ])
    }

    private static func leftOut(_ stride: Int, _ shown: [ReportCase], _ cases: [ReportCase]) -> String {
        stride > 1
            ? " Every \(ordinal(stride)) case of a strategy is drawn, \(shown.count) of \(Number.grouped(Double(cases.count)))."
            : ""
    }

    private static func description(_ section: ReportSection, _ cost: Cost, _ shown: [ReportCase]) -> String {
        let values = shown.map(cost.of)
        let range = "from \(cost.text(values.min() ?? 0)) to \(cost.text(values.max() ?? 0)) per run."
        return "\(Wording.counted(shown.count, "case")) \(range)"
            + (section.whole.map {
                " The whole set takes \(cost.text(cost.of($0))) for \(Number.fixed($0.accuracy, 2))%."
            } ?? "")
    }

    private static func ordinal(_ number: Int) -> String {
        let ending =
            switch (number % 10, number % 100) {
            case (1, let teens) where teens != 11: "st"
            case (2, let teens) where teens != 12: "nd"
            case (3, let teens) where teens != 13: "rd"
            default: "th"
            }
        return "\(number)\(ending)"
    }
}
