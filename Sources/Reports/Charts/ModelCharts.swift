import Foundation
import Studies

/// The cost of pruning by model: a picture per selection, all on one axis, and in each a line per model.
enum ModelCharts {
    /// The most pictures.
    private static let most = 12
    /// The width of the plot, and of a letter, in pixels.
    private static let (width, letter) = (480.0, 7.0)

    /// The pictures of a comparison, and the names of the cases left out for lack of room.
    static func charts(_ comparison: ModelComparison) -> (charts: [Chart], leftOut: [String]) {
        let lines = comparison.lines.filter { !points($0, comparison).isEmpty }
        let shown = lines.prefix(most)
        let sizes = Set(shown.flatMap(\.sizes)).sorted()
        let axis = DifferenceAxis(
            shown.flatMap { points($0, comparison).flatMap { $0.rows.flatMap { $0.dropFirst() } } })
        var taken: Set<String> = []
        let charts = shown.enumerated().map { place, line in
            let slug = Wording.slug(line.name)
            // Names that differ in signs alone have one slug.
            let name = taken.insert(slug).inserted ? slug : "\(slug)-case\(place + 1)"
            return chart(comparison, line, sizes, axis, name: "models-\(name)")
        }
        return (charts, lines.dropFirst(most).map(\.name))
    }

    /// The points of each model that has any: size, difference, and the bounds of its interval. Comparisons in which a
    /// run diverged are left out.
    private static func points(
        _ line: ModelComparison.Line, _ comparison: ModelComparison
    ) -> [(section: Int, rows: [[Double]])] {
        comparison.sections.indices.compactMap { section in
            let rows = line.sizes.compactMap { size -> [Double]? in
                guard let found = line.comparison(size: size, section: section), found.isDecidable,
                    let mean = found.difference
                else { return nil }
                return [Double(size), mean, found.interval95?.low ?? mean, found.interval95?.high ?? mean]
            }
            return rows.isEmpty ? nil : (section, rows)
        }
    }

    /// - Parameter sizes: those of all pictures, whose axes are the same.
    private static func chart(
        _ comparison: ModelComparison, _ line: ModelComparison.Line, _ sizes: [Int], _ axis: DifferenceAxis,
        name: String
    ) -> Chart {
        let models = comparison.models
        // Sizes are spaced by their logarithms; a few stay clear of the edges.
        let margin = sizes.count > 3 ? 0.12 : 0.22
        let (least, most) = (log(Double(sizes.first ?? 1)), log(Double(sizes.last ?? 1)))
        func place(_ size: Double) -> Double {
            most > least ? margin + (1 - 2 * margin) * (log(size) - least) / (most - least) : 0.5
        }
        let places = sizes.map { place(Double($0)) }
        let gap = zip(places, places.dropFirst()).map { $1 - $0 }.min() ?? 0.76
        // Side by side, so that intervals do not hide each other.
        let step = min(0.03, 0.6 * gap / Double(models.count))
        var blocks: [String] = []
        var bars: [String] = []
        var plots: [String] = []
        let points = points(line, comparison)
        for (section, rows) in points {
            let data = "model\(section)"
            let shift = step * (Double(section) - Double(models.count - 1) / 2)
            let mark = comparison.marks[models[section]]
            blocks.append(Plot.data(data, rows.map { [place($0[0]) + shift] + $0.dropFirst().map(axis.place) }))
            bars.append("$\(data) using 1:2:3:4 with yerrorbars pt 0 lw 1.5 lc rgb '\(mark.colour)' notitle")
            plots.append(
                "$\(data) using 1:2 with linespoints lc rgb '\(mark.colour)' lw 1.5 pt \(mark.point) ps 0.9"
                    + " dt \(mark.dash) title \(Plot.quoted(models[section]))")
        }
        let key = Plot.key(points.map { models[$0.section] })
        let cases = line.cases.values.flatMap(\.values)
        let units = cases.first?.units ?? "samples"
        let isKept = cases.allSatisfy { $0.kept == Double($0.summary.experiment.size) }
        return Chart(
            name: name, title: "Cost of pruning by model, \(line.name)",
            caption:
                "Mean paired differences from the whole set of the same model in percentage points, with 95% intervals:"
                + " below zero, pruning costs accuracy. Points of one size lie side by side; the pictures of all selections"
                + " have the same axes."
                + (comparison.hasDiverged ? " Comparisons in which a run diverged have no point." : "") + axis.note,
            description: description(comparison, line, units), height: 430 + key.height,
            commands: blocks + axis.commands + [
                "set tmargin 2.5", "set xrange [0:1]", tics(sizes, places),
                "set xzeroaxis lt 1 lw 1 lc rgb '\(Palette.ink)'",
                "set label \(Plot.quoted(line.name)) at graph 0.5, graph 1.05 center tc rgb '\(Palette.ink)'",
                "set xlabel '\(units) \(isKept ? "kept" : "asked for")'",
                "set ylabel 'difference from the whole set, points'", key.command,
                "plot " + (bars + plots).joined(separator: ", \\\n"),
            ])
    }

