import Networks
import Pruning
import Studies

/// The sensitivity of the answer to the number of clusters k, or to the dimensions d of PCA or of an autoencoder's
/// code, if a study tried several with everything else equal.
struct Sensitivity: Sendable {
    /// What changes.
    enum Setting: String, CaseIterable, Sendable {
        case k, d

        var other: Setting { self == .k ? .d : .k }
    }

    /// A value of the setting. They are ordered by size, and the samples' own values come before any d.
    struct Value: Hashable, Comparable, Sendable {
        let setting: Setting
        /// Nil for the samples' own values.
        let number: Int?

        /// The value of a case; nil where it has none, as a case without clusters has no k.
        init?(_ setting: Setting, of experiment: Experiment) {
            self.setting = setting
            switch setting {
            case .k:
                guard let k = experiment.clustering?.k ?? experiment.scoring?.parameters.k else { return nil }
                number = k
            case .d:
                switch experiment.embedding {
                // Their size cannot be changed alone.
                case .lenet5, .own, nil: return nil
                case let embedding?: number = embedding.size
                }
            }
        }

        static func < (left: Value, right: Value) -> Bool { (left.number ?? 0) < (right.number ?? 0) }

        /// As a column has it.
        var text: String { number.map { Number.grouped(Double($0)) } ?? "no PCA" }
        /// As a sentence has it.
        var phrase: String { number == nil ? text : "\(setting.rawValue) \(text)" }
    }

    /// A case of a series.
    struct Point: Sendable {
        let value: Value
        let entry: ReportCase
        /// Against the series' first case; nil for that one, and where no run is in both.
        let contrast: Contrast?
    }

    /// Cases that differ in the setting alone.
    struct Series: Sendable {
        /// What they have in common, without the size.
        let name: String
        /// The size asked for.
        let size: Int
        /// The value of the other setting; nil without one.
        let other: Value?
        let points: [Point]

        /// The name with the size.
        var label: String { "\(name), \(Wording.size(Double(size)))" }
    }

    /// Embeddings that differ only in their number of dimensions.
    private enum Space: Hashable {
        /// The samples' own values, and their projections by PCA.
        case linear
        case autoencoder(epochs: Int)
        case lenet5(epochs: Int)
        case own(String, epochs: Int)

        /// - Returns: nil for a case without points.
        init?(_ experiment: Experiment) {
            switch experiment.embedding {
            case nil: return nil
            case .pixels, .pca: self = .linear
            case .autoencoder(_, let epochs): self = .autoencoder(epochs: epochs)
            case .lenet5(let epochs): self = .lenet5(epochs: epochs)
            case .own(let autoencoder, let epochs): self = .own(autoencoder.model.name, epochs: epochs)
            }
        }

        /// The part of a name for it; nil if names omit it.
        var words: String? {
            switch self {
            case .linear: nil
            case .autoencoder(let epochs): "autoencoder, \(Wording.counted(epochs, "epoch"))"
            case .lenet5(let epochs): "lenet5, \(Wording.counted(epochs, "epoch"))"
            case .own(let name, let epochs): "\(name), \(Wording.counted(epochs, "epoch"))"
            }
        }
    }

    let setting: Setting
    private let spaces: Set<Space>
    /// In the order of their first experiments; never empty.
    let series: [Series]
    /// How the methods of the report are drawn.
    let marks: Marks
    /// The fewest runs that could call a case better or worse here.
    private let fewestPairs: Int

    /// What a section shows of each setting that has several values in it.
    static func all(_ section: ReportSection) -> [Sensitivity] {
        Setting.allCases.compactMap { Sensitivity($0, section) }
    }

    /// Everything that must be equal.
    private struct Key: Hashable {
        let selection: Selection
        let size: Int
        let other: Value?
        let space: Space?
        let kmeans: KMeansKind?
        let score: AnyHashable?
        let scoreSeeds: Int?
        let dynamics: DynamicsRecipe?
        let pruning: DynamicPruning?
        let clusteringSeeds: Int
        let tuned: [[TuningCandidate.Value]]

        init(_ experiment: Experiment, without setting: Setting) {
            selection = experiment.selection
            size = experiment.size
            other = Value(setting.other, of: experiment)
            space = Space(experiment)
            kmeans = experiment.clustering?.kmeans
            score = experiment.scoring?.settingsBesideK
            scoreSeeds = experiment.scoring?.seeds
            dynamics = experiment.dynamics
            pruning = experiment.recipe.dynamic
            clusteringSeeds = experiment.clusteringSeeds
            tuned = experiment.candidates.map(\.values)
        }
    }

