import Compute
import Datasets
import Support

/// A trained network that embeds samples: an autoencoder by its code, a classifier by the input of its last layer.
///
/// ```swift
/// let store = try SampleStore.make(samples, for: recipe.model, classes: classes, on: backend)
/// let normalisation = recipe.normalisation(of: samples.channels)
/// let embedder = try Embedder.fit(store, recipe, normalisation: normalisation, on: backend)
/// let rows = try embedder.embed(store)  // [store.count][embedder.size]
/// ```
package struct Embedder {
    /// The network.
    package let weights: ModelWeights
    /// The normalisation of its input.
    package let normalisation: Normalisation
    /// Values per embedding.
    package let size: Int
    /// The training's steps and wall time in seconds; 0 for given weights.
    package let steps: Int
    package let seconds: Double
    private let layers: Int
    private let backend: any Backend

    /// True if the network reconstructs its input.
    package var isAutoencoder: Bool { weights.layout.model.isAutoencoder }

    private init(
        _ weights: ModelWeights, _ normalisation: Normalisation, layers: Int, size: Int, steps: Int = 0,
        seconds: Double = 0, on backend: any Backend
    ) {
        self.weights = weights
        self.normalisation = normalisation
        self.layers = layers
        self.size = size
        self.steps = steps
        self.seconds = seconds
        self.backend = backend
    }

    /// Trains the recipe's network on all samples of a store.
    /// - Parameters:
    ///   - store: samples as ``SampleStore/make(_:for:classes:on:)`` makes them for the recipe's model.
    ///   - normalisation: the normalisation of the network's input, as given by ``EmbeddingRecipe/normalisation(of:)``.
    ///   - remedy: advice if training diverges, as the end of a sentence.
    ///   - progress: called between steps; returns false to give up.
    /// - Throws: ``NetworkError/invalid(reason:)`` for samples or options that do not fit,
    ///   ``NetworkError/unusableWeights(reason:)`` where training diverges, ``NetworkError/cancelled``, or the device's error.
    package static func fit(
        _ store: SampleStore, _ recipe: EmbeddingRecipe, normalisation: Normalisation, on backend: any Backend,
        remedy: String = "try a smaller learning rate", progress: (TrainingProgress) -> Bool = { _ in true }
    ) throws(NetworkError) -> Embedder {
        try recipe.check(store.shape)
        let run = TrainingRun(subset: Array(0..<store.count), seed: recipe.seed, run: recipe.run)
        let result = try Trainer(store, model: recipe.model, normalisation: normalisation, on: backend).train(
            [run], options: recipe.training, progress: progress)
        if let step = result.divergedSteps.first.flatMap({ $0 }) {
            throw .unusableWeights(
                reason: "\(recipe.model.name) diverged at step \(step), with a learning rate of "
                    + "\(recipe.training.learningRate): a loss or a weight is no longer finite; \(remedy)"
            )
        }
        guard let weights = result.weights.first else { throw .invalid(reason: "no network was trained") }
        return Embedder(
            weights, normalisation, layers: recipe.layers, size: recipe.size, steps: result.losses.count,
            seconds: result.seconds, on: backend)
    }

    /// An embedder with the weights of a file.
    /// - Parameter fallback: the normalisation if the file has none; nil for samples as they are.
    /// - Throws: ``NetworkError/invalid(reason:)`` if the weights' model has no embedding layer.
    package init(
        _ stored: StoredWeights, fallback: Normalisation? = nil, on backend: any Backend
    ) throws(NetworkError) {
        let layout = stored.weights.layout
        let (layers, size) = try layout.model.embeddingLayer()
        // The layout of a model that flattens its samples does not record their number of channels.
        let channels = layout.takesPlanes ? layout.input.channels : 1
        self.init(
            stored.weights, stored.normalisation ?? fallback ?? .none(channels: channels), layers: layers, size: size,
            on: backend)
    }

    /// The embeddings of samples, row-major [row][size].
    /// - Parameters:
    ///   - rows: numbers of samples in the store; nil for all of them in their order.
    ///   - progress: called with the number of samples done; returns false to give up.
    /// - Throws: ``NetworkError/invalid(reason:)`` for samples of another shape, ``NetworkError/unusableWeights(reason:)``
    ///   where the network's sums overflow, ``NetworkError/cancelled``, or the device's error.
    package func embed(
        _ store: SampleStore, rows: [Int]? = nil, progress: (Int) -> Bool = { _ in true }
    ) throws(NetworkError) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity((rows?.count ?? store.count) * size)
        try run(store, rows, layers: layers, progress) { _, output in result += output }
        return result
    }

    /// The reconstructions of samples by an autoencoder, row-major [row][value], in normalised units: for images
    /// usually [0, 1].
    /// - Throws: as ``embed(_:rows:progress:)``, and ``NetworkError/invalid(reason:)`` for a classifier.
    package func reconstruct(
        _ store: SampleStore, rows: [Int]? = nil, progress: (Int) -> Bool = { _ in true }
    ) throws(NetworkError) -> [Float] {
        try checkAutoencoder()
        var result: [Float] = []
        result.reserveCapacity((rows?.count ?? store.count) * store.shape.featureCount)
        try run(store, rows, layers: weights.layout.modules.count, progress) { _, output in result += output }
        return result
    }

    /// The reconstruction error of an autoencoder over all samples of a store.
    /// - Throws: as ``reconstruct(_:rows:progress:)``.
    package func error(
        of store: SampleStore, progress: (Int) -> Bool = { _ in true }
    ) throws(NetworkError) -> ReconstructionError {
        try checkAutoencoder()
        let width = store.shape.featureCount
        var sums = ReconstructionSums(width: width)
        try run(store, nil, layers: weights.layout.modules.count, progress) { input, output in
            for first in stride(from: 0, to: output.count, by: width) {
                sums.add(input[first..<first + width], output[first..<first + width])
            }
        }
        return sums.error
    }

    private func checkAutoencoder() throws(NetworkError) {
        guard isAutoencoder else {
            throw .invalid(reason: "\(weights.layout.model.name) is a classifier, and does not reconstruct its input")
        }
    }

    /// The most samples per batch, and the most values of all layers together for a batch.
    private static let (mostSamples, mostValues) = (1024, 1 << 26)

    /// Calls `body` for each batch with the network's input and the output of its first `layers` layers, both
    /// row-major.
    private func run(
        _ store: SampleStore, _ rows: [Int]?, layers: Int, _ progress: (Int) -> Bool,
        _ body: (_ input: [Float], _ output: [Float]) -> Void
    ) throws(NetworkError) {
        let model = weights.layout.model
        let layout = try ParameterLayout(model, samples: store.shape, classes: weights.layout.classes)
        let weights = weights.laidOut(as: layout)
        guard weights.layout == layout else {
            throw .invalid(
                reason: "the weights of \(model.name) take samples of \(weights.layout.inputText), and these have "
                    + layout.inputText)
        }
        try normalisation.validate(for: store)
        let rows = rows ?? Array(0..<store.count)
        if let stray = rows.first(where: { !(0..<store.count).contains($0) }) {
            throw .invalid(reason: "row \(stray) is outside the \(store.count) samples")
        }
        guard !rows.isEmpty else { return }
        let values = layout.modules.reduce(layout.input.featureCount) { $0 + $1.output.featureCount }
        let size = min(Self.mostSamples, max(1, Self.mostValues / values), rows.count)
        let width = (
            input: layout.input.featureCount, output: layers == 0 ? 0 : layout.modules[layers - 1].output.featureCount
        )
        do {
            let schedule = try StepSchedule(capacity: 1, replicas: 1, on: backend)
            let order = try backend.makeBuffer(rows.map(Int32.init), label: "order of samples")
            // This needs the values of single layers, which the fused network does not keep.
            let network = try LayeredNetwork(
                ModelParameters([weights], on: backend), batchSize: size, schedule: schedule, on: backend)
            let source = try SampleSource(
                store, order: order, orderStride: 0, normalisation: normalisation, on: backend)
            for first in stride(from: 0, to: rows.count, by: size) {
                let batch = first..<min(first + size, rows.count)
                try schedule.load([batch], firstStep: 0, learningRate: 1, on: backend)
                let values = try network.forward(source, layers: layers)
                let input = network.batch.rows(
                    of: try backend.read(values.input), width: width.input, count: batch.count)
                let output = network.batch.rows(
                    of: try backend.read(values.output), width: width.output, count: batch.count)
                if let place = output.firstIndex(where: { !$0.isFinite }) {
                    throw NetworkError.unusableWeights(
                        reason:
                            "the sums of \(model.name) overflow for sample \(rows[first + place / width.output]): its "
                            + "weights or the samples are too large")
                }
                body(input, output)
                guard progress(batch.upperBound) else { throw NetworkError.cancelled }
            }
        } catch let error as ComputeError {
            throw .compute(error)
        } catch let error as NetworkError {
            throw error
        } catch {
            throw .invalid(reason: "\(error)")
        }
    }
}

