import Networks
import Scoring
import Support

/// Identifies an embedding: its network is trained on the whole training set. Clusterings and scores of every size share
/// it.
package struct EmbeddingKey: ArtifactKind {
    /// The data set's name.
    package let dataset: String
    /// The number of training samples set aside for validation; nil for none.
    package let validation: Int?
    /// The method, as `embedding` names it; the model's name for ``model``.
    package let method: String
    /// The user's own autoencoder, with all its layers; nil for a network of the program.
    package let model: OwnAutoencoder?
    /// Values per sample.
    package let size: Int
    /// Epochs that the network trains for.
    package private(set) var epochs: Int
    /// The study's seed.
    package let seed: UInt64
    /// The index among the embeddings of this seed, from 0.
    package private(set) var index: Int

    /// - Returns: nil for an embedding without a network.
    init?(_ embedding: StudyEmbedding, of set: TrainingSet, seed: UInt64, index: Int) {
        guard let size = embedding.size, let epochs = embedding.epochs else { return nil }
        dataset = set.dataset
        validation = set.validation?.count
        method = embedding.method.word
        model = if case .own(let autoencoder, _) = embedding { autoencoder } else { nil }
        self.size = size
        self.epochs = epochs
        self.seed = seed
        self.index = index
    }

    /// True if the network is an autoencoder, false if it is a classifier.
    package var isAutoencoder: Bool { model != nil || method == StudyEmbedding.Method.autoencoder.word }
    /// True if reports show its reconstructions of some samples: for autoencoders with index 0.
    package var isShown: Bool { isAutoencoder && index == 0 }

    /// The first run number of embeddings. It lies above those of tested runs and below those of score networks, so
    /// that none of them share random numbers.
    private static let firstRun = 1 << 30

    /// The recipe of the network's training.
    /// - Throws: ``NetworkError/invalid(reason:)`` for a size that the method does not have.
    package var recipe: EmbeddingRecipe {
        get throws(NetworkError) {
            let run = Self.firstRun + index
            guard let model else {
                return try EmbeddingRecipe(
                    isAutoencoder ? .autoencoder : .classifier, size: size, epochs: epochs, seed: seed, run: run)
            }
            var training = EmbeddingRecipe.defaultTraining
            training.length = .epochs(epochs)
            return try EmbeddingRecipe(model.model, training: training, seed: seed, run: run)
        }
    }

    /// The training set, the model and the epochs of its network's training, which has the default batches and optimizer.
    /// - Throws: as ``recipe``.
    var trainingRecipe: TrainingRecipe {
        get throws(NetworkError) {
            var training = TrainingRecipe()
            training.dataset = dataset
            training.validation = trainingSet.validation
            training.model = try recipe.model
            training.duration = .epochs(epochs)
            return training
        }
    }

    /// As part of a file's name.
    package var points: String { "\(space)-epochs\(epochs)" }
    /// The size of a lenet5's embedding is fixed. A model's file may change, so that its name does not say enough.
    private var space: String {
        if let model { return "\(method)-\(model.shortDigest)" }
        return isAutoencoder ? "\(method)\(size)" : method
    }
    /// The embedding as a study requests it.
    package var embedding: StudyEmbedding {
        if let model { return .own(model, epochs: epochs) }
        return isAutoencoder ? .autoencoder(size: size, epochs: epochs) : .lenet5(epochs: epochs)
    }
    /// In words for people.
    package var words: String { embedding.text(isOfFeatures: false) }

    /// The rows that an artifact of this key has provided.
    /// - Throws: ``StudyError/executor(reason:)`` if there is no such artifact.
    func rows(of found: ScoreInput) throws(StudyError) -> EmbeddedRows {
        guard let rows = found.embedded, rows.size == size else {
            throw .executor(reason: "the embedding \(fileName) was not made before what is made of it")
        }
        return rows
    }

    // MARK: - The kind

    package static let name = "embedding"
    package static let folder = "embeddings"
    package static let verb = "fits"
    package static let measuredEffort = 2
    package var fields: [(name: String, element: Artifact.Element)] {
        (["points"] + (isShown ? ["originals", "reconstructions", "errors"] : [])).map { ($0, .float32) }
    }

    package var fileName: String { "\(trainingSet.fileName)-\(points)-seed\(seed)-\(index)" }
    package var title: String { "embedding \(trainingSet.title), \(words), \(index + 1)" }
    package var effort: Int { epochs }
    package func trainedImages(count: Int) -> Int { epochs * count }
    package var preparation: String { "\(trainingSet.fileName)-\(space)" }

    /// An embedding of an epoch or two, without the parts for reports.
    package func measurable(step: Int) -> ArtifactKey {
        var key = self
        key.epochs = min(epochs, step)
        key.index = max(index, 1)
        return ArtifactKey(key)
    }

    package func accepts(_ artifact: Artifact, count: Int) -> Bool {
        guard let points = artifact.float32("points"), points.count == count * size, points.allSatisfy(\.isFinite)
        else { return false }
        return !isShown || Reconstruction(artifact) != nil
    }

    package func provide(_ artifact: Artifact, to input: inout ScoreInput) {
        input.embedded = artifact.float32("points").map { EmbeddedRows(name: fileName, values: $0, size: size) }
    }

    package func make(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws -> Artifact {
        Artifact(embedding: try resources.embedding(self, cancellation: cancellation), size: size)
    }
}

/// The embeddings of a training set's samples by a network trained on them.
package struct FittedEmbedding: Sendable {
    /// [sample][value].
    package var points: [Float]
    /// The reconstructions that reports show; nil for none.
    package var reconstruction: Reconstruction?
    /// The variances of a PCA of as many components.
    package var spectrum: PCASpectrum?
    /// Seconds that ``reconstruction`` and ``spectrum`` took.
    package var reportSeconds = 0.0

    /// An embedding without the parts for reports.
    package init(points: [Float]) { self.points = points }
}

/// Samples and their reconstructions by an autoencoder.
package struct Reconstruction: Equatable, Sendable {
    /// The reconstruction error.
    package struct Loss: Equatable, Sendable {
        /// Mean over all values of all training samples of the squared difference; pixels are in [0, 1].
        package var meanSquaredError: Float
        /// The explained share of the training samples' variance; nil if there is no variance.
        package var explained: Float?

        /// A loss with these values.
        package init(meanSquaredError: Float, explained: Float?) {
            self.meanSquaredError = meanSquaredError
            self.explained = explained
        }
    }

    /// The number of samples shown.
    package var count: Int
    /// Samples of the test set: [sample][value], pixels in [0, 1].
    package var originals: [Float]
    /// Their reconstructions, likewise.
    package var reconstructions: [Float]
    /// On the training set.
    package var loss: Loss
    /// The loss of a PCA with as many components; nil without one.
    package var pca: Loss?

    /// A reconstruction of `count` samples.
    package init(count: Int, originals: [Float], reconstructions: [Float], loss: Loss, pca: Loss?) {
        self.count = count
        self.originals = originals
        self.reconstructions = reconstructions
        self.loss = loss
        self.pca = pca
    }

    /// The reconstruction in an artifact; nil if it has none.
    package init?(_ artifact: Artifact) {
        guard let shape = artifact.fields.first(where: { $0.name == "originals" })?.shape, shape.count == 2,
            shape[0] > 0,
            let originals = artifact.float32("originals"), originals.allSatisfy(\.isFinite),
            let reconstructions = artifact.float32("reconstructions"), reconstructions.count == originals.count,
            reconstructions.allSatisfy(\.isFinite), let errors = artifact.float32("errors"), errors.count == 4,
            errors[0].isFinite
        else { return nil }
        func loss(_ first: Int) -> Loss? {
            guard errors[first].isFinite else { return nil }
            let explained = errors[first + 1]
            return Loss(meanSquaredError: errors[first], explained: explained.isFinite ? explained : nil)
        }
        guard let own = loss(0) else { return nil }
        self.init(
            count: shape[0], originals: originals, reconstructions: reconstructions, loss: own, pca: loss(2))
    }

    /// ``loss`` and ``pca``: [autoencoder, PCA][mean squared error, explained share], NaN for missing values.
    fileprivate var errors: [Float] {
        [loss, pca].flatMap { [$0?.meanSquaredError ?? .nan, $0?.explained ?? .nan] }
    }
}

extension Artifact {
    /// An embedding of `size` values per sample.
    package init(embedding: FittedEmbedding, size: Int) {
        var fields: [(name: String, values: Values)] = [("points", .float32(embedding.points))]
        var shapes = [[embedding.points.count / size, size]]
        if let shown = embedding.reconstruction {
            fields += [
                ("originals", .float32(shown.originals)), ("reconstructions", .float32(shown.reconstructions)),
                ("errors", .float32(shown.errors)),
            ]
            let extents = [shown.count, shown.originals.count / shown.count]
            shapes += [extents, extents, [2, 2]]
        }
        self.init(fields, shapes: shapes, spectrum: embedding.spectrum)
        uncountedSeconds = embedding.reportSeconds
    }
}
