import Clustering
import Compute
import Datasets
import Foundation
import Networks
import Support

/// The work of `coppice embed`.
struct EmbeddingRun {
    let command: EmbedCommand
    /// The word for a sample.
    let unit: String
    private var quiet: Bool { command.compute.quiet }
    private var scaling: RequestedScaling {
        RequestedScaling(standardize: command.matrix.standardize, normalize: command.matrix.normalize)
    }

    /// The embeddings and their details.
    struct Result {
        /// [row][size].
        var values: [Float]
        var size: Int
        /// Values per sample.
        var inputs: Int
        var network: (embedder: Embedder, metadata: [String: String])?
        /// An autoencoder's reconstruction error on the embedded rows.
        var error: ReconstructionError?
        /// The explained share of the variance of these rows.
        var explainedVariance: Double?
        /// The share that as many principal components of the training samples explain; nil if unknown.
        var componentsVariance: Double?
        /// Seconds of training and embedding.
        var seconds: Double
        var loadingSeconds: Double
        var device: DeviceDescription
    }

    /// Refuses an embedding of more values than the samples allow.
    private func checkSize(_ size: Int, most: Int, of samples: String, _ values: String) throws(Failure) {
        guard size > most else { return }
        throw Failure(
            "--size is \(size)\(command.size == nil ? " (the default)" : ""), and \(samples) have only \(most) \(values); "
                + "give --size \(most == 1 ? "1" : "1 to \(most)")", exitCode: 64)
    }

    // MARK: - PCA

    /// The embedding by principal components.
    func principalComponents(since start: ContinuousClock.Instant) throws -> Result {
        let (train, test) = try matrices()
        let size = command.size ?? 50
        try checkSize(
            size, most: min(train.count, train.dimensions),
            of: "\(train.count) samples of \(train.dimensions) values", "components")
        let backend = try command.compute.makeBackend(in: command.shape)
        let loadingSeconds = (ContinuousClock.now - start) / .seconds(1)
        let begin = ContinuousClock.now
        let components = try Components(of: train, count: size, on: backend)
        let values = try components.embed(test ?? train)
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return Result(
            values: values, size: size, inputs: train.dimensions,
            explainedVariance: try components.explainedVariance(of: test, embedded: values), seconds: seconds,
            loadingSeconds: loadingSeconds, device: backend.device)
    }

    /// The training samples, and the samples to embed if they are others; features stay in their files.
    private func matrices() throws -> (train: FeatureMatrix, test: FeatureMatrix?) {
        guard command.matrix.name != nil else {
            let images = try command.data.load(quiet: quiet)
            let isOfTest = command.split == .test
            return (try FeatureMatrix(images.train), isOfTest ? try FeatureMatrix(images.test) : nil)
        }
        let features = try command.matrix.open(quiet: quiet)
        func matrix(_ features: Features) throws -> FeatureMatrix {
            do throws(ClusteringError) { return try FeatureMatrix(features.samples, forComponents: true) } catch {
                throw Failure(error, in: features)
            }
        }
        guard command.split == .test else { return (try matrix(features), nil) }
        let test = try Features.open(command.testFeatures)
        for note in test.notes { Terminal.note("note: \(note)", quiet: quiet) }
        try test.checkWidth(of: features)
        return (try matrix(features), try matrix(try test.scaled(by: features.scaling)))
    }

    // MARK: - Networks

    /// The embedding by a network: trained here, or that of `--weights`.
    func network(_ model: ModelSpec, since start: ContinuousClock.Instant) throws -> Result {
        let recipe = try recipe(model)
        let backend = try command.compute.makeBackend(in: command.shape)
        let dataset = try dataset()
        if recipe.method == .classifier, dataset.train.labels.isEmpty {
            throw Failure("--with \(model.name) learns the classes of the samples, and these have none", exitCode: 65)
        }
        if command.method == .autoencoder, command.weights == nil {
            try checkSize(recipe.size, most: dataset.train.shape.featureCount, of: "the samples", "values")
        }
        let stored = try command.weights.map { try weights($0, of: model, dataset) }
        let trained = stored?.weights.layout.model ?? model
        let isOfTest = command.split == .test
        if stored == nil {
            try model.checkMemory(
                samples: dataset.train.shape, classes: dataset.classCount, count: dataset.train.count,
                options: recipe.training, on: backend)
        }
        func store(_ samples: SampleSet) throws -> SampleStore {
            try SampleStore.make(samples, for: trained, classes: dataset.classCount, on: backend)
        }
        let training = stored == nil || !isOfTest ? try store(dataset.train) : nil
        let embedded = isOfTest ? try store(dataset.test) : training
        let loadingSeconds = (ContinuousClock.now - start) / .seconds(1)
        let normalisation = recipe.normalisation(of: dataset.channels)
        var embedder: Embedder?
        if let stored {
            embedder = try Embedder(stored, fallback: normalisation, on: backend)
        } else if let training {
            embedder = try fit(training, recipe, normalisation, on: backend)
        }
        guard let embedder, let embedded else { throw Failure("there is nothing to embed", exitCode: 70) }
        let begin = ContinuousClock.now
        let values = try inWeights { () throws(NetworkError) in try embedder.embed(embedded) }
        let seconds = embedder.seconds + (ContinuousClock.now - begin) / .seconds(1)
        var result = Result(
            values: values, size: embedder.size, inputs: dataset.train.shape.featureCount,
            network: (embedder, metadata(of: dataset, recipe)), seconds: seconds, loadingSeconds: loadingSeconds,
            device: backend.device)
        if embedder.isAutoencoder {
            result.error = try inWeights { () throws(NetworkError) in try embedder.error(of: embedded) }
            result.explainedVariance = result.error?.explainedVariance
            result.componentsVariance = try componentsVariance(
                dataset, count: embedder.size, isResized: trained.side != nil, on: backend)
        }
        return result
    }

