import Datasets

/// How an embedding is learnt: the network to train, and for how long.
package struct EmbeddingRecipe: Hashable, Sendable {
    /// What the network learns.
    package enum Method: String, Hashable, Sendable {
        /// To reconstruct its input through a narrow layer, whose values embed it. It needs no labels.
        case autoencoder
        /// To tell classes apart; what its last layer takes embeds a sample.
        case classifier
    }

    /// The network.
    package let model: ModelSpec
    /// Values of a sample's embedding.
    package let size: Int
    /// How many of the model's layers give them.
    let layers: Int
    /// How it is trained.
    package var training: TrainingOptions
    /// Seed and run number, which initial weights and order of samples depend on.
    package var seed: UInt64
    package var run: Int
    /// What the network learns.
    package var method: Method { model.isAutoencoder ? .autoencoder : .classifier }

    /// The embedding by a model: 10 epochs, batches of 64, Adam with a learning rate of 0.001 unless others are given.
    /// - Throws: ``NetworkError/invalid(reason:)`` for a model without a layer that embeds, as
    ///   ``ModelSpec/embeddingLayer()`` says.
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
    /// - Throws: ``NetworkError/invalid(reason:)`` where a classifier's size is to be another one.
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

    /// What normalises samples of so many channels for it: an autoencoder takes images in [0, 1] and features as they are;
    /// a classifier takes them as in any training, by the training set's figures.
    package func normalisation(of training: [ChannelStatistics]) -> Normalisation {
        method == .autoencoder ? .none(channels: training.count) : Normalisation(spread: training)
    }

    /// Refuses samples that an embedding would not make smaller.
    /// - Throws: ``NetworkError/invalid(reason:)`` where a code has more values than a sample.
    package func check(_ samples: SampleShape) throws(NetworkError) {
        guard method == .classifier || size <= samples.featureCount else {
            throw .invalid(
                reason: "a code of \(size) values is wider than the samples, which have \(samples.featureCount); 1 to "
                    + "\(samples.featureCount) are accepted")
        }
    }
}

extension Normalisation {
    /// Neither shift nor scale: floats stay as they are, and of bytes 255 counts as 1.
    package static func none(channels: Int) -> Normalisation {
        Normalisation([ChannelStatistics](repeating: ChannelStatistics(mean: 0, std: 1), count: channels))
    }
}
