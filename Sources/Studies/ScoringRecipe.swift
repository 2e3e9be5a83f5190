import Networks
import Pruning
import Scoring
import Support

/// Which networks are trained to learn about the samples; a case's runs take several sets of this recipe.
package struct DynamicsRecipe: Hashable, Sendable {
    /// Their model, which may differ from the one that is trained on the selected samples.
    package let model: ModelSpec
    /// Networks in a set.
    package let networks: Int
    /// Epochs that each trains for.
    package let epochs: Int
    /// How many sets the runs share.
    package let seeds: Int

    /// The networks that the score or the balance of `selection` is of; nil where neither is of any, or the order looks at
    /// no score.
    init?(_ selection: Selection, settings: StudySettings) {
        let score = selection.score.flatMap { try? Score.named($0) }
        let isScored = selection.order.needsScore && score?.needs.contains(.dynamics) == true
        guard isScored || selection.balance == .recall else { return nil }
        model = settings.scoreModels.first ?? settings.recipe.model
        networks = settings.scores.networks
        epochs = settings.scores.epochs
        seeds = settings.scoreSeeds ?? settings.runs
    }
}

extension Experiment {
    /// The model of its score networks, if it differs from the trained one; nil otherwise.
    package var otherScoreModel: ModelSpec? { dynamics.flatMap { $0.model == recipe.model ? nil : $0.model } }
}

/// What a case's scores are made of; its runs take several of this recipe.
package struct ScoringRecipe: Hashable, Sendable {
    /// The score, by name or by file.
    package let score: String
    /// The file, where it is one.
    package let file: ScoreFile?
    /// Whether it is of the samples as points.
    package let isOfPoints: Bool
    /// The embedding that makes the points.
    package let embedding: StudyEmbedding
    /// The dimensions that PCA leaves of the points; nil without PCA.
    package var pcaComponents: Int? { embedding.pcaComponents }
    /// Whether it is of a clustering, or picks within clusters.
    let isOfClusters: Bool
    /// Whether networks are trained for it.
    package let isOfDynamics: Bool
    /// Whether it takes ``ScoreParameters/window``.
    package let usesWindow: Bool
    /// Whether it takes ``ScoreParameters/neighbors`` and ``ScoreParameters/gamma``.
    package let usesNeighbors: Bool
    /// Its numbers.
    package let parameters: ScoreParameters
    /// What a greedy order picks within; nil for the whole set, and for scores.
    package let groups: Groups?
    /// The most samples that a greedy order picks; nil for scores.
    package internal(set) var size: Int?
    /// Whether random numbers are drawn for it, those of networks included.
    let isSeeded: Bool
    /// Whether the samples are features, not images.
    let isOfFeatures: Bool
    /// How many sets of random numbers the runs share; 1 where none are drawn.
    package let seeds: Int

    /// The recipe of what `selection` ranks by; nil where it ranks by no score, as `keep: random`, or by that of a
    /// clustering alone.
    init?(
        _ selection: Selection, size: Int, k: Int?, embedding: StudyEmbedding, folder: String, settings: StudySettings
    ) {
        guard let name = selection.score, selection.order.needsScore else { return nil }
        score = name
        file = Selection.isScoreFile(name) ? ScoreFile(name, in: folder) : nil
        let known = try? Score.named(name)
        isOfPoints = known?.needs.contains(.points) ?? false
        usesWindow = known?.usesWindow ?? false
        usesNeighbors = known?.usesNeighbors ?? false
        isOfDynamics = known?.needs.contains(.dynamics) ?? false
        guard file != nil || isOfPoints || isOfDynamics else { return nil }
        self.embedding = isOfPoints ? embedding : .pixels
        // Parameters that it does not take keep their defaults, so that they do not make it another score.
        var parameters = ScoreParameters()
        if isOfDynamics {
            parameters.epochs = settings.scores.epochs
            parameters.networks = settings.scores.networks
            if usesWindow { parameters.window = settings.scores.window }
        }
        if usesNeighbors {
            parameters.neighbors = settings.scores.neighbors
            parameters.gamma = settings.scores.gamma
        }
        if known?.needs.contains(.clusterCount) == true { parameters.k = k }
        self.parameters = parameters
        isOfFeatures = settings.recipe.isOfFeatures
        // Balanced classes share the size as groups do.
        let picked = selection.groups.within(classes: selection.balance != .none)
        groups = known?.isOrder == true && picked != .none ? picked : nil
        isOfClusters = known?.needsClustering == true || groups?.needClustering == true
        self.size = known?.isOrder == true ? size : nil
        isSeeded = isOfDynamics || known?.isSeeded == true
        seeds = isSeeded ? settings.scoreSeeds ?? settings.runs : 1
    }

    /// What is scored, in words for people; nil where it is no points.
    package var points: String? { isOfPoints ? embedding.text(isOfFeatures: isOfFeatures) : nil }

    /// The text of a table's column; nil where the recipe has no use for it, or it is another's.
    package func word(column: String) -> String? {
        switch column {
        case "k": parameters.k.map { "\($0)" }
        default: isOfPoints ? embedding.word(column: column) : nil
        }
    }
}
