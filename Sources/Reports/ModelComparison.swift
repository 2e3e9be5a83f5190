import Networks
import Pruning
import Studies

/// The cost of pruning by model: sections that differ in the model alone, and what each of their cases loses against the
/// whole set of its own model. Runs of different models are not paired, so that no model is tested against another.
struct ModelComparison: Sendable {
    /// A case as all models have it, its size apart.
    struct Line: Sendable {
        /// The name, which no other line has.
        let name: String
        /// The cases that are compared with the whole set, by size and by the place of their section.
        fileprivate(set) var cases: [Int: [Int: ReportCase]] = [:]

        /// The sizes that were asked for, the smallest first.
        var sizes: [Int] { cases.keys.sorted() }

        /// A case against the whole set of its model; nil where it was not compared.
        func comparison(size: Int, section: Int) -> Comparison? {
            cases[size]?[section]?.summary.comparisons[.full]
        }
    }

    /// Everything that must be equal, except the model and the size.
    struct Key: Hashable {
        let selection: Selection
        let clustering: ClusteringRecipe?
        let score: AnyHashable?
        let scoredK: Int?
        /// The embedding of the samples, if the score uses points.
        let points: StudyEmbedding?
        let seeds: [Int?]
        /// The model of the score networks; nil if keys do not depend on it, as when every case is scored by networks
        /// of its own model.
        let scoreModel: ModelSpec?
        let dynamic: DynamicPruning?
        let tuned: [[TuningCandidate.Value]]

        init(_ experiment: Experiment, tellsScoreModel: Bool) {
            selection = experiment.selection
            clustering = experiment.clustering
            score = experiment.scoring?.settingsBesideK
            scoredK = experiment.scoring?.parameters.k
            points = experiment.scoring.flatMap { $0.isOfPoints ? $0.embedding : nil }
            seeds = [
                experiment.takesClusteringSeeds ? experiment.clusteringSeeds : nil, experiment.scoring?.seeds,
                experiment.dynamics?.networks, experiment.dynamics?.epochs, experiment.dynamics?.seeds,
            ]
            scoreModel = tellsScoreModel ? experiment.dynamics?.model : nil
            dynamic = experiment.recipe.dynamic
            tuned = experiment.candidates.map(\.values)
        }

        /// A distinct name for each key, shared by all its experiments.
        /// - Parameter tellsScoreModel: true if keys depend on the model of the score networks; otherwise the names
        ///   omit it, and it is shown next to them.
        static func names(_ sections: [ReportSection], tellsScoreModel: Bool) -> [Key: String] {
            var firsts: [(key: Key, experiment: Experiment)] = []
            var seen: Set<Key> = []
            for experiment in sections.flatMap(\.experiments) {
                let key = Key(experiment, tellsScoreModel: tellsScoreModel)
                if seen.insert(key).inserted { firsts.append((key, experiment)) }
            }
            let names = CaseNames(
                firsts.map(\.experiment), beside: tellsScoreModel ? [.model] : [.model, .scoreModel])
            return Dictionary(uniqueKeysWithValues: firsts.map { ($0.key, names.name($0.experiment)) })
        }
    }

    /// The sections, one per model, in their order.
    let sections: [ReportSection]
    /// The settings that the sections share; nil if the study has no other comparison.
    let title: String?
    /// In the order of the cases.
    let lines: [Line]

    /// True if a run of any compared case, or of its whole set, diverged.
    var hasDiverged: Bool {
        lines.contains { line in
            line.sizes.contains { size in
                sections.indices.contains { line.comparison(size: size, section: $0)?.isDecidable == false }
            }
        }
    }

    /// The names of the models.
    var models: [String] { sections.map(\.key.recipe.model.name) }
    /// The plot marks of the models.
    var marks: Marks { Marks(models) }

    /// The comparisons of a study; empty if no two sections differ only in the model.
    static func all(_ sections: [ReportSection]) -> [ModelComparison] {
        ReportSection.byTraining(sections).filter { $0.sections.count > 1 }.map(ModelComparison.init)
    }

