import Compute

/// Where batches come from.
struct SampleSource {
    let store: SampleStore
    /// [channel][2]: scale and shift that normalise the store's samples.
    let scaling: DeviceBuffer<Float>
    /// [replicas][orderStride]: indices of samples.
    let order: DeviceBuffer<Int32>
    /// With a stride of 0 all replicas share one order.
    let orderStride: Int
    /// How images are moved and mirrored; nil where they are taken as they are.
    let augmentation: Augmentation?

    /// Batches of a store's samples, which the normalisation has to fit.
    init(
        _ store: SampleStore, order: DeviceBuffer<Int32>, orderStride: Int, normalisation: Normalisation,
        augmentation: Augmentation? = nil, on backend: any Backend
    ) throws(ComputeError) {
        self.augmentation = augmentation
        self.store = store
        self.order = order
        self.orderStride = orderStride
        scaling = try backend.makeBuffer(
            normalisation.scaling(ofBytes: store.isBytes).flatMap { [$0.scale, $0.shift] }, label: "scales and shifts")
    }
}

/// The activations of R networks of one model for a batch, and the passes over them.
protocol Network: AnyObject {
    var parameters: ModelParameters { get }
    var batch: BatchShape { get }
    /// What the last forward pass was over.
    var schedule: StepSchedule { get }
    /// [replica][tile][class][sample] of the last forward pass; of an autoencoder the reconstructions.
    var logits: DeviceBuffer<Float> { get }
    /// [replica][tile][sample] of the last forward pass, -1 where masked.
    var batchLabels: DeviceBuffer<Int32> { get }
    /// What the last layer took in the last forward pass.
    var lastInput: SampleStatistics.LastInput { get }
    /// What only training has; nil for a network that predicts alone.
    var training: TrainingState? { get }
    /// Activations of the last forward pass, [replica][tile][value][sample] each: none of them overflows unnoticed where
    /// all of these are finite.
    var activations: [DeviceBuffer<Float>] { get }
    /// Queues the next training step up to the gradients.
    func backpropagate(_ source: SampleSource) throws(ComputeError)
    /// Queues the predicted class of each valid sample of the next batch, into [replica][stride].
    func predict(_ source: SampleSource, into predictions: DeviceBuffer<Int32>, stride: Int) throws(ComputeError)
}

extension ModelParameters {
    /// Buffers for batches of up to `batchSize` samples. With `trainingSteps`, steps can be taken, and losses of that many
    /// are kept. Samples count as `sampleWeights` says in training, or all the same.
    func makeNetwork(
        batchSize: Int, schedule: StepSchedule, trainingSteps: Int? = nil, optimizer: Optimizer = Optimizer(),
        sampleWeights: SampleWeights? = nil, on backend: any Backend
    ) throws(ComputeError) -> any Network {
        if layout.isFused {
            return try FusedNetwork(
                self, batchSize: batchSize, schedule: schedule, trainingSteps: trainingSteps, optimizer: optimizer,
                sampleWeights: sampleWeights, on: backend)
        }
        return try LayeredNetwork(
            self, batchSize: batchSize, schedule: schedule, trainingSteps: trainingSteps, optimizer: optimizer,
            sampleWeights: sampleWeights, on: backend)
    }
}

/// The gradients of R networks and the optimizer's step with them.
struct TrainingState {
    let gradients: StepGradients
    private let end: StepEnd
    private let step: any Operation
    private let parameters: ModelParameters
    private let backend: any Backend

