import Datasets

/// The training of an embedding: the network and the training options.
package struct EmbeddingRecipe: Hashable, Sendable {
    /// The network's training objective.
    package enum Method: String, Hashable, Sendable {
        /// Reconstructing the input through a narrow layer, whose values are the embedding. It needs no labels.
        case autoencoder
        /// Classification; the input of the last layer is the embedding.
        case classifier
    }

    /// The network.
    package let model: ModelSpec
    /// Values per embedding.
    package let size: Int
    /// The number of the model's layers up to the one whose values are the embedding.
    let layers: Int
    /// The training options.
    package var training: TrainingOptions
    /// Seed and run number, which determine the initial weights and the order of the samples.
    package var seed: UInt64
    package var run: Int
    /// The network's training objective.
    package var method: Method { model.isAutoencoder ? .autoencoder : .classifier }

    /// The embedding by `model`; by default 10 epochs, batches of 64, and Adam with a learning rate of 0.001.
    /// - Throws: ``NetworkError/invalid(reason:)`` for a model without an embedding layer, as
    ///   ``ModelSpec/embeddingLayer()``.
    package init(
        _ model: ModelSpec, training: TrainingOptions = Self.defaultTraining, seed: UInt64, run: Int = 0
    ) throws(NetworkError) {
        (layers, size) = try model.embeddingLayer()
        self.model = model
        self.training = training
        self.seed = seed
        self.run = run
    }

    /// The library's autoencoder with a code of `size` values, or its LeNet-5 with 84.
    /// - Throws: ``NetworkError/invalid(reason:)`` for a classifier with another size.
    package init(
        _ method: Method, size: Int? = nil, epochs: Int = 10, seed: UInt64, run: Int = 0
    ) throws(NetworkError) {
        let model = method == .autoencoder ? ModelLibrary.autoencoder(size: size ?? 64) : ModelLibrary.leNet5
        var training = Self.defaultTraining
        training.length = .epochs(epochs)
        try self.init(model, training: training, seed: seed, run: run)
        if let size, size != self.size {
            throw .invalid(reason: "an embedding by \(model.name) has \(self.size) values, not \(size)")
        }
    }

    /// 10 epochs with Adam.
    package static let defaultTraining = TrainingOptions(length: .epochs(10))

    /// The normalisation of the network's input. An autoencoder takes images in [0, 1] and features as they are; a
    /// classifier normalises both by the training set's statistics.
    package func normalisation(of training: [ChannelStatistics]) -> Normalisation {
        method == .autoencoder ? .none(channels: training.count) : Normalisation(spread: training)
    }

    /// Refuses samples that an embedding would not make smaller.
    /// - Throws: ``NetworkError/invalid(reason:)`` if the code has more values than a sample.
    package func check(_ samples: SampleShape) throws(NetworkError) {
        guard method == .classifier || size <= samples.featureCount else {
            throw .invalid(
                reason: "a code of \(size) values is wider than the samples, which have \(samples.featureCount); 1 to "
                    + "\(samples.featureCount) are accepted", layer: layers - 1)
        }
    }
}

extension Normalisation {
    /// Neither shift nor scale: floats stay as they are, and bytes are divided by 255.
    package static func none(channels: Int) -> Normalisation {
        Normalisation([ChannelStatistics](repeating: ChannelStatistics(mean: 0, std: 1), count: channels))
    }
}
