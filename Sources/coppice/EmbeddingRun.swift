import Clustering
import Compute
import Datasets
import Foundation
import Networks
import Studies
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

    /// The value of the largest magnitude among the training or the test rows, and its place, as a clause. Nil for images,
    /// for features of uint8, and where all values are of a usual size.
    private func largest(_ split: EmbedCommand.Split, of dataset: Dataset) -> String? {
        let (samples, paths) =
            split == .test ? (dataset.test, command.testFeatures) : (dataset.train, command.matrix.paths)
        guard case .floats(let values) = samples.values, !paths.isEmpty else { return nil }
        var (place, magnitude) = (0, Self.usualMagnitude)
        for index in values.indices where values[index].magnitude > magnitude {
            (place, magnitude) = (index, values[index].magnitude)
        }
        guard magnitude > Self.usualMagnitude else { return nil }
        let (row, column) = place.quotientAndRemainder(dividingBy: samples.shape.featureCount)
        guard let origin = try? Features.open(paths).values.origin(of: row) else { return nil }
        let change =
            dataset.scaling != nil
            ? " once it is scaled" : samples.medians != nil ? " less the median of its column" : ""
        return "\(origin.file) has \(values[place]) in row \(origin.row), column \(column) (counted from 0)\(change)"
    }

    /// The largest magnitude of features that networks usually take.
    private static let usualMagnitude: Float = 100

    // MARK: - PCA

    /// The embedding by principal components.
    func principalComponents(since start: ContinuousClock.Instant) throws -> Result {
        let (train, test, name) = try matrices()
        let size = command.size ?? 50
        try checkSize(
            size, most: min(train.matrix.count, train.matrix.dimensions),
            of: "the \(train.matrix.count) \(unit)s of \(train.matrix.dimensions) values in \(name)", "components")
        let backend = try command.compute.makeBackend(in: command.shape)
        let loadingSeconds = (ContinuousClock.now - start) / .seconds(1)
        let begin = ContinuousClock.now
        let components = try train.naming { try Components(of: train.matrix, count: size, on: backend) }
        let embedded = test ?? train
        let values = try embedded.naming { try components.embed(embedded.matrix) }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return Result(
            values: values, size: size, inputs: train.matrix.dimensions,
            explainedVariance: try embedded.naming {
                try components.explainedVariance(of: test?.matrix, embedded: values)
            }, seconds: seconds, loadingSeconds: loadingSeconds, device: backend.device)
    }

    /// Rows, and the features that they are; nil for images.
    private struct Rows {
        let matrix: FeatureMatrix
        let features: Features?

        init(_ samples: SampleSet) throws {
            matrix = try FeatureMatrix(samples)
            features = nil
        }

        init(_ features: Features) throws {
            do throws(ClusteringError) { matrix = try FeatureMatrix(features.samples, forComponents: true) } catch {
                throw Failure(error, in: features)
            }
            self.features = features
        }

        /// Runs `body`; an error about the rows names their file.
        func naming<Result>(_ body: () throws -> Result) throws -> Result {
            do { return try body() } catch let error as ClusteringError {
                guard let features, error.category == .badData else { throw error }
                throw Failure(error, in: features)
            }
        }
    }

    /// The training samples, the samples to embed if they are others, and the name of the training samples; features stay
    /// in their files.
    private func matrices() throws -> (train: Rows, test: Rows?, name: String) {
        guard let name = command.matrix.name else {
            let images = try command.data.load(quiet: quiet)
            return (try Rows(images.train), command.split == .test ? try Rows(images.test) : nil, images.name)
        }
        let features = try command.matrix.open(quiet: quiet)
        guard command.split == .test else { return (try Rows(features), nil, name) }
        let test = try Features.open(command.testFeatures)
        for note in test.notes { Terminal.note("note: \(note)", quiet: quiet) }
        try test.checkWidth(of: features)
        return (try Rows(features), try Rows(try test.scaled(by: features.scaling)), name)
    }

    // MARK: - Networks

    /// The embedding by a network: trained here, or that of `--weights`.
    /// - Parameter file: the model's file, which its faults name; nil for a model of the library.
    func network(_ model: ModelSpec, of file: ModelFile? = nil, since start: ContinuousClock.Instant) throws -> Result {
        let recipe = try inModel(file) { () throws(NetworkError) in try self.recipe(model) }
        let backend = try command.compute.makeBackend(in: command.shape)
        let stored = try command.weights.map { try weights($0, of: model, file) }
        let dataset = try dataset(for: stored)
        if recipe.method == .classifier, dataset.train.labels.isEmpty {
            throw Failure("--with \(model.name) learns the classes of the samples, and these have none", exitCode: 65)
        }
        if stored == nil { try check(recipe, file, dataset) }
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
            embedder = try fit(
                training, recipe, normalisation, largest: largest(.train, of: dataset), on: backend)
        }
        guard let embedder, let embedded else { throw Failure("there is nothing to embed", exitCode: 70) }
        let begin = ContinuousClock.now
        let values = try inWeights(dataset) { () throws(NetworkError) in try embedder.embed(embedded) }
        let seconds = embedder.seconds + (ContinuousClock.now - begin) / .seconds(1)
        var result = Result(
            values: values, size: embedder.size, inputs: dataset.train.shape.featureCount,
            network: (embedder, metadata(of: dataset, recipe)), seconds: seconds, loadingSeconds: loadingSeconds,
            device: backend.device)
        if embedder.isAutoencoder {
            result.error = try inWeights(dataset) { () throws(NetworkError) in try embedder.error(of: embedded) }
            result.explainedVariance = result.error?.explainedVariance
            result.componentsVariance = try componentsVariance(
                dataset, count: embedder.size, isResized: trained.side != nil, on: backend)
        }
        return result
    }

    private func recipe(_ model: ModelSpec) throws(NetworkError) -> EmbeddingRecipe {
        let training = command.optimization.applied(
            to: TrainingOptions(
                length: .epochs(command.epochs ?? 10), batchSize: command.batch ?? 64,
                learningRate: command.learningRate ?? 0.001))
        return try EmbeddingRecipe(model, training: training, seed: command.compute.seed)
    }

    /// Refuses a training that cannot begin.
    private func check(_ recipe: EmbeddingRecipe, _ file: ModelFile?, _ dataset: Dataset) throws {
        let shape = dataset.train.shape
        if command.method == .autoencoder {
            try checkSize(recipe.size, most: shape.featureCount, of: "the \(unit)s in \(dataset.name)", "values")
        }
        if let side = recipe.model.side, !dataset.isOfImages {
            throw Failure(
                "\(command.method.path ?? recipe.model.name): \(recipe.model.name) takes images (side: \(side)), and "
                    + "\(dataset.name) has features; a model without side is accepted", exitCode: 65)
        }
        try inModel(file) { () throws(NetworkError) in
            try recipe.check(recipe.model.input(of: shape))
            try recipe.model.check(
                samples: shape, classes: dataset.classCount, batch: min(recipe.training.batchSize, dataset.train.count),
                augment: recipe.training.augment)
        }
    }

    /// Reads the samples, those of features changed as the network that takes them needs it.
    private func dataset(for stored: StoredWeights?) throws -> Dataset {
        guard let name = command.matrix.name else {
            let dataset = try command.data.load(quiet: quiet)
            if let stored, let path = command.weights { try stored.check(dataset, scaling: scaling, path: path) }
            return dataset
        }
        let (scaling, figures) = try self.scaling(of: name, for: stored)
        let dataset = try Dataset.load(
            name: name, features: command.matrix.paths, testFeatures: command.testFeatures, scaling: scaling,
            figures: figures
        ) { Terminal.note("note: \($0)", quiet: quiet) }
        guard let stored, let path = command.weights else { return dataset }
        try stored.check(dataset, scaling: scaling, path: path)
        let (width, wanted) = (dataset.train.shape.featureCount, stored.weights.layout.input.featureCount)
        guard width == wanted else {
            throw Failure(
                "\(path): the weights of \(stored.weights.layout.model.name) take samples of \(wanted) values, and those "
                    + "of \(name) have \(width) values", exitCode: 65)
        }
        return dataset
    }

    /// The scaling of features, and the figures for it; nil to take those of the training rows. Weights bring both with
    /// them.
    private func scaling(
        of name: String, for stored: StoredWeights?
    ) throws -> (scaling: RequestedScaling, figures: FeatureFigures?) {
        // Weights of images are refused once the samples are there.
        guard let stored, let path = command.weights, !stored.areOfImages else { return (scaling, nil) }
        let none = RequestedScaling()
        let trained = try stored.trainedScaling(path: path)
        if let trained, scaling != none, scaling != trained.requested {
            let areTwo = scaling.standardize && scaling.normalize
            throw Failure(
                "\(path): its network was trained on features with \(trained.requested.options), and \(scaling.options) "
                    + "\(areTwo ? "are" : "is") given; "
                    + (trained.requested == none
                        ? "leave \(areTwo ? "them" : "it") out"
                        : "give \(trained.requested.options), or none of these options: the file says how to scale rows"),
                exitCode: 65)
        }
        let requested = trained?.requested ?? scaling
        if requested.standardize, trained?.columns == nil {
            // The figures of other rows would put them elsewhere.
            guard command.split == .test else {
                throw Failure(
                    "\(path) lacks the means and standard deviations by which its network's features were standardized, "
                        + "and those of \(name) may differ; give the rows that it was trained on by --features, and the "
                        + "rows to embed by --split test with --test-features", exitCode: 65)
            }
            return (requested, nil)
        }
        if let trained, scaling == none, trained.requested != none {
            Terminal.note(
                "note: scaling \(name) as \(path) says: \(trained.requested.options)"
                    + (trained.columns == nil ? "" : ", by the means and standard deviations in it"), quiet: quiet)
        }
        return (requested, trained?.figures)
    }

    /// Reads the weights of a network.
    /// - Parameter file: the file of the model that they must have; nil to accept any autoencoder's for the library's.
    private func weights(_ path: String, of model: ModelSpec, _ file: ModelFile?) throws -> StoredWeights {
        let stored = try inModel(file) { () throws(NetworkError) in
            try ModelWeights.read(path, of: file?.model, unnamed: model)
        }
        for note in stored.notes { Terminal.note(note, quiet: quiet) }
        let found = stored.weights.layout.model
        // A code of another size means another model.
        guard found == model || model.isAutoencoder && found.isAutoencoder && command.size == nil else {
            if model.isAutoencoder, found.isAutoencoder, let size = command.size, let code = try? found.embeddingLayer()
            {
                throw Failure(
                    "\(path): the code of \(found.name) has \(code.size) values, and --size is \(size); "
                        + (code.size == size ? "leave --size out" : "give --size \(code.size), or leave --size out"),
                    exitCode: 65)
            }
            let choice =
                found.isAutoencoder ? "autoencoder" : found == ModelLibrary.leNet5 ? ModelLibrary.leNet5.name : nil
            throw Failure(
                "\(path) holds weights of \(found.name), and those of \(model.name) are needed"
                    + (choice.map { "; --with \($0) takes them" } ?? ""), exitCode: 65)
        }
        if stored.normalisation == nil, !model.isAutoencoder {
            Terminal.note(
                "\(path) has no mean and std in its metadata: taking those of this data set's training images",
                quiet: false)
        }
        return stored
    }

    private func metadata(of dataset: Dataset, _ recipe: EmbeddingRecipe) -> [String: String] {
        StoredWeights.metadata(
            of: dataset.train, isOfImages: dataset.isOfImages,
            classNames: recipe.method == .classifier ? dataset.classNames : [], scaling: dataset.scaling)
    }

    private func fit(
        _ store: SampleStore, _ recipe: EmbeddingRecipe, _ normalisation: Normalisation, largest: String?,
        on backend: any Backend
    ) throws -> Embedder {
        let epochs = command.epochs ?? 10
        Terminal.note(
            "training \(recipe.model.name) on \(store.count) \(unit)s, \(describeCount(epochs, "epoch"))",
            quiet: quiet)
        let bar = ProgressBar("training", unit: "\(unit)s", quiet: quiet)
        defer { bar.finish() }
        let remedy =
            (largest.map { "\($0); " } ?? "")
            + (largest == nil || scaling.standardize ? "" : "give --standardize, or ") + "try a smaller --learning-rate"
        return try Embedder.fit(store, recipe, normalisation: normalisation, on: backend, remedy: remedy) { progress in
            bar.update(Double(progress.images), of: Double(epochs * store.count))
            return true
        }
    }

    /// Runs `body`; an error about a layer of a model in a file names the layer's place there.
    private func inModel<Result>(
        _ file: ModelFile?, _ body: () throws(NetworkError) -> Result
    ) throws -> Result {
        do throws(NetworkError) { return try body() } catch {
            guard let file, case .invalid(let reason, let layer?) = error else { throw error }
            throw Failure("\(file.places[layer]): \(reason)", category: error.category)
        }
    }

    /// Runs `body`; an error about given weights names their file, and one about sums names the largest of the values.
    private func inWeights<Result>(
        _ dataset: Dataset, _ body: () throws(NetworkError) -> Result
    ) throws -> Result {
        do throws(NetworkError) { return try body() } catch {
            guard error.category == .badData else { throw error }
            var place = ""
            if case .unusableWeights = error, let largest = self.largest(command.split, of: dataset) {
                place = "; \(largest)"
            }
            throw Failure((command.weights.map { "\($0): " } ?? "") + "\(error)" + place, category: error.category)
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