    /// - Parameters:
    ///   - tiled: the tensor whose gradients are sums per tile until a step ends, and their number; nil for none.
    ///   - lossAndCorrect: [replica][tile][2].
    ///   - steps: steps whose losses are kept.
    init(
        _ parameters: ModelParameters, batch: BatchShape, tiled: (offset: Int, count: Int)? = nil,
        lossAndCorrect: DeviceBuffer<Float>, schedule: StepSchedule, steps: Int, optimizer: Optimizer,
        on backend: any Backend
    ) throws(ComputeError) {
        func zeros(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            let buffer = try backend.makeBuffer(of: Float.self, count: batch.replicas * count, label: label)
            // Some gradients are written by no operation (convolution biases before batch norm, padding): zero for good.
            try backend.fill(buffer, with: 0)
            return buffer
        }
        let count = parameters.layout.parameterCount
        let tileCount = paddedColumns(tiled?.count ?? 0)
        let gradients = StepGradients(
            try zeros(count, "gradients"), parameterCount: count,
            tiles: try zeros(batch.tiles * tileCount, "gradients of tiles"), tileOffset: tiled?.offset ?? 0,
            tileCount: tileCount)
        self.gradients = gradients
        self.parameters = parameters
        self.backend = backend
        end = StepEnd(
            batch: batch, parameters: parameters.values, gradients: gradients, lossAndCorrect: lossAndCorrect,
            losses: try backend.makeBuffer(of: Float.self, count: batch.replicas * steps, label: "losses"),
            correct: try backend.makeBuffer(of: Int32.self, count: batch.replicas * steps, label: "right answers"),
            schedule: schedule)
        step = try optimizer.step(end) { label throws(ComputeError) in try zeros(count, label) }
    }

    /// Queues the end of a step: its loss, and the optimizer's step.
    func update() throws(ComputeError) { try backend.run(step) }

    /// Waits and returns the mean losses of the first `steps` steps: [step][replica].
    func losses(steps: Int) throws(ComputeError) -> [[Float]] {
        let replicas = end.batch.replicas
        let flat = try backend.read(end.losses, count: steps * replicas)
        return (0..<steps).map { Array(flat[$0 * replicas..<($0 + 1) * replicas]) }
    }

    /// Waits and returns a replica's gradients, after the step's end, under PyTorch's names and shapes.
    func gradients(replica: Int) throws(ComputeError) -> [String: Tensor] {
        let count = gradients.parameterCount
        let flat = try backend.read(gradients.values, at: replica * count, count: count)
        var result: [String: Tensor] = [:]
        for slot in parameters.layout.slots {
            var values = [Float](repeating: 0, count: slot.shape.reduce(1, *))
            slot.forEachElement { target, source in values[target] = flat[source] }
            result[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        return result
    }
}

extension Network {
    /// Queues the end of a training step: its loss, and the optimizer's step.
    func update() throws(ComputeError) { try training?.update() }

    /// Waits and returns the mean losses of the first `steps` steps: [step][replica].
    func losses(steps: Int) throws(ComputeError) -> [[Float]] { try training?.losses(steps: steps) ?? [] }

    /// Waits and returns a replica's gradients, after the step's end, under PyTorch's names and shapes.
    func gradients(replica: Int) throws(ComputeError) -> [String: Tensor] {
        try training?.gradients(replica: replica) ?? [:]
    }

    /// Queues the statistics of the batch of the last forward pass: all of them, or the
    /// ``SampleStatistic/recorded`` ones. [replica][statistic][stride], each at its sample's position in the order.
    func writeStatistics(
        _ statistics: DeviceBuffer<Float>, stride: Int, all: Bool, on backend: any Backend
    ) throws(ComputeError) {
        try backend.run(
            SampleStatistics(
                batch: batch, classes: parameters.layout.classes, logits: logits, batchLabels: batchLabels,
                current: schedule.current, hidden: all ? lastInput : nil, statistics: statistics, stride: stride))
    }

    /// Waits and tells for each replica whether all that the last pass computed for the first `valid` samples of its batch
    /// is finite.
    func areActivationsFinite(valid: Int, on backend: any Backend) throws(ComputeError) -> [Bool] {
        var areFinite = [Bool](repeating: true, count: batch.replicas)
        let tile = backend.tile
        for buffer in activations {
            let values = try backend.read(buffer)
            let tileSize = values.count / (batch.replicas * batch.tiles)
            for (place, value) in values.enumerated() where !value.isFinite {
                let (batchTile, within) = (place / tileSize, place % tileSize)
                if batchTile % batch.tiles * tile + within % tile < valid { areFinite[batchTile / batch.tiles] = false }
            }
        }
        return areFinite
    }
}
