import Studies

/// The overlaps of a section's selections as HTML, a square of cells for each size.
enum OverlapTable {
    /// What the page holds of a section; nil where no two cases of one size are there.
    /// - Parameter overlaps: those of the section, from the smallest size.
    static func contents(_ overlaps: [SelectionOverlaps]) -> PageContents.Overlaps? {
        guard !overlaps.isEmpty else { return nil }
        // Of many sizes some from the smallest to the largest.
        let most = StudyReport.Limits.overlapSizes
        let shown =
            overlaps.count > most
            ? (0..<most).map { overlaps[$0 * (overlaps.count - 1) / (most - 1)] } : overlaps
        var notes: [String] = []
        if overlaps.count > most {
            notes.append("For want of room \(most) of \(overlaps.count) sizes are shown; overlaps.csv has the others.")
        }
        if overlaps.contains(where: { $0.leftOut > 0 }) {
            notes.append(
                "Of more than \(SelectionOverlaps.Limits.cases) cases of one size the most accurate are compared.")
        }
        if overlaps.contains(where: { $0.cases.contains { $0.summary.records.count > SelectionOverlaps.Limits.runs } })
        {
            notes.append("Only the first \(SelectionOverlaps.Limits.runs) runs are compared.")
        }
        return PageContents.Overlaps(
            title: overlaps[0].section.title, note: notes.isEmpty ? nil : notes.joined(separator: " "),
            sizes: shown.map(size))
    }

    private static func size(_ overlaps: SelectionOverlaps) -> PageContents.Overlaps.Size {
        let most = StudyReport.Limits.overlapCases
        let shown = Set(SelectionOverlaps.mostAccurate(overlaps.cases, most).map(\.summary.experiment.id))
        let places = overlaps.cases.indices.filter { shown.contains(overlaps.cases[$0].summary.experiment.id) }
        let all = overlaps.cases.count + overlaps.leftOut
        let byChance = byChance(overlaps)
        let label = Wording.counted(overlaps.size, overlaps.cases.first?.summary.experiment.unit ?? "sample")
        var caption = "\(label) per case"
        if let byChance { caption += "; two random sets overlap by \(text(byChance, like: byChance))" }
        caption += "."
        if all > places.count {
            caption +=
                " The \(places.count) most accurate of \(Number.grouped(Double(all))) cases are shown; overlaps.csv has"
                + (overlaps.leftOut > 0 ? " more." : " all.")
        }
        var rows = ""
        for (number, row) in places.enumerated() {
            rows += "<tr><th scope=\"row\">\(number + 1) \(Wording.escaped(overlaps.cases[row].name))</th>"
            for column in places { rows += cell(overlaps[row, column], like: byChance) }
            rows += "</tr>\n"
        }
        return PageContents.Overlaps.Size(
            caption: caption, label: label,
            columns: (1...places.count).map(String.init),
            rows: rows)
    }

    /// The Jaccard index of two uniform draws of s of n samples that have s^2 / n in common; nil where n is not known.
    private static func byChance(_ overlaps: SelectionOverlaps) -> Double? {
        guard let whole = overlaps.section.whole?.kept, whole >= Double(overlaps.size) else { return nil }
        return Double(overlaps.size) / (2 * whole - Double(overlaps.size))
    }

    private static func cell(_ pair: SelectionOverlaps.Pair?, like chance: Double?) -> String {
        guard let mean = pair?.mean else { return "<td></td>" }
        let level = [0.75, 0.5, 0.25, 0.1].firstIndex { mean >= $0 }.map { 4 - $0 } ?? 0
        return (level > 0 ? "<td class=\"overlap\(level)\">" : "<td>") + "\(text(mean, like: chance ?? 1))</td>"
    }

    /// Two decimals, and three where chance would leave nothing in two.
    private static func text(_ value: Double, like chance: Double) -> String {
        Number.fixed(value, chance < 0.05 ? 3 : 2)
    }
}
