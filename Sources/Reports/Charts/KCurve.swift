import Foundation

/// What a sweep over numbers of clusters found, as a picture and as a table.
package struct KCurve: Sendable {
    /// A number of clusters.
    package struct Point: Sendable {
        package var k: Int
        package var inertia: Double
        /// The mean silhouette; nil where there is none.
        package var silhouette: Double?
        /// The adjusted Rand index of two starts.
        package var stability: Double

        /// A point of the curve.
        package init(k: Int, inertia: Double, silhouette: Double?, stability: Double) {
            self.k = k
            self.inertia = inertia
            self.silhouette = silhouette
            self.stability = stability
        }
    }

    /// A picture, or why there is none.
    package enum Drawing: Sendable {
        case drawn(svg: Data, png: Data)
        /// gnuplot is not on the PATH.
        case noGnuplot
        case failed(reason: String)
    }

    private let points: [Point]
    private let chosen: Int

    /// The curve of `points`, of which the one of `chosen` clusters was chosen.
    package init(_ points: [Point], chosen: Int) {
        self.points = points
        self.chosen = chosen
    }

    /// One row per number of clusters.
    package var csv: String {
        let columns: [Column<Point>] = [
            Column("k") { "\($0.k)" }, Column("inertia") { Number.exact($0.inertia) },
            Column("silhouette") { $0.silhouette.map { Number.exact($0) } },
            Column("stability") { Number.exact($0.stability) },
            Column("chosen") { $0.k == chosen ? "True" : "False" },
        ]
        return CSV.table(columns, points)
    }

    /// The picture, drawn by gnuplot in a temporary folder.
    package func draw() async -> Drawing { await draw(by: await Gnuplot()) }

    func draw(by gnuplot: Gnuplot?) async -> Drawing {
        guard let gnuplot else { return .noGnuplot }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("coppice-" + UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let chart = chart
            if case .failed(let reason) = await gnuplot.draw([chart], in: folder)[chart.name] {
                return .failed(reason: reason)
            }
            let files = try ["svg", "png"].map {
                try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(chart.name).\($0)"))
            }
            return .drawn(svg: files[0], png: files[1])
        } catch {
            return .failed(reason: error.localizedDescription)
        }
    }

    /// Silhouette on an axis of its own, which may be a small part of 0 to 1; the others share one.
    var chart: Chart {
        let most = points.map(\.inertia).max() ?? 0
        let rows = points.map { point in
            [
                Double(point.k), point.silhouette ?? .nan, point.stability,
                most > 0 ? point.inertia / most : .nan,
            ]
        }
        let ks = points.map { Double($0.k) }
        let range = (ks.min() ?? 1) / 1.1...(ks.max() ?? 2) * 1.1
        let silhouettes = points.compactMap(\.silhouette)
        let (low, high) = (silhouettes.min() ?? 0, silhouettes.max() ?? 0)
        let margin = max((high - low) * 0.08, 0.005)
        let place = Plot.number(Double(chosen))
        func line(_ axes: String, _ column: Int, _ colour: String, _ dash: String, _ point: Int, _ title: String)
            -> String
        {
            "$sweep using 1:\(column) axes \(axes) with linespoints lc rgb '\(colour)' lw 2 pt \(point) ps 0.6 dt \(dash)"
                + " title \(Plot.quoted(title))"
        }
        return Chart(
            name: "k", title: "Number of clusters",
            caption:
                "Silhouette: left axis. Stability (the adjusted Rand index of two starts) and inertia (as a share of"
                + " the largest): right axis. The vertical line is the chosen k.",
            description: "\(chosen) clusters were chosen of \(points.count) numbers.", width: 640,
            commands: [Plot.data("sweep", rows)] + Plot.logarithmic("x", range)
                + Plot.linear("y", low - margin...high + margin) + [
                    "set border 11", "set ytics nomirror", "set y2tics 0,0.2,1",
                    "set y2range [\(Plot.number(min(0, points.map(\.stability).min() ?? 0))):1.02]",
                    "set xlabel 'clusters k'", "set ylabel 'silhouette'", "set y2label 'stability, inertia'",
                    "set arrow 1 from \(place), graph 0 to \(place), graph 1 nohead lc rgb '\(Palette.red)' lw 1.5 dt (6,4)",
                    "set label 1 \(Plot.quoted("k \(chosen)")) at \(place), graph 0.97 offset 0.6,0 tc rgb '\(Palette.red)'",
                    "set key below horizontal center samplen 3 width 1",
                    "plot "
                        + [
                            line("x1y1", 2, Palette.blue, "solid", 7, "silhouette"),
                            line("x1y2", 3, Palette.orange, "(8,3)", 5, "stability"),
                            line("x1y2", 4, Palette.ink, "(2,4)", 9, "inertia, share of the largest"),
                        ].joined(separator: ", \\\n"),
                ])
    }
}
