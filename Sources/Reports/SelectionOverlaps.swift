import Studies

/// How much the selections of one size have in common, case by case: the Jaccard index of what both kept in the same run,
/// averaged over the runs that both have.
struct SelectionOverlaps: Sendable {
    /// How much is looked at, whatever the study's size.
    enum Limits {
        /// Cases of one size, since their pairs are as many as their square.
        static let cases = 200
        /// Runs of a case.
        static let runs = 100
    }

    /// Two cases.
    struct Pair: Sendable {
        /// The mean Jaccard index; nil where no run of both is there.
        var mean: Double? { runs == 0 ? nil : sum / Double(runs) }
        fileprivate(set) var sum = 0.0
        fileprivate(set) var runs = 0
    }

    /// The section of the report that the cases are of.
    let section: ReportSection
    /// The requested size.
    let size: Int
    /// The cases, in the experiments' order; the whole set is left out, and what takes other samples every epoch.
    let cases: [ReportCase]
    /// How many more cases of the size there are.
    let leftOut: Int
    /// Pairs of case i and case j < i, at i (i - 1) / 2 + j.
    private var pairs: [Pair]

    /// The overlap of two cases of ``cases``, in either order; nil for a case with itself.
    subscript(one: Int, other: Int) -> Pair? {
        one == other ? nil : pairs[Self.place(max(one, other), min(one, other))]
    }

    private static func place(_ high: Int, _ low: Int) -> Int { high * (high - 1) / 2 + low }

    /// The overlaps of all sizes of which two cases or more are there, from the smallest, section by section.
    /// - Returns: what there was time for, where the task was cancelled.
    static func all(_ stored: StoredStudy) -> [SelectionOverlaps] {
        ReportSection.sections(of: stored.results).flatMap { section in
            let sized = Dictionary(
                grouping: section.cases.filter { !$0.isWhole && !$0.summary.experiment.selection.resamples },
                by: \.summary.experiment.size)
            return sized.sorted { $0.key < $1.key }.compactMap { size, cases in
                cases.count < 2 || Task.isCancelled
                    ? nil
                    : SelectionOverlaps(section, size: size, of: cases) { stored.sampleBits(of: $0) }
            }.filter { overlaps in overlaps.pairs.contains { $0.runs > 0 } }
        }
    }

    /// The overlaps of cases of one size; the most accurate of them where they are many.
    init(
        _ section: ReportSection, size: Int, of all: [ReportCase], bits: (PlannedRun) -> SampleBits?
    ) {
        self.section = section
        self.size = size
        cases = Self.mostAccurate(all, Limits.cases)
        leftOut = all.count - cases.count
        pairs = [Pair](repeating: Pair(), count: cases.count * (cases.count - 1) / 2)
        let runs = Set(cases.flatMap { $0.summary.records.map(\.runID) }).sorted().prefix(Limits.runs)
        // One run at a time, so that memory holds one set per case.
        for run in runs where !Task.isCancelled {
            let sets = cases.map { entry -> SampleBits? in
                entry.summary.records.first { $0.runID == run }.flatMap { bits($0.plannedRun) }
            }
            for high in sets.indices {
                guard let one = sets[high] else { continue }
                for low in 0..<high {
                    guard let other = sets[low] else { continue }
                    pairs[Self.place(high, low)].sum += one.jaccard(other)
                    pairs[Self.place(high, low)].runs += 1
                }
            }
        }
    }

    /// The most accurate of `cases`, in their own order.
    static func mostAccurate(_ cases: [ReportCase], _ most: Int) -> [ReportCase] {
        guard cases.count > most else { return cases }
        let best = cases.sorted {
            ($1.accuracy, $0.summary.experiment.id) < ($0.accuracy, $1.summary.experiment.id)
        }.prefix(most).map(\.summary.experiment.id)
        let shown = Set(best)
        return cases.filter { shown.contains($0.summary.experiment.id) }
    }

    // MARK: - The table

    /// One row per pair of cases of one size that have a run in common, the case of the lower number first.
    static func csv(_ all: [SelectionOverlaps], names: CaseNames) -> String {
        struct Row: Sendable {
            let one: Experiment
            let other: Experiment
            let size: Int
            let pair: Pair
        }
        let rows = all.flatMap { overlaps in
            overlaps.cases.indices.flatMap { low in
                (low + 1..<max(low + 1, overlaps.cases.count)).compactMap { high -> Row? in
                    guard let pair = overlaps[high, low], pair.runs > 0 else { return nil }
                    return Row(
                        one: overlaps.cases[low].summary.experiment, other: overlaps.cases[high].summary.experiment,
                        size: overlaps.size, pair: pair)
                }
            }
        }
        let columns: [Column<Row>] = [
            Column("dataset") { $0.one.recipe.dataset }, Column("seed") { "\($0.one.seed)" },
            Column("requested") { "\($0.size)" }, Column("experiment_id_a") { "\($0.one.id)" },
            Column("experiment_id_b") { "\($0.other.id)" }, Column("case_a") { names.name($0.one) },
            Column("case_b") { names.name($0.other) },
            Column("jaccard") { $0.pair.mean.map { Number.exact(($0 * 1e6).rounded() / 1e6) } },
            Column("count_runs") { "\($0.pair.runs)" },
        ]
        return CSV.table(columns, rows)
    }
}
