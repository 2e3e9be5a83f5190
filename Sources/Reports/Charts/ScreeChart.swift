import Studies

/// How much of a data set's variance the principal components hold.
enum ScreeChart {
    /// The picture for the variances of a set's first components; nil where there is no variance.
    /// - Parameters:
    ///   - variances: largest first.
    ///   - total: the variance of all dimensions.
    static func chart(dataset: String, variances: [Double], total: Double) -> Chart? {
        guard total > 0, !variances.isEmpty else { return nil }
        var sum = 0.0
        let rows = variances.enumerated().map { index, variance in
            sum += variance
            return [Double(index + 1), 100 * variance / total, 100 * sum / total]
        }
        let all = Number.fixed(100 * sum / total, 1)
        let highest = max(rows[0][1] * 1.1, 1e-6)
        return Chart(
            name: "scree-" + Wording.slug(dataset), title: "Principal components of \(dataset)",
            caption: "Bars, left axis: a component's share of the variance. Line, right axis: the sum so far;"
                + " \(Wording.counted(rows.count, "component")) hold \(all)%.",
            description: "The first component holds \(Number.fixed(rows[0][1], 1))% of the variance, the first"
                + " \(rows.count) together \(all)%.",
            commands: [
                Plot.data("scree", rows), "unset key", "set border 11", "set ytics nomirror", "set y2tics 0,20,100",
                "set y2range [0:105]", "set yrange [0:\(Plot.number(highest))]",
                "set xrange [0.3:\(Plot.number(Double(rows.count) + 0.7))]", "set xlabel 'component'",
                "set ylabel 'share of the variance, %'", "set y2label 'sum, %'",
                "plot $scree using 1:2:(0.8) with boxes fs solid 0.85 noborder lc rgb '\(Palette.blue)' notitle, \\\n"
                    + "$scree using 1:3 axes x1y2 with linespoints pt 7 ps 0.5 lw 2 lc rgb '\(Palette.ink)' notitle",
            ])
    }
}
