import Pruning
import Studies

/// Accuracy against size and against time.
enum SizeCharts {
    /// One picture for each of the section's clusterings, `most` at the most, all strategies and the baselines in each.
    static func accuracyAgainstSize(_ section: ReportSection, most: Int) -> (charts: [Chart], leftOut: [String]) {
        var families: [Arm.Family: Int] = [:]
        for entry in section.cases { if let family = entry.arm.family { families[family, default: 0] += 1 } }
        // The fullest say most; of more than there is room for, some from the smallest k to the largest.
        let fullest = families.values.max() ?? 0
        let ordered = families.keys.sorted { ($0.clustering.k, $0.name) < ($1.clustering.k, $1.name) }
        let full = ordered.filter { families[$0] == fullest }
        let others = ordered.filter { families[$0] != fullest }.sorted { (families[$0] ?? 0) > (families[$1] ?? 0) }
        let shown =
            full.count > most
            ? (0..<most).map { full[$0 * (full.count - 1) / max(1, most - 1)] } : Array((full + others).prefix(most))
        let axis = accuracyAxis(section.cases)
        guard section.cases.contains(where: { !$0.isWhole }) else { return ([], []) }
        if shown.isEmpty { return ([chart(section, nil, axis)].compactMap { $0 }, []) }
        return (
            shown.sorted { ($0.clustering.k, $0.name) < ($1.clustering.k, $1.name) }.compactMap {
                chart(section, $0, axis)
            },
            ordered.filter { !shown.contains($0) }.map { $0.name(within: ordered) }
        )
    }

    private static func accuracyAxis(_ cases: [ReportCase]) -> AccuracyAxis {
        AccuracyAxis(
            cases.flatMap { entry in
                [entry.accuracy] + (entry.summary.medianInterval.map { [$0.low, $0.high] } ?? [])
            })
    }

    private static func chart(_ section: ReportSection, _ family: Arm.Family?, _ axis: AccuracyAxis) -> Chart? {
        let shown = section.cases.filter { !$0.isWhole && ($0.arm.family == nil || $0.arm.family == family) }
        var order: [Arm] = []
        for entry in shown where !order.contains(entry.arm) { order.append(entry.arm) }
        let sizes = shown.map(\.kept)
        guard let least = sizes.min(), let most = (sizes + [section.whole?.kept].compactMap { $0 }).max(), least > 0
        else {
            return nil
        }
        let range = least / 1.4...most * 1.4
        var blocks: [String] = []
        var bands: [String] = []
        var lines: [String] = []
        if let whole = section.whole {
            let row = Plot.rows([whole], axis)[0]
            let mark = Mark.of(whole.arm.selection.kind)
            blocks.append(Plot.data("whole", [range.lowerBound, range.upperBound].map { [$0] + row.dropFirst() }))
            bands.append(band("whole", mark))
            lines.append("$whole using 1:2 with lines lc rgb '\(mark.colour)' lw 2 dt \(mark.dash) title 'whole set'")
        }
        for (index, arm) in order.enumerated() {
            let points = shown.filter { $0.arm == arm }.sorted { $0.kept < $1.kept }
            let mark = Mark.of(arm.selection.kind)
            let name = "arm\(index)"
            blocks.append(Plot.data(name, Plot.rows(points, axis)))
            if points.count > 1 {
                bands.append(band(name, mark))
            } else {
                bands.append("$\(name) using 1:2:3:4 with yerrorbars pt 0 lw 1.5 lc rgb '\(mark.colour)' notitle")
            }
            lines.append(
                "$\(name) using 1:2 with linespoints lc rgb '\(mark.colour)' lw 2 pt \(mark.point) ps 0.8 dt \(mark.dash)"
                    + " title \(Plot.quoted(legend(arm, among: order)))")
        }
        let which = family.map { $0.name(within: section.cases.compactMap(\.arm.family)) }
        return Chart(
            name: "accuracy" + (which.map { "-" + Wording.slug($0) } ?? ""),
            title: "Accuracy against size" + (which.map { ", \($0)" } ?? ""),
            caption: "Medians over the runs; bands are 95% bootstrap intervals of the median. Both are on the test set."
                + axis.note,
            description: description(shown, section.whole, order), height: 430,
            commands: blocks + Plot.logarithmic("x", range) + axis.commands("y") + [
                "set xlabel 'images kept'", "set ylabel 'median accuracy, %'",
                "set key below horizontal center samplen 3 width 1",
                "plot " + (bands + lines).joined(separator: ", \\\n"),
            ])
    }

    private static func band(_ name: String, _ mark: Mark) -> String {
        "$\(name) using 1:3:4 with filledcurves lc rgb '\(mark.colour)' fs transparent solid 0.16 noborder notitle"
    }