    /// The sizes, without those whose labels would touch the one before.
    private static func tics(_ sizes: [Int], _ places: [Double]) -> String {
        var shown: [(place: Double, label: String)] = []
        var end = -Double.infinity
        for (size, place) in zip(sizes, places) {
            let label = Wording.size(Double(size))
            let half = (Double(label.count) * letter / 2 + 3) / width
            guard place - half >= end else { continue }
            end = place + half
            shown.append((place, label))
        }
        return Plot.tics("x", shown)
    }

    private static func description(
        _ comparison: ModelComparison, _ line: ModelComparison.Line, _ units: String
    ) -> String {
        "\(Wording.sentence(line.name)): "
            + points(line, comparison).map { section, rows in
                "\(comparison.models[section]) "
                    + Wording.list(rows.map { "\(Wording.signed($0[1])) with \(Wording.size($0[0])) \(units)" })
            }.joined(separator: "; ") + "."
    }
}

/// An axis of differences in percentage points. If the largest are many times as large as most, it is compressed away
/// from zero, so that small differences stay visible; its labels are always differences.
struct DifferenceAxis: Sendable {
    let isCompressed: Bool
    private let scale: Double
    private let low: Double
    private let high: Double

    /// An axis on which zero and all `differences` have room.
    init(_ differences: [Double]) {
        let magnitudes = differences.map(\.magnitude).sorted()
        let median = magnitudes.isEmpty ? 0 : magnitudes[magnitudes.count / 2]
        scale = max(0.1, median / 2)
        isCompressed = (magnitudes.last ?? 0) > 6 * max(0.1, median)
        low = min(0, differences.min() ?? 0)
        high = max(0, differences.max() ?? 0)
    }

    /// The position of a difference on the axis, in gnuplot's units.
    func place(_ difference: Double) -> Double { isCompressed ? asinh(difference / scale) : difference }

    /// The commands that set the y axis up.
    var commands: [String] {
        let margin = max((place(high) - place(low)) * 0.08, isCompressed ? 0.1 : 0.05)
        let range = place(low) - margin...place(high) + margin
        guard isCompressed else { return Plot.linear("y", range) }
        let steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
        var shown = [0.0]
        // From zero outwards on both sides; of two that would touch, the nearer to zero.
        for sign in [-1.0, 1] {
            var last = 0.0
            for step in steps where range.contains(place(sign * step)) {
                guard place(step) - place(last) >= 0.07 * (range.upperBound - range.lowerBound) else { continue }
                shown.append(sign * step)
                last = step
            }
        }
        return [
            "set yrange [\(Plot.number(range.lowerBound)):\(Plot.number(range.upperBound))]",
            Plot.tics("y", shown.sorted().map { (place($0), Number.exact($0)) }),
        ]
    }

    /// The caption's note on a compressed axis; otherwise empty.
    var note: String {
        isCompressed ? " The axis is compressed away from zero (by the inverse hyperbolic sine)." : ""
    }
}