    private init(_ group: (title: String?, sections: [ReportSection])) {
        (title, sections) = group
        let tellsScoreModel = sections.contains { $0.experiments.contains { $0.otherScoreModel != nil } }
        let names = Key.names(sections, tellsScoreModel: tellsScoreModel)
        var lines: [Line] = []
        var places: [Key: Int] = [:]
        for (place, section) in sections.enumerated() {
            for entry in section.cases where !entry.isWhole && entry.summary.comparisons[.full] != nil {
                let experiment = entry.summary.experiment
                let key = Key(experiment, tellsScoreModel: tellsScoreModel)
                let index = places[key] ?? lines.count
                if places[key] == nil {
                    places[key] = index
                    lines.append(Line(name: names[key] ?? entry.name))
                }
                // The first of several equal cases is used.
                if lines[index].cases[experiment.size]?[place] == nil {
                    lines[index].cases[experiment.size, default: [:]][place] = entry
                }
            }
        }
        self.lines = lines
    }

    // MARK: - In words

    /// The smallest sufficient size per model, as sentences; empty if nothing was compared with the whole set.
    var sentences: [String] {
        let answers = sections.map { (section: $0, answer: Answer($0)) }.filter { !$0.answer.sentences.isEmpty }
        let decided = answers.filter { $0.answer.shortage == nil }
        let tolerances = Set(decided.map(\.answer.tolerance)).sorted()
        guard let tolerance = tolerances.first else { return [] }
        let points =
            tolerances.count == 1
            ? "\(Number.exact(tolerance)) point\(tolerance == 1 ? "" : "s")"
            : "\(Wording.list(tolerances.map(Number.exact))) points"
        var parts: [(part: Answer.Part, whole: ReportCase, models: [String])] = []
        var without: [String] = []
        for (section, answer) in decided {
            let model = section.key.recipe.model.name
            guard let part = answer.enough, let whole = section.whole else {
                without.append(model)
                continue
            }
            if let known = parts.firstIndex(where: { $0.part == part }) {
                parts[known].models.append(model)
            } else {
                parts.append((part, whole, [model]))
            }
        }
        var words = parts.map { entry in
            "\(entry.part.size) of \(Wording.size(entry.whole.kept)) \(entry.whole.units) (\(entry.part.name)) with"
                + " \(Wording.list(entry.models))"
        }
        if !without.isEmpty { words.append("none that was tried with \(Wording.list(without))") }
        let short = answers.filter { $0.answer.shortage != nil }.map(\.section.key.recipe.model.name)
        if !short.isEmpty { words.append("too few runs for an answer with \(Wording.list(short))") }
        return [
            "The smallest part that is shown to lose at most \(points) against the whole set of the same model:"
                + " \(words.joined(separator: "; ")).",
            "Runs of different models are not paired: no difference between two models is tested here.",
        ]
    }

    /// A heading for ``rows(_:)``, without a full stop.
    static let heading =
        "Cost of pruning by model: mean paired difference from the whole set of the same model, in percentage points, with"
        + " its 95% interval"

    /// The names of the columns of ``rows(_:)``.
    var columns: [String] { ["Case", "Size"] + models }

    /// A row per case and size: its name, the size, and the cell of each model, empty where it was not run.
    /// - Parameter text: a difference and its interval.
    func rows(_ text: (Comparison) -> String) -> [[String]] {
        lines.flatMap { line in
            line.sizes.map { size in
                [line.name, Wording.size(Double(size))]
                    + sections.indices.map { section in
                        Self.cell(line.comparison(size: size, section: section), text)
                    }
            }
        }
    }

    /// A difference and its interval, if there are any, and a note if runs diverged; empty without a comparison.
    static func cell(_ comparison: Comparison?, _ text: (Comparison) -> String) -> String {
        guard let comparison else { return "" }
        let figures = text(comparison)
        guard !comparison.isDecidable else { return figures }
        let diverged = comparison.verdict == .diverged ? "diverged" : "\(comparison.baseline.phrase) diverged"
        return figures.isEmpty ? diverged : "\(figures), \(diverged)"
    }
}

extension ReportSection {
    /// Groups of sections that differ only in the model, in the order of the first of each. The title distinguishes a
    /// group from the others; it is nil for a single group.
    static func byTraining(_ sections: [ReportSection]) -> [(title: String?, sections: [ReportSection])] {
        var order: [Pairing] = []
        var groups: [Pairing: [ReportSection]] = [:]
        for section in sections {
            let key = section.key.besideModel
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(section)
        }
        return order.map { (order.count > 1 ? title($0, among: order) : nil, groups[$0] ?? []) }
    }
}
