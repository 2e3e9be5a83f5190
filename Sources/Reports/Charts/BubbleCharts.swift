import Foundation
import Pruning
import Studies

/// Size against number of clusters, one bubble per case.
enum BubbleCharts {
    /// A picture for each selection that was tried with more than one k, `most` at the most.
    static func charts(_ section: ReportSection, most: Int) -> (charts: [Chart], leftOut: [String]) {
        var kinds: [Kind] = []
        let clustered = section.cases.filter { $0.arm.clustering != nil }
        for entry in clustered {
            let kind = Kind(entry.arm)
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        kinds = kinds.filter { kind in
            Set(clustered.filter { Kind($0.arm) == kind }.compactMap(\.arm.clustering?.k)).count > 1
        }
        let scale = Scale(clustered.map(\.accuracy))
        let charts = kinds.prefix(most).map { kind in
            let cases = clustered.filter { Kind($0.arm) == kind }
            let colour = cases.first.map { section.marks[$0.arm].colour } ?? Palette.ink
            return chart(cases, kind, colour: colour, scale, among: kinds)
        }
        return (charts, kinds.dropFirst(most).map { $0.name(among: kinds) })
    }

    /// A selection with what must be alike for its cases to lie in one plane.
    private struct Kind: Hashable {
        let selection: Selection
        /// What is clustered, and how.
        let points: String?
        let kmeans: KMeansKind?
        let clusterings: String?

        init(_ arm: Arm) {
            selection = arm.selection
            points = arm.clustering?.points
            kmeans = arm.clustering?.kmeans
            clusterings = arm.clusterings
        }

        func name(among kinds: [Kind]) -> String {
            var words = [selection.name]
            if let points, Set(kinds.map(\.points)).count > 1 { words.append(points) }
            if let kmeans, Set(kinds.map(\.kmeans)).count > 1 { words.append(kmeans.rawValue) }
            if Set(kinds.map(\.selection.quota)).count > 1 { words.append("quota \(selection.quota.rawValue)") }
            if Set(kinds.map(\.selection.balance)).count > 1 { words.append("balance \(selection.balance.rawValue)") }
            if let clusterings { words.append(clusterings) }
            return words.joined(separator: ", ")
        }
    }

    /// A bubble's size for an accuracy, the same in all of a section's pictures.
    private struct Scale {
        let axis: AccuracyAxis
        let low: Double
        let high: Double

        init(_ accuracies: [Double]) {
            axis = AccuracyAxis(accuracies)
            low = accuracies.min() ?? 0
            high = accuracies.max() ?? 100
        }

        /// A point size from a seventh of `largest` to `largest`.
        func radius(_ accuracy: Double, largest: Double) -> Double {
            func place(_ accuracy: Double) -> Double {
                let place = axis.place(accuracy)
                return axis.isLogarithmic ? -log(place) : place
            }
            let span = place(high) - place(low)
            return largest * (1 + 6 * (span > 0 ? (place(accuracy) - place(low)) / span : 1)) / 7
        }
    }

    private static func chart(_ cases: [ReportCase], _ kind: Kind, colour: String, _ scale: Scale, among kinds: [Kind])
        -> Chart
    {
        let name = kind.name(among: kinds)
        let ks = Array(Set(cases.compactMap(\.arm.clustering?.k))).sorted()
        let sizes = cases.map(\.kept)
        // Requested sizes make columns; the article's quota may keep a little less for some k.
        let range = (sizes.min() ?? 1) / 1.9...(sizes.max() ?? 1) * 1.9
        let height = 110 + 66 * max(2, min(ks.count, 8))
        // Neighbours must not hide each other: a point of size 1 is ten pixels wide, and the plot about 450.
        let columns = Array(Set(sizes)).sorted()
        let decades = log(range.upperBound / range.lowerBound)
        let closest =
            zip(columns, columns.dropFirst()).map { log($1 / $0) / decades * 450 }.filter { $0 > 6 }.min() ?? 450
        let largest = min(3.8, max(0.8, 0.095 * min(closest, Double(height - 90) / (Double(ks.count) + 0.2))))
        let points = cases.map { entry in
            [
                entry.kept, Double(ks.firstIndex(of: entry.arm.clustering?.k ?? 0) ?? 0),
                scale.radius(entry.accuracy, largest: largest),
            ]
        }
        // Figures in bubbles that are many would lie on each other.
        let labels =
            cases.count > 48
            ? []
            : zip(cases, points).map { entry, point in
                "set label '\(Number.fixed(entry.accuracy, 1))' at \(Plot.number(point[0])),\(Plot.number(point[1]))"
                    + " center font ',10' front offset 0,-1.55 tc rgb '\(Palette.ink)'"
            }
        return Chart(
            name: "bubbles-" + Wording.slug(name), title: "Size and number of clusters: \(name)",
            caption: "One bubble per case; the larger, the more accurate, from \(Number.fixed(scale.low, 2)) to"
                + " \(Number.fixed(scale.high, 2))%"
                + (scale.axis.isLogarithmic ? ", by the logarithm of the error rate" : "")
                + (labels.isEmpty ? "." : "; the figure below a bubble is its median accuracy."),
            description: cases.map {
                "k \($0.arm.clustering?.k ?? 0), \(Wording.size($0.kept)) \($0.units): \(Number.fixed($0.accuracy, 2))%"
            }
            .joined(separator: "; ") + ".",
            height: height,
            commands: [Plot.data("points", points)] + Plot.logarithmic("x", range) + labels + [
                "unset key", "set yrange [-0.7:\(Plot.number(Double(ks.count) - 0.5))]",
                "set xlabel '\(cases.first?.units ?? "samples") kept'",
                "set ylabel 'clusters, k'",
                Plot.tics("y", ks.enumerated().map { (Double($0.offset), Number.grouped(Double($0.element))) }),
                "plot $points using 1:2:3 with points pt 7 ps variable lc rgb '\(colour)' notitle",
            ])
    }
}
