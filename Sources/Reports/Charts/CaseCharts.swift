import Studies

/// Pictures with one row per case: the whole set and the most accurate of the others.
enum CaseCharts {
    /// The cases that have a row, the whole set first, then by falling median accuracy.
    static func rows(_ section: ReportSection, most: Int) -> (rows: [ReportCase], leftOut: Int) {
        let others = section.cases.filter { !$0.isWhole }
            .sorted { ($1.accuracy, $0.summary.experiment.id) < ($0.accuracy, $1.summary.experiment.id) }
        let whole = section.cases.filter(\.isWhole).prefix(1)
        return (Array(whole + others.prefix(most)), max(0, others.count - most))
    }

    /// The article's bars: median accuracy and median time, the whole set in red; and every run as a dot.
    static func charts(_ section: ReportSection, most: Int) -> [Chart] {
        let (rows, leftOut) = rows(section, most: most)
        guard !rows.isEmpty else { return [] }
        let which =
            leftOut == 0
            ? ""
            : " The \(most) most accurate cases of \(Number.grouped(Double(most + leftOut))) are shown, which is partly their luck; the table has all."
        return [accuracyBars(rows, which), secondsBars(rows, which), dots(rows, which)]
    }

    private static func accuracyBars(_ rows: [ReportCase], _ which: String) -> Chart {
        let bars = rows.map { entry -> Bar in
            Bar(
                entry, value: entry.accuracy, text: Number.fixed(entry.accuracy, 2),
                interval: entry.summary.medianInterval)
        }
        return chart(
            "bars-accuracy", "Median accuracy", bars,
            caption: "Bars begin at zero; the thin line on a bar is the 95% interval of its median." + which,
            axis: ["set xrange [0:118]", "set xtics 0,25,100", "set xlabel 'median accuracy, %'"])
    }

    private static func secondsBars(_ rows: [ReportCase], _ which: String) -> Chart {
        let bars = rows.map { Bar($0, value: $0.seconds, text: Wording.seconds($0.seconds), interval: nil) }
        let longest = max(bars.map(\.value).max() ?? 1, 1e-3)
        return chart(
            "bars-seconds", "Median time", bars,
            caption:
                "Seconds per run: its share of the selection, of the training that it shared with others, and of the"
                + " test." + which,
            axis: Plot.linear("x", 0...longest * 1.22) + ["set xlabel 'median seconds per run'"])
    }

    private struct Bar {
        let entry: ReportCase
        let value: Double
        let text: String
        let interval: Interval?

        init(_ entry: ReportCase, value: Double, text: String, interval: Interval?) {
            self.entry = entry
            self.value = value
            self.text = text
            self.interval = interval
        }
    }

    private static func chart(
        _ name: String, _ title: String, _ bars: [Bar], caption: String, axis: [String]
    ) -> Chart {
        var blocks: [String] = []
        var plots: [String] = []
        for (name, isWhole) in [("whole", true), ("cases", false)] {
            let rows = bars.enumerated().filter { $0.element.entry.isWhole == isWhole }.map { row, bar -> [Double] in
                let y = Double(row)
                return [
                    0, y, 0, bar.value, y - 0.34, y + 0.34, bar.interval?.low ?? .nan, bar.interval?.high ?? .nan,
                ]
            }
            guard !rows.isEmpty else { continue }
            blocks.append(Plot.data(name, rows))
            let colour = isWhole ? Palette.red : Palette.blue
            plots.append(
                "$\(name) using 1:2:3:4:5:6 with boxxyerror fs solid 0.85 noborder lc rgb '\(colour)' notitle")
            if rows.contains(where: { !$0[6].isNaN }) {
                plots.append("$\(name) using 4:2:7:8 with xerrorbars pt 0 lw 1.5 lc rgb '\(Palette.ink)' notitle")
            }
        }
        // Beyond the interval, so that nothing crosses the figures.
        let labels = bars.enumerated().map { row, bar in
            "set label \(Plot.quoted(bar.text)) at \(Plot.number(max(bar.value, bar.interval?.high ?? 0))),\(row)"
                + " left offset 0.7,0 font ',11' tc rgb '\(Palette.ink)'"
        }
        return Chart(
            name: name, title: title, caption: caption,
            description: bars.map { "\($0.entry.label): \($0.text)" }.joined(separator: "; ") + ".",
            height: 74 + 19 * bars.count,
            commands: blocks + frame(bars.map(\.entry)) + axis + labels + ["plot " + plots.joined(separator: ", \\\n")])
    }

    /// Rows from the top down, each with its case's name.
    private static func frame(_ rows: [ReportCase]) -> [String] {
        // gnuplot leaves more room for names than they take.
        let longest = Double(rows.map(\.label.count).max() ?? 0)
        return [
            "set lmargin at screen \(Plot.number(min(0.65, (16 + 6.5 * longest) / 560)))", "unset key",
            "set grid noytics xtics", "set border 1", "set yrange [\(rows.count):-1]",
            "set ytics scale 0 font ',11'",
            Plot.tics("y", rows.enumerated().map { (Double($0.offset), $0.element.label) }),
        ]
    }

    private static func dots(_ rows: [ReportCase], _ which: String) -> Chart {
        let axis = AccuracyAxis(rows.flatMap(\.summary.accuracies))
        var blocks: [String] = []
        var plots: [String] = []
        let medians = rows.enumerated().map { row, entry in
            [axis.place(entry.accuracy), Double(row) - 0.36, axis.place(entry.accuracy), Double(row) + 0.36]
        }
        blocks.append(Plot.data("medians", medians))
        for (name, isWhole) in [("whole", true), ("cases", false)] {
            let points = rows.enumerated().filter { $0.element.isWhole == isWhole }.flatMap { row, entry in
                entry.summary.accuracies.map { [axis.place($0), Double(row)] }
            }
            guard !points.isEmpty else { continue }
            blocks.append(Plot.data(name, points))
            plots.append(
                "$\(name) using 1:2 with points pt \(isWhole ? 13 : 7) ps \(isWhole ? 1 : 0.7)"
                    + " lc rgb '\(isWhole ? Palette.red : Palette.blue)' notitle")
        }
        plots.append(
            "$medians using 1:2:($3-$1):($4-$2) with vectors nohead lw 2 lc rgb '\(Palette.ink)' notitle")
        return Chart(
            name: "runs", title: "Every run", caption: "A dot per run, a line at each median." + axis.note + which,
            description: rows.map { entry in
                let values = entry.summary.accuracies
                return "\(entry.label): \(Wording.counted(values.count, "run")) from"
                    + " \(Number.fixed(values.min() ?? 0, 2)) to \(Number.fixed(values.max() ?? 0, 2))%"
            }.joined(separator: "; ") + ".",
            height: 74 + 19 * rows.count,
            commands: blocks + frame(rows) + axis.commands("x") + [
                "set xlabel 'accuracy, %'", "plot " + plots.joined(separator: ", \\\n"),
            ])
    }
}
