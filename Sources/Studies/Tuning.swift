import Pruning
import Scoring
import Support

/// A setting of scores or of orders over them of which a study may give several values: it is tuned, and the best on the
/// validation split is used.
package enum TunableSetting: String, CaseIterable, Sendable {
    case scoreEpochs = "score_epochs"
    case networks
    case window
    case beta
    case strata
    case cD = "c_d"
    case neighbors
    case gamma

    /// Puts a value, a whole number where the setting takes one, into its place.
    func put(_ value: Double, into settings: inout StudySettings) {
        switch self {
        case .scoreEpochs: settings.scores.epochs = Int(value)
        case .networks: settings.scores.networks = Int(value)
        case .window: settings.scores.window = Int(value)
        case .beta: settings.orders.cut = value
        case .strata: settings.orders.strata = Int(value)
        case .cD: settings.orders.cD = value
        case .neighbors: settings.scores.neighbors = Int(value)
        case .gamma: settings.scores.gamma = value
        }
    }
}

/// One of the ways to select that a case is tuned between.
package struct TuningCandidate: Hashable, Sendable {
    /// The value of a setting.
    package struct Value: Hashable, Sendable {
        package let setting: TunableSetting
        package let value: Double
    }

    /// What tells it from the others, in the order of ``TunableSetting``.
    package let values: [Value]
    /// Which samples are kept.
    let selection: Selection
    /// What their scores are made of.
    var scoring: ScoringRecipe?
    /// The networks that these are of.
    let dynamics: DynamicsRecipe?
}

extension TuningCandidate {
    /// Runs of each candidate: the first of the study.
    static let runs = 3
    /// The most candidates of a case.
    static let most = 64

    /// Every combination of the values that `settings` gives for what `selection` takes, the values of the last setting
    /// changing fastest; none where there is nothing to tune.
    static func all(
        _ selection: Selection, of settings: StudySettings, candidate: (StudySettings, [Value]) -> TuningCandidate
    ) -> [TuningCandidate] {
        let idle = ExperimentGroup([selection], settings: settings).idleScoreKeys
        var combinations: [(StudySettings, [Value])] = [(settings, [])]
        for setting in TunableSetting.allCases where !idle.contains(setting.rawValue) {
            guard let values = settings.tuningValues[setting] else { continue }
            combinations = combinations.flatMap { settings, chosen in
                values.map { value in
                    var settings = settings
                    setting.put(value, into: &settings)
                    return (settings, chosen + [Value(setting: setting, value: value)])
                }
            }
        }
        return combinations.count > 1 ? combinations.map(candidate) : []
    }
}

/// What tuning a case found; a study's directory keeps it.
struct TuningOutcome: Codable, Equatable {
    /// One candidate's results.
    struct Trial: Codable, Equatable {
        /// The settings' values.
        var values: [String: Double]
        /// The accuracy on the validation split in percent, of each run; null where the network diverged.
        var accuracies: [Double?]

        /// The median; a network that diverged is worse than any other.
        var median: Double { Statistics.median(accuracies.map { $0 ?? -1 }) ?? -1 }
    }

    /// What the candidates were, and the data.
    var key: String
    /// The runs that the seconds are shared by.
    var runs: Int
    /// The candidates, in their order.
    var trials: [Trial]
    /// All that it took: selections, training, evaluation, and the candidates' shares of what these needed.
    var seconds: Double
    /// SHA-256 of all of that: with a digit turned, other settings might be chosen.
    var digest = ""

    /// The outcome with its digest.
    var sealed: TuningOutcome {
        var outcome = self
        outcome.digest = ""
        var hash = SHA256()
        hash.update((try? JSON.text(outcome)) ?? "")
        outcome.digest = hash.digest
        return outcome
    }

    /// The place of the best candidate: the first of those with the highest median.
    var best: Int {
        trials.indices.max { (trials[$0].median, $1) < (trials[$1].median, $0) } ?? 0
    }
}

extension Experiment {
    /// Whether that setting is tuned.
    package func isTuned(_ setting: TunableSetting) -> Bool {
        candidates.first?.values.contains { $0.setting == setting } == true
    }

    /// How often tuning asks for each artifact.
    var tuningUses: [ArtifactKey: Int] {
        var uses: [ArtifactKey: Int] = [:]
        for candidate in candidates {
            for run in 0..<TuningCandidate.runs {
                for key in choosing(candidate).artifacts(run: run) { uses[key, default: 0] += 1 }
            }
        }
        return uses
    }

    /// What a run needs whatever tuning finds.
    func commonArtifacts(run: Int) -> [ArtifactKey] {
        // Most settings are of orders alone, and leave what is scored as it is.
        let others = candidates.filter { $0.scoring != scoring || $0.dynamics != dynamics }
        return others.reduce(artifacts(run: run)) { common, candidate in
            let keys = Set(choosing(candidate).artifacts(run: run))
            return common.filter(keys.contains)
        }
    }

    /// The candidates, and the data that they are tuned on: the same wherever the study's files are.
    func tuningKey(fingerprint: String) -> String {
        var hash = SHA256()
        let columns = ["dataset", "model", "num_epochs", "steps", "batch_size", "learning_rate", "requested", "seed"]
        let words =
            columns.map { word(column: $0) ?? "" } + ["\(recipe.validation?.count ?? 0)", fingerprint]
            + recipe.optimizerWords + recipe.dynamicWords
        hash.update(words.joined(separator: "\n"))
        for candidate in candidates {
            let selection = candidate.selection
            let numbers = (try? JSON.text(candidate.scoring?.parameters)) ?? ""
            let words = Selection.Column.allCases.map { selection.word($0) ?? "" } + ["\(selection.order)", numbers]
            let values = candidate.values.map { "\($0.setting.rawValue) \($0.value)" }
            let artifacts = (0..<TuningCandidate.runs).flatMap {
                choosing(candidate).artifacts(run: $0).map(\.kind.fileName)
            }
            hash.update("\n" + (words + values + artifacts).joined(separator: "\n"))
        }
        return hash.digest
    }
}

extension Selection {
    /// The same selection with the numbers that its order takes.
    func taking(_ numbers: OrderNumbers) -> Selection {
        let order: Order =
            switch order {
            case .stratified: .stratified(cut: numbers.cut, strata: numbers.strata)
            case .beta: .beta(cD: numbers.cD)
            case .all, .easy, .hard, .ends, .random, .middle: order
            }
        return Selection(
            groups: groups, score: score, order: order, quota: quota, balance: balance, asked: asked,
            resamples: resamples)
    }
}