    private init?(_ setting: Setting, _ section: ReportSection) {
        self.setting = setting
        marks = section.marks
        var order: [Key] = []
        var groups: [Key: [Value: ReportCase]] = [:]
        for entry in section.cases {
            let experiment = entry.summary.experiment
            guard let value = Value(setting, of: experiment) else { continue }
            let key = Key(experiment, without: setting)
            if groups[key] == nil { order.append(key) }
            // Of equal cases the first serves.
            if groups[key]?[value] == nil { groups[key, default: [:]][value] = entry }
        }
        order = order.filter { (groups[$0]?.count ?? 0) > 1 }
        guard !order.isEmpty else { return nil }
        let sorted = order.map { (groups[$0] ?? [:]).sorted { $0.key < $1.key } }
        let pairs = sorted.flatMap { cases in
            cases.dropFirst().map { (one: $0.value.summary, other: cases[0].value.summary) }
        }
        let all = Contrast.all(pairs)
        fewestPairs = Comparison.fewestPairs(tests: all.count { $0 != nil })
        var contrasts = all[...]
        let others = Set(order.map(\.other)).count > 1
        let kinds = Set(order.map(\.kmeans)).count > 1
        spaces = Set(order.compactMap(\.space))
        let spaces = spaces
        series = zip(order, sorted).map { key, cases in
            let points = cases[0].value.summary.experiment.scoring?.points
            var words = [Self.name(cases[0].value.arm, without: points)]
            if spaces.count > 1, let space = key.space?.words { words.append(space) }
            if others, let other = key.other { words.append(other.phrase) }
            if kinds, let kmeans = key.kmeans { words.append(kmeans.rawValue) }
            return Series(
                name: words.joined(separator: ", "), size: key.size, other: key.other,
                points: cases.enumerated().map { place, entry in
                    Point(
                        value: entry.key, entry: entry.value,
                        contrast: place == 0 ? nil : contrasts.popFirst().flatMap { $0 })
                })
        }
    }

    /// The method without its k, its d and its points, which tell scores apart.
    private static func name(_ arm: Arm, without points: String?) -> String {
        let words = arm.settings.map { $0.split(separator: ", ").map(String.init) } ?? []
        let kept = words.filter {
            $0 != points && !$0.hasPrefix("k ") && !$0.hasPrefix("PCA ") && !$0.hasPrefix("autoencoder ")
                && !$0.hasPrefix("lenet5 ")
                && !["pixels", "features"].contains($0)
        }
        let selection = Wording.method(arm.selection.name, needsWholeSet: arm.selection.resamples)
        return ([selection] + kept + [arm.clusterings, arm.dynamic].compactMap { $0 }).joined(separator: ", ")
    }

    /// The setting in words, in the middle of a sentence.
    private var phrase: String {
        if setting == .k { return "the number of clusters k" }
        return "the dimensions d " + (spaces == [.linear] ? "that PCA leaves" : "of the embedding")
    }

    /// The contrasts that there are, with their series and points.
    private var contrasts: [(series: Series, point: Point, contrast: Contrast)] {
        series.flatMap { series in
            series.points.compactMap { point in point.contrast.map { (series, point, $0) } }
        }
    }

    // MARK: - In words

