/// The points that samples are clustered or scored as.
package enum StudyEmbedding: Hashable, Sendable {
    /// The values of the key `embedding`.
    package enum Method: Hashable, Sendable, CustomStringConvertible {
        case pixels
        case pca
        case autoencoder
        case lenet5
        /// A user's own autoencoder.
        case own(OwnAutoencoder)

        /// Those that a word names.
        static let named: [Method] = [.pixels, .pca, .autoencoder, .lenet5]

        /// Its name, in a study and in tables.
        package var word: String {
            switch self {
            case .pixels: "pixels"
            case .pca: "pca"
            case .autoencoder: "autoencoder"
            case .lenet5: "lenet5"
            case .own(let autoencoder): autoencoder.model.name
            }
        }
        /// In a sentence.
        package var description: String { if case .own = self { "the model \(word)" } else { word } }

        /// True if it needs a trained network.
        var isTrained: Bool { self != .pixels && self != .pca }
        /// True if a study can set the number of values.
        var takesSize: Bool { self == .pca || self == .autoencoder }
        /// The number of values, if the network alone decides it; otherwise nil.
        var fixedSize: Int? {
            switch self {
            case .pixels, .pca, .autoencoder: nil
            case .lenet5: StudyEmbedding.lenet5Size
            case .own(let autoencoder): autoencoder.size
            }
        }
    }

    /// The samples' own values: pixels, or features.
    case pixels
    /// Projections onto this number of principal components.
    case pca(Int)
    /// The code, with `size` values, of an autoencoder trained for `epochs`.
    case autoencoder(size: Int, epochs: Int)
    /// The input of the last layer of a `lenet5` trained for `epochs`.
    case lenet5(epochs: Int)
    /// The code of a user's own autoencoder trained for `epochs`.
    case own(OwnAutoencoder, epochs: Int)

    /// The number of inputs of the last layer of `lenet5`.
    package static let lenet5Size = 84
    /// The columns that identify an embedding, in addition to those of PCA.
    package static let columns = ["embedding", "embedding_size", "embedding_epochs"]

    /// The embedding by `method`, with the size and epochs of `settings`.
    init(_ method: Method, _ settings: StudySettings) {
        self =
            switch method {
            case .pixels: .pixels
            case .pca: .pca(settings.pcaComponents)
            case .autoencoder: .autoencoder(size: settings.pcaComponents, epochs: settings.embeddingEpochs)
            case .lenet5: .lenet5(epochs: settings.embeddingEpochs)
            case .own(let autoencoder): .own(autoencoder, epochs: settings.embeddingEpochs)
            }
    }

    /// Its method.
    package var method: Method {
        switch self {
        case .pixels: .pixels
        case .pca: .pca
        case .autoencoder: .autoencoder
        case .lenet5: .lenet5
        case .own(let autoencoder, _): .own(autoencoder)
        }
    }

    /// The dimensions of PCA; nil without PCA.
    package var pcaComponents: Int? { if case .pca(let components) = self { components } else { nil } }

    /// Values per point; nil for the sample's own values.
    package var size: Int? {
        switch self {
        case .pixels: nil
        case .pca(let size), .autoencoder(let size, _): size
        case .lenet5: Self.lenet5Size
        case .own(let autoencoder, _): autoencoder.size
        }
    }

    /// Epochs that its network trains for; nil without a network.
    package var epochs: Int? {
        switch self {
        case .pixels, .pca: nil
        case .autoencoder(_, let epochs), .lenet5(let epochs), .own(_, let epochs): epochs
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
        case .own(let autoencoder, let epochs):
            "\(autoencoder.model.name) \(autoencoder.size)" + Self.told(epochs)
        }
    }

    /// The epochs, if not the default; otherwise empty.
    private static func told(_ epochs: Int) -> String {
        epochs == StudySettings().embeddingEpochs ? "" : " (\(epochs) epoch\(epochs == 1 ? "" : "s"))"
    }

    /// The text of a table's column; nil if the column does not apply to the embedding.
    func word(column: String) -> String? {
        switch column {
        case "apply_pca": pcaComponents == nil ? "False" : "True"
        case "pca_components": pcaComponents.map { "\($0)" }
        case "embedding": method.word
        case "embedding_size": size.map { "\($0)" }
        case "embedding_epochs": epochs.map { "\($0)" }
        default: nil
        }
    }
}

extension StudyPlan {
    /// A description of the networks that are trained in addition to those of the runs; nil if there are none.
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
    /// The reconstructions by an autoencoder of the study; nil if it has not been trained yet or is damaged.
    package func reconstruction(_ key: EmbeddingKey) -> Reconstruction? {
        artifact(ArtifactKey(key)).flatMap { Reconstruction($0) }
    }

    /// Why there is no ``reconstruction(_:)`` although the autoencoder was trained: the file and what is wrong with it, as
    /// part of a sentence.
    package func reconstructionFault(_ key: EmbeddingKey) -> String? {
        fault(of: ArtifactKey(key)) { run in
            results.plan.experiment(run.experimentID).embedding(run: run.run) == key
        }
    }
}

extension Experiment {
    /// The embedding that is clustered or scored; nil without either.
    package var embedding: StudyEmbedding? {
        clustering?.embedding ?? scoring.flatMap { $0.isOfPoints ? $0.embedding : nil }
    }

    /// True if the runs share ``clusteringSeeds`` clusterings or embeddings by networks.
    package var takesClusteringSeeds: Bool { clustering != nil || embedding?.epochs != nil }

    /// The embedding that run `run` (from 0) selects by; nil if no network makes its points. There is one per
    /// clustering, so that intervals include the variation due to the network.
    package func embedding(run: Int) -> EmbeddingKey? {
        embedding.flatMap { EmbeddingKey($0, of: recipe.trainingSet, seed: seed, index: run % clusteringSeeds) }
    }
}