    private func recipe(_ model: ModelSpec) throws(NetworkError) -> EmbeddingRecipe {
        let training = TrainingOptions(
            length: .epochs(command.epochs ?? 10), batchSize: command.batch ?? 64,
            learningRate: command.learningRate ?? 0.001)
        return try EmbeddingRecipe(model, training: training, seed: command.compute.seed)
    }

    private func dataset() throws -> Dataset {
        guard command.matrix.name != nil else { return try command.data.load(quiet: quiet) }
        return try Dataset.load(
            name: "features", features: command.matrix.paths, testFeatures: command.testFeatures, scaling: scaling
        ) { Terminal.note("note: \($0)", quiet: quiet) }
    }

    /// Reads the weights of a network for samples like these.
    private func weights(_ path: String, of model: ModelSpec, _ dataset: Dataset) throws -> StoredWeights {
        let isFile = command.method.path != nil
        let stored = try ModelWeights.read(path, of: isFile ? model : nil, unnamed: model)
        for note in stored.notes { Terminal.note(note, quiet: quiet) }
        let found = stored.weights.layout.model
        // A code of another size means another model.
        guard found == model || model.isAutoencoder && found.isAutoencoder && command.size == nil else {
            throw Failure(
                "\(path) holds weights of \(found.name), and those of \(model.name) are needed"
                    + (model.isAutoencoder && found.isAutoencoder ? "; leave --size out" : ""), exitCode: 65)
        }
        if stored.normalisation == nil, !model.isAutoencoder {
            Terminal.note(
                "\(path) has no mean and std in its metadata: taking those of this data set's training images",
                quiet: false)
        }
        try stored.check(dataset, scaling: scaling, path: path)
        return stored
    }

    private func metadata(of dataset: Dataset, _ recipe: EmbeddingRecipe) -> [String: String] {
        StoredWeights.metadata(
            of: dataset.train, isOfImages: dataset.isOfImages,
            classNames: recipe.method == .classifier ? dataset.classNames : [], scaling: scaling)
    }

    private func fit(
        _ store: SampleStore, _ recipe: EmbeddingRecipe, _ normalisation: Normalisation, on backend: any Backend
    ) throws -> Embedder {
        let epochs = command.epochs ?? 10
        Terminal.note(
            "training \(recipe.model.name) on \(store.count) \(unit)s, \(epochs) \(epochs == 1 ? "epoch" : "epochs")",
            quiet: quiet)
        let bar = ProgressBar("training", unit: "\(unit)s", quiet: quiet)
        defer { bar.finish() }
        return try Embedder.fit(store, recipe, normalisation: normalisation, on: backend) { progress in
            bar.update(Double(progress.images), of: Double(epochs * store.count))
            return true
        }
    }

    /// Runs `body`; an error about given weights names their file.
    private func inWeights<Result>(_ body: () throws(NetworkError) -> Result) throws -> Result {
        do throws(NetworkError) { return try body() } catch {
            guard let weights = command.weights, error.category == .badData else { throw error }
            throw Failure("\(weights): \(error)", category: error.category)
        }
    }

    /// The share of the variance that `count` principal components explain; nil if there are fewer components, or if
    /// they would take too long to compute.
    private func componentsVariance(
        _ dataset: Dataset, count: Int, isResized: Bool, on backend: any Backend
    ) throws -> Double? {
        let order = min(dataset.train.count, dataset.train.shape.featureCount)
        // If the network resizes the images, the variances are not comparable.
        guard count <= order, !isResized else { return nil }
        guard order <= PCA.mostOrderBesideNetworks else {
            Terminal.note("note: PCA of \(order) values is left out: it would take long", quiet: quiet)
            return nil
        }
        do {
            let components = try Components(
                of: FeatureMatrix(dataset.train, forComponents: true), count: count, on: backend)
            guard command.split == .test else { return try components.explainedVariance(of: nil, embedded: []) }
            let test = try FeatureMatrix(dataset.test, forComponents: true)
            return try components.explainedVariance(of: test, embedded: components.embed(test))
        } catch let error as ClusteringError {
            Terminal.note("note: PCA is left out: \(error)", quiet: quiet)
            return nil
        }
    }
}

/// Principal components of training samples.
private struct Components {
    let pca: PCA
    let backend: any Backend

    init(of matrix: FeatureMatrix, count: Int, on backend: any Backend) throws(ClusteringError) {
        pca = try PCA.fit(matrix, components: count, on: backend)
        self.backend = backend
    }

    /// The rows projected onto the components, [row][component].
    func embed(_ matrix: FeatureMatrix) throws -> [Float] {
        try HostRows(pca.project(matrix, on: backend), on: backend).values
    }

    /// The share of the variance that the components explain; nil if there is no variance.
    /// - Parameters:
    ///   - test: rows other than the training samples; nil for the training samples.
    ///   - values: the projections of these rows onto the components.
    func explainedVariance(of test: FeatureMatrix?, embedded values: [Float]) throws(ClusteringError) -> Double? {
        guard let test else {
            return pca.totalVariance > 0 ? pca.explainedVarianceRatio.reduce(0, +) : nil
        }
        // The components explain the part of the rows' deviations from the training samples' mean that lies along them.
        let moments = try test.columnMoments()
        let center = pca.mean.indices.map { pca.mean[$0] - (test.shift?[$0] ?? 0) }
        let along = values.reduce(0.0) { $0 + Double($1) * Double($1) }
        return ReconstructionError(
            squares: max(0, moments.squaredDistances(from: center) - along), variance: moments.squaredDistances,
            values: test.count * test.dimensions
        ).explainedVariance
    }
}