    private static func legend(_ arm: Arm, among arms: [Arm]) -> String {
        var words = arm.selection.name
        let twins = arms.filter { $0.selection.name == words }
        if Set(twins.map(\.selection.balance)).count > 1 { words += ", balance \(arm.selection.balance.rawValue)" }
        if let clusterings = arm.clusterings { words += ", \(clusterings)" }
        return words
    }

    private static func description(_ shown: [ReportCase], _ whole: ReportCase?, _ arms: [Arm]) -> String {
        var words: [String] = []
        if let whole {
            words.append("The whole set of \(Wording.size(whole.kept)) reaches \(Number.fixed(whole.accuracy, 2))%.")
        }
        for arm in arms {
            let points = shown.filter { $0.arm == arm }.sorted { $0.kept < $1.kept }
            guard let first = points.first, let last = points.last else { continue }
            let name = Wording.sentence(legend(arm, among: arms))
            words.append(
                points.count == 1
                    ? "\(name): \(Number.fixed(first.accuracy, 2))% with \(Wording.size(first.kept)) images."
                    : "\(name): from \(Number.fixed(first.accuracy, 2))% with \(Wording.size(first.kept)) images to"
                        + " \(Number.fixed(last.accuracy, 2))% with \(Wording.size(last.kept)).")
        }
        return words.joined(separator: " ")
    }

    /// Median accuracy against median seconds, a point a case.
    static func accuracyAgainstSeconds(_ section: ReportSection, most: Int) -> Chart? {
        let cases = section.cases.filter { $0.seconds > 0 }
        guard cases.count > 1 else { return nil }
        // Where there are too many, every n-th of each kind; n is odd, so that of the two of use_pca neither is left out.
        let least = (cases.count + most - 1) / most
        let stride = least == 1 ? 1 : least | 1
        var seen: [String: Int] = [:]
        let shown = cases.filter { entry in
            let kind = entry.arm.selection.kind
            defer { seen[kind, default: 0] += 1 }
            return seen[kind, default: 0] % stride == 0
        }
        let axis = AccuracyAxis(shown.map(\.accuracy))
        let seconds = shown.map(\.seconds)
        guard let shortest = seconds.min(), let longest = seconds.max() else { return nil }
        var kinds: [String] = []
        for entry in shown {
            let kind = entry.arm.selection.kind
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        var blocks: [String] = []
        var plots: [String] = []
        // The whole set goes last, over the others.
        let whole = Selection.whole.kind
        for (index, kind) in kinds.enumerated().sorted(by: { $0.element != whole && $1.element == whole }) {
            let points = shown.filter { $0.arm.selection.kind == kind }
            let mark = Mark.of(kind)
            blocks.append(Plot.data("kind\(index)", points.map { [$0.seconds, axis.place($0.accuracy)] }))
            plots.append(
                "$kind\(index) using 1:2 with points lc rgb '\(mark.colour)' lw 1.5 pt \(mark.point)"
                    + " ps \(kind == whole ? 1.8 : 0.9) title \(Plot.quoted(kind))"
            )
        }
        let leftOut =
            stride > 1
            ? " Every \(ordinal(stride)) case of a strategy is drawn, \(shown.count) of \(Number.grouped(Double(cases.count)))."
            : ""
        return Chart(
            name: "accuracy-seconds", title: "Accuracy against seconds",
            caption: "A point a case: median accuracy, and the median of a run's own seconds (its share of selection,"
                + " training and test)." + axis.note + leftOut,
            description: "\(Wording.counted(shown.count, "case")) from \(Wording.seconds(shortest)) to"
                + " \(Wording.seconds(longest)) s a run."
                + (section.whole.map {
                    " The whole set takes \(Wording.seconds($0.seconds)) s for \(Number.fixed($0.accuracy, 2))%."
                } ?? ""),
            height: 420,
            commands: blocks + Plot.logarithmic("x", shortest / 1.3...longest * 1.3) + axis.commands("y") + [
                "set xlabel 'seconds a run'", "set ylabel 'median accuracy, %'",
                "set key below horizontal center samplen 1 width 1", "plot " + plots.joined(separator: ", \\\n"),
            ])
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

extension Arm.Family {
    /// A name that is different for different families.
    var name: String {
        "k \(Number.grouped(Double(clustering.k))), \(clustering.points), \(clustering.kmeans.rawValue),"
            + " quota \(quota.rawValue), balance \(balance.rawValue)"
    }

    /// A name that tells the family from the others by what differs.
    func name(within families: [Arm.Family]) -> String {
        var words = ["k \(Number.grouped(Double(clustering.k)))"]
        if Set(families.map(\.clustering.points)).count > 1 { words.append(clustering.points) }
        if Set(families.map(\.clustering.kmeans)).count > 1 { words.append(clustering.kmeans.rawValue) }
        if Set(families.map(\.quota)).count > 1 { words.append("quota \(quota.rawValue)") }
        if Set(families.map(\.balance)).count > 1 { words.append("balance \(balance.rawValue)") }
        return words.joined(separator: ", ")
    }
}