    /// Whether the answer depends on the setting, as far as the tests say.
    var sentences: [String] {
        let contrasts = contrasts
        guard !contrasts.isEmpty else {
            return ["No run is in two cases that differ in \(phrase) alone."]
        }
        let differing = contrasts.filter { [.better, .worse].contains(verdict($0.contrast)) }
        let count = contrasts.count
        let verdicts = contrasts.map { verdict($0.contrast) }
        func counted(_ verdict: Verdict) -> Int { verdicts.count { $0 == verdict } }
        let margins = Set(series.flatMap { $0.points.map(\.entry.summary.experiment.equalWithin) }).sorted()
        let margin = "\u{B1}\(Wording.list(margins.map(Number.exact))) points"
        let all =
            count == 1
            ? "the one comparison"
            : count == 2 ? "both comparisons" : "all \(Number.grouped(Double(count))) comparisons"
        if counted(.equal) == count {
            return [
                "No difference by \(phrase) was found: \(all) came out equal within \(margin), each judged on its own."
            ]
        }
        var parts: [String] = []
        if !differing.isEmpty { parts.append("\(differing.count) differ\(differing.count == 1 ? "s" : "")") }
        for (verdict, words) in [
            (Verdict.equal, "equal within \(margin)"), (.notDecided, "not decided"), (.diverged, "with a diverged run"),
        ] where counted(verdict) > 0 {
            parts.append("\(counted(verdict)) \(counted(verdict) == 1 ? "is" : "are") \(words)")
        }
        let lead =
            differing.isEmpty
            ? "These runs do not decide whether the accuracy depends on \(phrase)"
            : "The accuracy depends on \(phrase)"
        let shown = differing.prefix(4).map { item in
            "\(item.series.label): \(Wording.signed(item.contrast.difference)) points with \(item.point.value.phrase) instead"
                + " of \(item.series.points[0].value.phrase)"
        }
        let more = differing.count > shown.count ? ["\(differing.count - shown.count) more"] : []
        return [
            "\(lead): of \(Wording.counted(count, "comparison")) with everything else equal, \(Wording.list(parts))."
        ] + (shown.isEmpty ? [] : ["\(Wording.sentence((shown + more).joined(separator: "; ")))."])
            + (counted(.notDecided) > 0 ? [tooFewRuns(contrasts.map(\.contrast))].compactMap { $0 } : [])
    }

    /// The verdict of a contrast. With fewer runs than it takes to call a case better or worse, "equal" would be no finding.
    private func verdict(_ contrast: Contrast) -> Verdict {
        contrast.verdict == .equal && contrast.pairs < fewestPairs ? .notDecided : contrast.verdict
    }

    /// What so few runs cannot show; nil where they are enough.
    private func tooFewRuns(_ contrasts: [Contrast]) -> String? {
        let most = contrasts.map(\.pairs).max() ?? 0
        let needed = fewestPairs
        guard most < needed else { return nil }
        return
            "\(Wording.sentence(Wording.counted(most, "run"))) cannot call any case better or worse than another here, nor equal to it;"
            + " \(needed) runs could."
    }

    // MARK: - The table

    /// Series of a table, and of a picture.
    private enum Limits {
        static let rows = 60
        static let lines = SizeCharts.mostMethods
    }

    /// The columns before the baselines', those of each baseline, and those of the change.
    private static let (own, ofBaseline, ofChange) = (2, 2, 4)

    /// The rows of as many series as there is room for, those with the clearest changes.
    func table(in section: String) -> PageContents.Sensitivity.Table {
        let shown = shown
        let baselines = Baseline.allCases.filter { baseline in
            shown.contains { $0.points.contains { $0.entry.summary.comparisons[baseline] != nil } }
        }
        let first = Set(series.map { $0.points[0].value })
        let reference = first.count == 1 ? first.first?.phrase : nil
        var rows = ""
        for series in shown {
            for point in series.points {
                rows += "<tr><th scope=\"row\">\(Wording.escaped(series.label))</th>"
                rows += Self.cell(point.value.text)
                for baseline in baselines {
                    let comparison = point.entry.summary.comparisons[baseline]
                    rows += Self.cell(comparison?.difference.map { Wording.signed($0) })
                    rows += Self.cell(comparison?.interval95.map { Wording.signed($0) })
                }
                rows += Self.cell(point.contrast.map { Wording.signed($0.difference) })
                rows += Self.cell(point.contrast?.interval95.map { Wording.signed($0) })
                rows += Self.cell(point.contrast.map { Wording.probability($0.pHolm) })
                rows += Self.cell(point.contrast.map { verdict($0).rawValue }) + "</tr>\n"
            }
        }
        return PageContents.Sensitivity.Table(
            label: "Sensitivity to \(setting.rawValue), \(section)",
            leftOut: shown.count < series.count
                ? "For want of room, \(shown.count) of \(series.count) groups of cases that differ in \(setting.rawValue) alone:"
                    + " those with the smallest p-values." : nil,
            ownColumns: Self.own,
            groups: baselines.map { .init(name: "against \($0.phrase)", span: Self.ofBaseline) } + [
                .init(name: "against \(reference ?? "the first of its group")", span: Self.ofChange)
            ],
            columns: ["Case, size", setting.rawValue]
                + baselines.flatMap { _ in ["Difference", "95% interval"] } + [
                    "Difference", "95% interval", "p (Holm)", "Verdict",
                ],
            rows: rows)
    }

