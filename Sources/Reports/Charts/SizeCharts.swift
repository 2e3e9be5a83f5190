import Pruning
import Studies

/// Accuracy against size.
enum SizeCharts {
    /// Methods that a picture of lines has room for, beside the whole set and random sets.
    static let mostMethods = 8

    /// What a picture shows beside the baselines.
    private struct Panel {
        /// What tells it from the section's others; nil where there is one.
        let title: String?
        let arms: [Arm]
    }

    /// One picture for each of the section's clusterings, all strategies and the baselines in each, and for methods without
    /// a clustering where they are too many to be in these; `most` of either kind at the most.
    static func accuracyAgainstSize(_ section: ReportSection, most: Int) -> (charts: [Chart], leftOut: [String]) {
        let axis = accuracyAxis(section.cases)
        guard section.cases.contains(where: { !$0.isWhole }) else { return ([], []) }
        let (panels, leftOut) = panels(section, most: most)
        return (panels.compactMap { chart(section, $0, axis) }, leftOut)
    }

    private static func panels(_ section: ReportSection, most: Int) -> (panels: [Panel], leftOut: [String]) {
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
        let arms = section.arms.filter { !$0.isBaseline }
        let free = arms.filter { $0.family == nil }
        let clustered = shown.sorted { ($0.clustering.k, $0.name) < ($1.clustering.k, $1.name) }.map { family in
            (name: family.name(within: ordered), arms: arms.filter { $0.family == family })
        }
        let isTogether = free.count + (clustered.map(\.arms.count).max() ?? 0) <= mostMethods
        if clustered.isEmpty, isTogether { return ([Panel(title: nil, arms: free)], []) }
        var panels: [Panel] = []
        for entry in clustered {
            panels += parts(entry.arms + (isTogether ? free : [])).map { part, arms in
                Panel(title: [entry.name, part].compactMap { $0 }.joined(separator: ", "), arms: arms)
            }
        }
        let rest = isTogether ? [] : parts(free)
        panels += rest.prefix(most).map { part, arms in
            Panel(
                title: clustered.isEmpty
                    ? part : ["without clusters", part].compactMap { $0 }.joined(separator: ", "), arms: arms)
        }
        let leftOut = ordered.filter { !shown.contains($0) }.map { $0.name(within: ordered) }
        return (panels, leftOut + rest.dropFirst(most).flatMap(\.members).map { legend($0, among: arms) })
    }

    /// A list in as few parts as pictures need, of about the same length, each with its number where there are several.
    static func parts<Element>(_ list: [Element]) -> [(title: String?, members: [Element])] {
        let count = max(1, (list.count + mostMethods - 1) / mostMethods)
        return (0..<count).map { part in
            (
                count == 1 ? nil : "part \(part + 1) of \(count)",
                Array(list[list.count * part / count..<list.count * (part + 1) / count])
            )
        }
    }

    private static func accuracyAxis(_ cases: [ReportCase]) -> AccuracyAxis {
        AccuracyAxis(
            cases.flatMap { entry in
                [entry.accuracy] + (entry.summary.medianInterval.map { [$0.low, $0.high] } ?? [])
            })
    }

    private static func chart(_ section: ReportSection, _ panel: Panel, _ axis: AccuracyAxis) -> Chart? {
        let order = section.arms.filter { $0.isBaseline && !$0.selection.isWhole || panel.arms.contains($0) }
        let shown = section.cases.filter { order.contains($0.arm) }
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
            let mark = section.marks[whole.arm]
            blocks.append(Plot.data("whole", [range.lowerBound, range.upperBound].map { [$0] + row.dropFirst() }))
            bands.append(band("whole", mark))
            lines.append("$whole using 1:2 with lines lc rgb '\(mark.colour)' lw 2 dt \(mark.dash) title 'whole set'")
        }
        for (index, arm) in order.enumerated() {
            let points = shown.filter { $0.arm == arm }.sorted { $0.kept < $1.kept }
            let mark = section.marks[arm]
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
        let key = Plot.key((section.whole == nil ? [] : ["whole set"]) + order.map { legend($0, among: order) })
        return Chart(
            name: "accuracy" + (panel.title.map { "-" + Wording.slug($0) } ?? ""),
            title: "Accuracy against size" + (panel.title.map { ", \($0)" } ?? ""),
            caption: "Medians over the runs; bands are 95% bootstrap intervals of the median. Both are on the test set."
                + axis.note,
            description: description(shown, section.whole, order), height: 430 + key.height,
            commands: blocks + Plot.logarithmic("x", range) + axis.commands("y") + [
                "set xlabel '\(shown.first?.units ?? "samples") kept'", "set ylabel 'median accuracy, %'", key.command,
                "plot " + (bands + lines).joined(separator: ", \\\n"),
            ])
    }

    private static func band(_ name: String, _ mark: Mark) -> String {
        "$\(name) using 1:3:4 with filledcurves lc rgb '\(mark.colour)' fs transparent solid 0.16 noborder notitle"
    }

    private static func legend(_ arm: Arm, among arms: [Arm]) -> String {
        var words = arm.name
        let twins = arms.filter { $0.name == words }
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
                    ? "\(name): \(Number.fixed(first.accuracy, 2))% with \(Wording.size(first.kept)) \(first.units)."
                    : "\(name): from \(Number.fixed(first.accuracy, 2))% with \(Wording.size(first.kept)) \(first.units) to"
                        + " \(Number.fixed(last.accuracy, 2))% with \(Wording.size(last.kept)).")
        }
        return words.joined(separator: " ")
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
