import Datasets
import Networks
import Pruning
import Scoring

/// Which k-means makes the clusters.
package enum KMeansKind: String, CaseIterable, Sendable {
    case minibatch
    case lloyd
}

/// What an experiment does besides choosing samples. Each value is optional in a file, at the top or in an experiment.
package struct StudySettings: Hashable, Sendable {
    /// What is trained, on which data, and how.
    package var recipe = TrainingRecipe()
    /// The models, where there are several: each is trained on everything that is kept. ``recipe`` has the first.
    package var models: [ModelSpec] = []
    /// The models of the score networks, each combined with every trained model; empty if each model is scored by its
    /// own networks.
    package var scoreModels: [ModelSpec] = []
    /// Where the files of its data set are; nil where the command line says so, or its name.
    package var source: DatasetSource?
    /// What is done to features first.
    package var scaling = RequestedScaling()
    /// Runs of each experiment.
    package var runs = 5
    /// The dimensions of PCA, and the size of an autoencoder's code.
    package var pcaComponents = 50
    /// The epochs of training for embedding networks.
    package var embeddingEpochs = 10
    /// The values of `embedding` and `embedding_size` while an entry is read.
    var embeddings: [StudyEmbedding.Method]?
    var embeddingSize: Int?
    /// Which k-means makes the clusters.
    package var kmeans = KMeansKind.minibatch
    /// How many samples each cluster gives.
    package var quota = Quota.exact
    /// How many clusterings an experiment's runs share; run i takes clustering i modulo this. As many as runs where nil.
    package var clusteringSeeds: Int?
    /// What else is held equal.
    package var balance = Balance.none
    /// How many training samples are set aside to decide by; nil for none.
    package var validation: Int?
    /// How often random samples are drawn.
    package var resample = Resample.none
    /// The method of dynamic pruning.
    var dynamic = Dynamic.none
    /// Its parameters.
    var pruning = DynamicPruning()
    /// The numbers of scores.
    package var scores = ScoreParameters()
    /// The numbers of orders over scores.
    package var orders = OrderNumbers()
    /// The settings of which there are several values, each with its values; the places of these settings have the first.
    package var tuningValues: [TunableSetting: [Double]] = [:]
    /// How many sets of random numbers the scores of an experiment's runs share; run i takes scores i modulo this. As many
    /// as runs where nil.
    package var scoreSeeds: Int?
    /// The seed of every random number.
    package var seed: UInt64 = 1
    /// Percentage points that an accuracy may differ by and still be called equal.
    package var equalWithin = 0.1

    /// The settings of a study that says nothing about them.
    package init() {}

    /// ``recipe`` with the validation split of this seed and the dynamic pruning.
    var trainingRecipe: TrainingRecipe {
        var recipe = recipe
        recipe.validation = validation.map { ValidationSplit(count: $0, seed: seed) }
        recipe.dynamic = dynamic == .none ? nil : pruning
        return recipe
    }
}

/// One entry of a study's list: the experiments of every combination of its sizes, clusterings and selections.
package struct ExperimentGroup: Equatable, Sendable {
    /// What is kept, all by one pruning method; the quota and the balance are those of ``settings``.
    package var selections: [Selection]
    /// The requested sizes.
    package var sizes: [RequestedSize]
    /// Numbers of clusters; only where some of the selections need them.
    package var ks: [Int] = []
    /// The embeddings that are clustered or scored; empty if there are none.
    package var embeddings: [StudyEmbedding.Method] = []
    /// Everything else.
    package var settings: StudySettings
    /// Where in its file each key stands.
    var places = SourcePlaces()

    /// Whether its selections were asked for by scores.
    var isByScore: Bool { selections.contains { $0.asked != nil } }

    /// An entry of these selections and sizes.
    package init(
        _ selections: [Selection], sizes: [RequestedSize] = [.whole], settings: StudySettings = StudySettings()
    ) {
        self.selections = selections
        self.sizes = sizes
        self.settings = settings
    }
}

/// Where keys stand in a file. Two studies are the same wherever their words stand, so all values are equal.
struct SourcePlaces: Equatable, Sendable {
    /// What paths in the file are relative to: its folder.
    var folder = "."
    /// The place of the entry itself.
    var entry = SourcePlace(file: "study")
    /// The places of keys.
    var keys: [String: SourcePlace] = [:]
    /// The places of the keys above all entries.
    var above: [String: SourcePlace] = [:]
    /// The places of the elements of keys whose value is a list.
    var elements: [String: [SourcePlace]] = [:]
    /// Likewise, of the keys above all entries.
    var elementsAbove: [String: [SourcePlace]] = [:]

    /// The place of `key`, or of the entry where the key is not given.
    subscript(key: String) -> SourcePlace { keys[key] ?? entry }

    static func == (left: SourcePlaces, right: SourcePlaces) -> Bool { true }
}

/// A study with every value resolved: what is trained, on what, how often.
package struct Study: Equatable, Sendable {
    /// The entries, in the file's order.
    package var groups: [ExperimentGroup]
    /// What deserves a word but is no fault, keys that have no effect for one.
    package var notices: [String] = []

    /// A study of these entries.
    package init(groups: [ExperimentGroup]) { self.groups = groups }

    package static func == (left: Study, right: Study) -> Bool { left.groups == right.groups }

    /// The accepted names of data sets and models, in words. Files are named after them.
    package static let acceptedName = "at most 60 letters, digits, '.', '-' and '_', that begins with no dot"

    /// True if `name` is valid for a data set or a model.
    package static func isName(_ name: String) -> Bool {
        name.count <= 60 && name.wholeMatch(of: /[A-Za-z0-9_-][A-Za-z0-9._-]*/) != nil
    }

    /// The data sets that the study needs, in the order of their first use.
    package var datasets: [String] {
        var names: [String] = []
        for group in groups where !names.contains(group.settings.recipe.dataset) {
            names.append(group.settings.recipe.dataset)
        }
        return names
    }

    /// The study with a command line's values in place of the file's.
    /// - Parameter source: where the files of `dataset` are, where the study describes it; nil where its name or the command
    ///   line says so.
    /// - Throws: ``StudyError/badOption(name:reason:)`` when `runs` is below 1; ``StudyError/invalid(_:reason:)`` with the place
    ///   where the study scales features and `dataset` has images, and where it does not fit the models.
    package func overriding(
        runs: Int? = nil, seed: UInt64? = nil, dataset: String? = nil, from source: DatasetSource? = nil
    ) throws(StudyError) -> Study {
        if let runs, !StudyReader.runsRange.contains(runs) {
            throw .badOption(name: "--runs", reason: "\(runs) is out of range; \(StudyReader.runsRange) are accepted")
        }
        var study = self
        for index in study.groups.indices {
            if let runs { study.groups[index].settings.runs = runs }
            if let seed { study.groups[index].settings.seed = seed }
            if let dataset { study.groups[index].settings.take(dataset, from: source) }
        }
        if dataset != nil {
            try study.checkScaling()
            try study.checkDatasets()
        }
        return study
    }
}