    private var shown: [Series] {
        let most = max(1, Limits.rows / (series.map(\.points.count).max() ?? 1))
        guard series.count > most else { return series }
        func least(_ series: Series) -> Double { series.points.compactMap(\.contrast?.pHolm).min() ?? 1 }
        let clearest = series.indices.sorted { (least(series[$0]), $0) < (least(series[$1]), $1) }.prefix(most)
        return clearest.sorted().map { series[$0] }
    }

    private static func cell(_ text: String?) -> String {
        text.map { "<td>\(Wording.escaped($0))</td>" } ?? "<td></td>"
    }

    // MARK: - The pictures

    /// Series of one picture: those of one size, and of one value of the other setting.
    private struct Panel: Hashable {
        let size: Int
        let other: Value?
    }

    /// A picture for each size, `most` at the most, from the smallest to the largest.
    func charts(most: Int) -> [Chart] {
        let panels = Dictionary(grouping: series) { Panel(size: $0.size, other: $0.other) }.sorted {
            ($0.key.size, $0.key.other?.number ?? 0) < ($1.key.size, $1.key.other?.number ?? 0)
        }
        let shown =
            panels.count > most
            ? (0..<most).map { panels[$0 * (panels.count - 1) / max(1, most - 1)] } : panels
        let tellsOther = Set(panels.map(\.key.other)).count > 1
        return shown.compactMap { panel, series in
            var words = ["\(Wording.size(Double(panel.size))) kept"]
            if tellsOther, let other = panel.other { words.append(other.phrase) }
            return chart(Array(series.prefix(Limits.lines)), words)
        }
    }

    private func chart(_ series: [Series], _ words: [String]) -> Chart? {
        let summaries = series.flatMap { $0.points.map(\.entry.summary) }
        guard
            let baseline = Baseline.allCases.first(where: { baseline in
                summaries.contains { $0.comparisons[baseline]?.difference != nil }
            })
        else { return nil }
        let values = Set(series.flatMap { $0.points.map(\.value) }).sorted()
        var blocks: [String] = []
        var lines: [String] = []
        var ends: [Double] = [0]
        for (index, line) in series.enumerated() {
            let rows = line.points.compactMap { point -> [Double]? in
                guard let comparison = point.entry.summary.comparisons[baseline],
                    let difference = comparison.difference, let place = values.firstIndex(of: point.value)
                else { return nil }
                let interval = comparison.interval95
                // Side by side, so that intervals do not hide each other.
                let x = Double(place) + 0.06 * (Double(index) - Double(series.count - 1) / 2)
                return [x, difference, interval?.low ?? difference, interval?.high ?? difference]
            }
            guard !rows.isEmpty else { continue }
            ends += rows.flatMap { $0.dropFirst() }
            let mark = marks[line.points[0].entry.arm]
            blocks.append(Plot.data("line\(index)", rows))
            lines.append("$line\(index) using 1:2:3:4 with yerrorbars pt 0 lw 1.5 lc rgb '\(mark.colour)' notitle")
            lines.append(
                "$line\(index) using 1:2 with linespoints lc rgb '\(mark.colour)' lw 2 pt \(mark.point) ps 0.8"
                    + " dt \(mark.dash) title \(Plot.quoted(line.name))")
        }
        guard !lines.isEmpty, let low = ends.min(), let high = ends.max() else { return nil }
        let margin = max((high - low) * 0.08, 0.05)
        let key = Plot.key(series.map(\.name))
        let title = words.joined(separator: ", ")
        return Chart(
            name: "sensitivity-\(setting.rawValue)-\(Wording.slug(title))",
            title: "Difference by \(setting.rawValue), \(title)",
            caption: "Mean paired differences from \(baseline.phrase) in percentage points, with 95% intervals.",
            description: series.map { line in
                "\(Wording.sentence(line.name)): "
                    + line.points.compactMap { point in
                        point.entry.summary.comparisons[baseline]?.difference.map {
                            "\(Wording.signed($0)) with \(point.value.phrase)"
                        }
                    }.joined(separator: ", ") + "."
            }.joined(separator: " "), height: 380 + key.height,
            commands: blocks + Plot.linear("y", low - margin...high + margin) + [
                "set xrange [-0.5:\(Plot.number(Double(values.count) - 0.5))]",
                Plot.tics("x", values.enumerated().map { (Double($0), $1.text) }),
                "set xzeroaxis lt 1 lw 1 lc rgb '\(Palette.ink)'",
                "set xlabel '\(setting == .k ? "clusters k" : "dimensions d")'",
                "set ylabel 'difference, points'", key.command, "plot " + lines.joined(separator: ", \\\n"),
            ])
    }
}
