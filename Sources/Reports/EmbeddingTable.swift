import Networks
import Pruning
import Studies

/// Embeddings compared with each other: cases that differ in the embedding alone, each against the one by PCA, or by the
/// first embedding of the study's list without PCA.
struct EmbeddingTable: Sendable {
    /// A case against the one of the reference embedding.
    struct Row: Sendable {
        /// The name of the case, without the embedding.
        let name: String
        /// The cases that are compared.
        let one: CaseSummary
        let other: CaseSummary
        /// Nil if no run is finished in both without having diverged.
        let contrast: Contrast?

        /// The embedding, in words.
        var embedding: String { Row.words(one.experiment) }
        /// The embedding that it is compared with.
        var reference: String { Row.words(other.experiment) }
        /// True if a run of either case diverged.
        var isDiverged: Bool { one.divergedCount + other.divergedCount > 0 }

        private static func words(_ experiment: Experiment) -> String {
            experiment.embedding?.text(isOfFeatures: experiment.recipe.isOfFeatures) ?? ""
        }
    }

    /// Everything that must be equal, except the embedding, the size and the model.
    private struct Key: Hashable {
        let selection: Selection
        let k: Int?
        let kmeans: KMeansKind?
        let score: AnyHashable?
        let seeds: [Int?]
        let scoreModel: ModelSpec?
        let dynamic: DynamicPruning?
        let tuned: [[TuningCandidate.Value]]

        /// - Parameter tellsScoreModel: true if cases are scored by networks of other models than their own.
        init(_ experiment: Experiment, tellsScoreModel: Bool) {
            selection = experiment.selection
            k = experiment.clustering?.k ?? experiment.scoring?.parameters.k
            kmeans = experiment.clustering?.kmeans
            score = experiment.scoring?.settingsBesideK
            let networks = experiment.dynamics
            seeds = [
                experiment.clusteringSeeds, experiment.scoring?.seeds, networks?.networks, networks?.epochs,
                networks?.seeds,
            ]
            scoreModel = tellsScoreModel ? networks?.model : nil
            dynamic = experiment.recipe.dynamic
            tuned = experiment.candidates.map(\.values)
        }
    }

    /// A title that distinguishes the table from the study's others; nil for a single table.
    let title: String?
    /// Rows by case, then by size (smallest first), model and embedding.
    let rows: [Row]
    /// True if the study has several models, so that rows name theirs.
    private let tellsModel: Bool
    /// The fewest runs that could call a case better or worse here.
    private let fewestPairs: Int

    /// The table's heading, without a full stop.
    static let heading =
        "Embeddings compared: mean paired difference between cases that differ in the embedding alone, in percentage points,"
        + " with its 95% interval; p under Holm's correction over this table"

    /// The tables of a study: one per data set and training in which a network embeds and cases differ in the embedding
    /// alone. Studies of pixels and PCA have the sensitivity to the dimensions d instead.
    static func all(_ sections: [ReportSection]) -> [EmbeddingTable] {
        ReportSection.byTraining(sections).compactMap(EmbeddingTable.init)
    }

    /// - Returns: nil if no two cases can be compared.
    private init?(_ group: (title: String?, sections: [ReportSection])) {
        let experiments = group.sections.flatMap(\.experiments).filter { $0.embedding != nil }
        guard experiments.contains(where: { $0.embedding?.epochs != nil }) else { return nil }
        let tellsScoreModel = experiments.contains { $0.otherScoreModel != nil }
        var places: [Key: Int] = [:]
        var alike: [[Experiment]] = []
        for experiment in experiments {
            let key = Key(experiment, tellsScoreModel: tellsScoreModel)
            if let place = places[key] {
                alike[place].append(experiment)
            } else {
                places[key] = alike.count
                alike.append([experiment])
            }
        }
        let names = CaseNames(alike.map { $0[0] }, beside: [.model, .embedding])
        let pairs = alike.flatMap { experiments in
            Self.pairs(experiments, of: group.sections).map { pair in
                (name: names.name(experiments[0]), one: pair.one, other: pair.other)
            }
        }
        let contrasts = Contrast.all(pairs.map { (one: $0.one, other: $0.other) })
        rows = zip(pairs, contrasts).compactMap { pair, contrast in
            let row = Row(name: pair.name, one: pair.one, other: pair.other, contrast: contrast)
            return contrast == nil && !row.isDiverged ? nil : row
        }
        guard !rows.isEmpty else { return nil }
        title = group.title
        tellsModel = group.sections.count > 1
        fewestPairs = Comparison.fewestPairs(tests: contrasts.count { $0 != nil })
    }