extension BatchShape {
    /// The first `count` samples of a replica's activation, [tile][value][sample], as rows.
    fileprivate func rows(of values: [Float], width: Int, count: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: count * width) { rows, initialized in
            values.withUnsafeBufferPointer { values in
                for sample in 0..<count {
                    let first = sample / tile * width * tile + sample % tile
                    for value in 0..<width { rows[sample * width + value] = values[first + value * tile] }
                }
            }
            initialized = count * width
        }
    }
}

/// The error of an autoencoder's reconstructions.
package struct ReconstructionError: Hashable, Sendable {
    /// Mean over all samples and values of the squared difference, in normalised units, as torch.nn.MSELoss.
    package let meanSquaredError: Double
    /// 1 minus the squared differences' share of the samples' variance: 1 is a perfect reconstruction, 0 is that of the
    /// samples' mean. Nil if the samples have no variance.
    package let explainedVariance: Double?

    /// The errors for these sums over all samples and values.
    package init(squares: Double, variance: Double, values: Int) {
        meanSquaredError = values > 0 ? squares / Double(values) : 0
        explainedVariance = variance > 0 ? 1 - squares / variance : nil
    }
}

/// Accumulates the sums for a ``ReconstructionError`` row by row, in double precision.
private struct ReconstructionSums {
    /// The sum of the squared differences.
    private var squares = 0.0
    private var moments: ColumnMoments
    private let width: Int

    init(width: Int) {
        self.width = width
        moments = ColumnMoments(width: width)
    }

    mutating func add(_ input: ArraySlice<Float>, _ output: ArraySlice<Float>) {
        for (value, reconstruction) in zip(input, output) {
            let difference = Double(reconstruction) - Double(value)
            squares += difference * difference
        }
        moments.add(input)
    }

    var error: ReconstructionError {
        ReconstructionError(squares: squares, variance: moments.squaredDistances, values: moments.count * width)
    }
}
