/// The points that samples are clustered or scored as.
package enum StudyEmbedding: Hashable, Sendable {
    /// The words for `embedding`.
    package enum Method: String, CaseIterable, Sendable {
        case pixels
        case pca
        case autoencoder
        case lenet5

        /// Whether a network is trained for it.
        var isTrained: Bool { self == .autoencoder || self == .lenet5 }
        /// Whether a study says how many values it leaves.
        var takesSize: Bool { self == .pca || self == .autoencoder }
    }

    /// The samples' own values: pixels, or features.
    case pixels
    /// Projections onto so many principal components.
    case pca(Int)
    /// The code of an autoencoder of so many values that trains for so many epochs.
    case autoencoder(size: Int, epochs: Int)
    /// What the last layer of a `lenet5` takes after so many epochs.
    case lenet5(epochs: Int)

    /// Values that the last layer of `lenet5` takes.
    package static let lenet5Size = 84
    /// The columns that tell embeddings apart, beside those of PCA.
    package static let columns = ["embedding", "embedding_size", "embedding_epochs"]

    /// The embedding of a word with the numbers of `settings`.
    init(_ method: Method, _ settings: StudySettings) {
        self =
            switch method {
            case .pixels: .pixels
            case .pca: .pca(settings.pcaComponents)
            case .autoencoder: .autoencoder(size: settings.pcaComponents, epochs: settings.embeddingEpochs)
            case .lenet5: .lenet5(epochs: settings.embeddingEpochs)
            }
    }

    /// Its word.
    package var method: Method {
        switch self {
        case .pixels: .pixels
        case .pca: .pca
        case .autoencoder: .autoencoder
        case .lenet5: .lenet5
        }
    }

    /// The dimensions that PCA leaves; nil without PCA.
    package var pcaComponents: Int? { if case .pca(let components) = self { components } else { nil } }

    /// Values of a point; nil where they are the sample's own.
    package var size: Int? {
        switch self {
        case .pixels: nil
        case .pca(let size), .autoencoder(let size, _): size
        case .lenet5: Self.lenet5Size
        }
    }

    /// Epochs that its network trains for; nil without a network.
    package var epochs: Int? {
        switch self {
        case .pixels, .pca: nil
        case .autoencoder(_, let epochs), .lenet5(let epochs): epochs
        }
    }

    /// Its name and size, in words for people.
    /// - Parameter isOfFeatures: whether the samples are features, not images.
    package func text(isOfFeatures: Bool) -> String {
        switch self {
        case .pixels: isOfFeatures ? "features" : "pixels"
        case .pca(let components): "PCA \(components)"
        case .autoencoder(let size, let epochs): "autoencoder \(size)" + Self.told(epochs)
        case .lenet5(let epochs): "lenet5 \(Self.lenet5Size)" + Self.told(epochs)
        }
    }

    /// The epochs, where they are not the usual ones.
    private static func told(_ epochs: Int) -> String {
        epochs == StudySettings().embeddingEpochs ? "" : " (\(epochs) epoch\(epochs == 1 ? "" : "s"))"
    }

    /// The text of a table's column; nil where the embedding has no use for it, or it is another's.
    func word(column: String) -> String? {
        switch column {
        case "apply_pca": pcaComponents == nil ? "False" : "True"
        case "pca_components": pcaComponents.map { "\($0)" }
        case "embedding": method.rawValue
        case "embedding_size": size.map { "\($0)" }
        case "embedding_epochs": epochs.map { "\($0)" }
        default: nil
        }
    }
}

extension StudyPlan {
    /// The networks that are trained beside those of runs, in words for people; nil where there are none.
    package var artifactNetworks: String? {
        let kinds = imagesOfArtifacts.keys.map(\.kind)
        let words = [
            kinds.contains { $0 is EmbeddingKey } ? "embeddings" : nil,
            kinds.contains { $0 is DynamicsKey } ? "score networks" : nil,
        ].compactMap { $0 }
        return words.isEmpty ? nil : words.joined(separator: " and ")
    }
}

extension StoredStudy {
    /// Reconstructions by an autoencoder of the study; nil where it is not fitted yet, or is damaged.
    package func reconstruction(_ key: EmbeddingKey) -> Reconstruction? {
        artifact(ArtifactKey(key)).flatMap { Reconstruction($0) }
    }
}

extension Experiment {
    /// The points that its samples are clustered or scored as; nil where they are neither.
    package var embedding: StudyEmbedding? {
        clustering?.embedding ?? scoring.flatMap { $0.isOfPoints ? $0.embedding : nil }
    }

    /// Whether the runs share clusterings, or embeddings by networks, of which there are ``clusteringSeeds``.
    package var takesClusteringSeeds: Bool { clustering != nil || embedding?.epochs != nil }

    /// The embedding that run `run` (from 0) selects by; nil where no network makes its points. There is one per
    /// clustering, so that intervals hold how much a selection varies with the network.
    package func embedding(run: Int) -> EmbeddingKey? {
        embedding.flatMap { EmbeddingKey($0, of: recipe.trainingSet, seed: seed, index: run % clusteringSeeds) }
    }
}