    /// Each case of one key with the case of its size and model that it is compared with.
    /// - Parameter experiments: in the study's order. Sizes that have embeddings of one method alone have no pairs: the
    ///   sensitivity to the dimensions d compares these.
    private static func pairs(
        _ experiments: [Experiment], of sections: [ReportSection]
    ) -> [(one: CaseSummary, other: CaseSummary)] {
        Set(experiments.map(\.size)).sorted().flatMap { size in
            sections.flatMap { section -> [(one: CaseSummary, other: CaseSummary)] in
                let alike = experiments.filter { $0.size == size && $0.pairing == section.key }
                let reference = alike.first { $0.embedding?.method == .pca } ?? alike.first
                guard Set(alike.compactMap(\.embedding?.method)).count > 1,
                    let other = section.summary(reference)
                else { return [] }
                // Of equal cases the first is used.
                var seen = Set([reference?.embedding])
                return alike.filter { seen.insert($0.embedding).inserted }.compactMap { experiment in
                    section.summary(experiment).map { (one: $0, other: other) }
                }
            }
        }
    }

    /// The verdict of a row. With fewer runs than it takes to call a case better or worse, "equal" would be no finding.
    private func verdict(_ row: Row) -> Verdict {
        guard let contrast = row.contrast else { return .diverged }
        return contrast.verdict == .equal && contrast.pairs < fewestPairs ? .notDecided : contrast.verdict
    }

    // MARK: - In words

    /// The verdicts as sentences, and the runs that are needed if there are too few.
    var sentences: [String] {
        let verdicts = rows.map(verdict)
        let counts = [Verdict.better, .worse, .equal, .notDecided, .diverged].compactMap { verdict -> String? in
            let count = verdicts.count { $0 == verdict }
            return count == 0 ? nil : "\(Number.grouped(Double(count))) \(verdict.rawValue)"
        }
        return [
            "Of \(Wording.counted(rows.count, "comparison")) between cases that differ in the embedding alone:"
                + " \(Wording.list(counts))."
        ] + (shortage.map { [Wording.sentence($0) + "."] } ?? [])
    }

    /// A sentence, without its full stop, on the verdicts that so few runs rule out; nil if they are enough.
    var shortage: String? {
        let most = rows.compactMap(\.contrast?.pairs).max() ?? 0
        guard most < fewestPairs else { return nil }
        return
            "\(Wording.counted(most, "run")) cannot call any embedding better or worse than another, nor equal to it;"
            + " \(fewestPairs) runs could"
    }

    /// The names of the columns of ``fields(_:)``.
    var columns: [String] {
        ["Case", "Size"] + (tellsModel ? ["Model"] : [])
            + ["Embedding", "Against", "Difference", "p (Holm)", "Verdict"]
    }

    /// The fields of each row.
    /// - Parameter text: a difference and its interval.
    func fields(_ text: (Double, Interval?) -> String) -> [[String]] {
        rows.map { row in
            [row.name, Wording.size(Double(row.one.experiment.size))]
                + (tellsModel ? [row.one.experiment.recipe.model.name] : []) + [
                    row.embedding, row.reference,
                    row.contrast.map { text($0.difference, $0.interval95) } ?? "",
                    row.contrast.map { Wording.probability($0.pHolm) } ?? "", verdict(row).rawValue,
                ]
        }
    }

    // MARK: - As CSV

    /// One row per comparison of all tables: the case, its embedding, the embedding that it is compared with, and the
    /// comparison. Nil if there is none.
    static func csv(_ results: StudyResults) -> String? {
        struct Line: Sendable {
            let row: Row
            let verdict: Verdict
        }
        guard results.plan.experiments.contains(where: { $0.embedding?.epochs != nil }) else { return nil }
        let lines = all(ReportSection.sections(of: results)).flatMap { table in
            table.rows.map { Line(row: $0, verdict: table.verdict($0)) }
        }
        guard !lines.isEmpty else { return nil }
        func words(_ names: String...) -> [Column<Line>] {
            names.map { name in Column(name) { $0.row.one.experiment.word(column: name) } }
        }
        var columns = words("experiment_id")
        columns.append(Column("reference_id") { "\($0.row.other.experiment.id)" })
        columns += words(
            "dataset", "model", "pruning_method", "selection_strategy", "k", "requested", "seed", "embedding",
            "embedding_size", "embedding_epochs")
        columns += StudyEmbedding.columns.map { name in
            Column(name.replacing("embedding", with: "reference")) { $0.row.other.experiment.word(column: name) }
        }
        columns += [
            Column("diff") { $0.row.contrast.map { Number.percent($0.difference) } },
            Column("diff_low") { ($0.row.contrast?.interval95?.low).map(Number.percent) },
            Column("diff_high") { ($0.row.contrast?.interval95?.high).map(Number.percent) },
            Column("p") { $0.row.contrast.map { Number.exact($0.p) } },
            Column("p_holm") { $0.row.contrast.map { Number.exact($0.pHolm) } },
            Column("verdict") { $0.verdict.rawValue },
            Column("pairs") { "\($0.row.contrast?.pairs ?? 0)" },
        ]
        return CSV.table(columns, lines)
    }
}

extension ReportSection {
    /// The summary of an experiment's finished runs; nil if the section has none.
    fileprivate func summary(_ experiment: Experiment?) -> CaseSummary? {
        experiment.flatMap { wanted in cases.first { $0.summary.experiment.id == wanted.id }?.summary }
    }
}
