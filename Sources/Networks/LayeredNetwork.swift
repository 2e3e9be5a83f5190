import Compute

/// R networks of layers one after the other, an operation per layer and pass.
///
/// A training step's launches: one gathers the batch, one per layer but `flatten`, the loss, one per layer on the way back (two
/// for a convolution or linear layer after the first one) as far as there are weights, and the optimizer's: 15 of `mlp`, 18 of
/// `autoencoder`, 29 of `lenet5-1998`.
final class LayeredNetwork: Network {
    let parameters: ModelParameters
    let batch: BatchShape
    private(set) var training: TrainingState?
    let schedule: StepSchedule
    private let backend: any Backend
    private var layers: [Layer] = []
    private let input: Values
    let batchLabels: DeviceBuffer<Int32>
    /// [replica][tile][2].
    private let lossAndCorrect: DeviceBuffer<Float>
    private let sampleWeights: SampleWeights?

    /// An activation and, in training, its gradient.
    private struct Values {
        var count: Int
        /// [replica][tile][value][sample], the values of an image being [channel][y][x].
        var buffer: DeviceBuffer<Float>
        /// The same shape. Layers that keep the number of values change that of their output into that of their input in
        /// place. What no weights come before has none.
        var gradient: DeviceBuffer<Float>?
        /// [replica][tile][sample][value padded to 16], of a linear layer's output.
        var transposedGradient: DeviceBuffer<Float>?
    }

    private struct Layer {
        enum Kind {
            case conv(Conv2DShape, weights: ReplicaTensor, bias: ReplicaTensor, trainsBiases: Bool)
            case batchNorm(BatchNorm)
            case relu
            case tanh
            case maxPool(PoolShape, winners: DeviceBuffer<Int32>)
            case avgPool(PoolShape)
            case linear(LinearShape, weights: ReplicaTensor, trainsBiases: Bool)
        }
        var kind: Kind
        var input: Values
        var output: Values
    }

    var logits: DeviceBuffer<Float> { (layers.last?.output ?? input).buffer }
    var activations: [DeviceBuffer<Float>] { [input.buffer] + layers.map(\.output.buffer) }
    /// Of a model of one layer the normalised samples.
    var lastInput: SampleStatistics.LastInput {
        let last = layers.last { if case .linear = $0.kind { true } else { false } }?.input ?? input
        return SampleStatistics.LastInput(last.buffer, width: last.count)
    }
    private var classes: Int { parameters.layout.classes }

    /// As ``ModelParameters/makeNetwork(batchSize:schedule:trainingSteps:optimizer:sampleWeights:on:)``.
    init(
        _ parameters: ModelParameters, batchSize: Int, schedule: StepSchedule, trainingSteps: Int? = nil,
        optimizer: Optimizer = Optimizer(), sampleWeights: SampleWeights? = nil, on backend: any Backend
    ) throws(ComputeError) {
        self.parameters = parameters
        self.schedule = schedule
        self.backend = backend
        self.sampleWeights = sampleWeights
        batch = BatchShape(replicas: parameters.replicas, samples: batchSize, tile: backend.tile)
        let features = parameters.layout.input.featureCount
        input = Values(
            count: features,
            buffer: try backend.makeBuffer(of: Float.self, count: batch.room * features, label: "input"))
        batchLabels = try backend.makeBuffer(of: Int32.self, count: batch.room, label: "batch labels")
        lossAndCorrect = try backend.makeBuffer(
            of: Float.self, count: batch.replicas * batch.tiles * 2, label: "losses of tiles")
        for index in parameters.layout.modules.indices {
            let last = layers.last?.output ?? input
            if let layer = try makeLayer(index, input: last, trains: trainingSteps != nil) { layers.append(layer) }
        }
        if let trainingSteps {
            training = try TrainingState(
                parameters, batch: batch, lossAndCorrect: lossAndCorrect, schedule: schedule, steps: trainingSteps,
                optimizer: optimizer, on: backend)
        }
    }

    /// The model's layer number `index` with its buffers; nil for one that moves nothing.
    private func makeLayer(_ index: Int, input: Values, trains: Bool) throws(ComputeError) -> Layer? {
        let layout = parameters.layout
        let module = layout.modules[index]
        let (name, extents) = ("layer \(module.name)", module.input)
        // Batch norm takes the biases off again.
        let trainsBiases = layout.modules[(index + 1)...].first { $0.layer != .flatten }?.layer != .batchNorm
        func floats(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: batch.room * count, label: label)
        }
        var output = Values(
            count: module.output.featureCount, buffer: input.buffer, gradient: input.gradient)
        let kind: Layer.Kind
        switch module.layer {
        case .flatten: return nil
        case .relu: kind = .relu
        case .tanh: kind = .tanh
        case .batchNorm:
            let number = layout.index(ofNorm: module.name)
            let channels = layout.running[number].count
            // It has weights itself, which want the gradient of its output.
            if trains, input.gradient == nil { output.gradient = try floats(output.count, "\(name), gradient") }
            kind = .batchNorm(
                BatchNorm(
                    batch: batch, channels: channels, positions: input.count / channels,
                    gamma: parameters.tensor("\(module.name).weight"), beta: parameters.tensor("\(module.name).bias"),
                    running: parameters.running[number],
                    saved: try backend.makeBuffer(
                        of: Float.self, count: batch.replicas * channels * 2, label: "\(name), statistics"),
                    current: schedule.current))
        case .maxPool(let side), .avgPool(let side):
            let shape = PoolShape(
                batch: batch, channels: extents.channels, height: extents.height, width: extents.width, side: side)
            if input.gradient != nil { output.gradient = try floats(output.count, "\(name), gradient") }
            if case .maxPool = module.layer {
                kind = .maxPool(
                    shape,
                    winners: try backend.makeBuffer(
                        of: Int32.self, count: batch.room * output.count, label: "\(name), winners"))
            } else {
                kind = .avgPool(shape)
            }
        case .conv(let planes, let side, let padding):
            if trains { output.gradient = try floats(output.count, "\(name), gradient") }
            kind = .conv(
                Conv2DShape(
                    batch: batch, inChannels: extents.channels, outChannels: planes, height: extents.height,
                    width: extents.width, kernel: side, padding: padding),
                weights: parameters.tensor("\(module.name).weight"), bias: parameters.tensor("\(module.name).bias"),
                trainsBiases: trainsBiases)
        case .linear:
            let shape = LinearShape(batch: batch, inputs: input.count, outputs: output.count)
            if trains {
                output.gradient = try floats(output.count, "\(name), gradient")
                output.transposedGradient = try floats(shape.outputStride, "\(name), transposed gradient")
            }
            kind = .linear(
                shape, weights: parameters.tensor("\(module.name).weight"), trainsBiases: trainsBiases)
        }
        output.buffer = try floats(output.count, name)
        return Layer(kind: kind, input: input, output: output)
    }

    private func forward(_ source: SampleSource, _ pass: Pass) throws(ComputeError) {
        try gather(source)
        for layer in layers { try forward(layer, pass) }
    }

    /// Queues the reading of the next batch.
    private func gather(_ source: SampleSource) throws(ComputeError) {
        let store = source.store
        try backend.run(
            GatherSamples(
                batch: batch, features: input.count, channels: store.shape.channels, samples: store.values,
                labels: store.labels,
                scaling: source.scaling, order: source.order, orderStride: source.orderStride, schedule: schedule,
                augmentation: source.augmentation, output: input.buffer, batchLabels: batchLabels))
    }

    /// Queues the first layers of the model over the next batch, in inference mode; the schedule stays at that batch.
    /// - Parameter count: how many of the model's layers.
    /// - Returns: the normalised samples and what the last of these layers gives, [replica][tile][value][sample] each.
    func forward(
        _ source: SampleSource, layers count: Int
    ) throws(ComputeError) -> (input: DeviceBuffer<Float>, output: DeviceBuffer<Float>) {
        try gather(source)
        let moving = layers.prefix(parameters.layout.modules.prefix(count).count { $0.layer != .flatten })
        for layer in moving { try forward(layer, .inference) }
        return (input.buffer, (moving.last?.output ?? input).buffer)
    }

    private func forward(_ layer: Layer, _ pass: Pass) throws(ComputeError) {
        let (input, output, count) = (layer.input.buffer, layer.output.buffer, layer.input.count)
        switch layer.kind {
        case .conv(let shape, let weights, let bias, _):
            try backend.run(
                Conv2dForward(shape: shape, input: input, weights: weights, bias: bias, output: output))
        case .batchNorm(let norm): try backend.run(BatchNormForward(norm, pass, input: input, output: output))
        case .relu: try backend.run(ReluForward(batch: batch, features: count, input: input, output: output))
        case .tanh: try backend.run(TanhForward(batch: batch, features: count, input: input, output: output))
        case .maxPool(let shape, let winners):
            try backend.run(MaxPoolForward(shape, input: input, output: output, winners: winners))
        case .avgPool(let shape): try backend.run(AvgPoolForward(shape, input: input, output: output))
        case .linear(let shape, let weights, _):
            try backend.run(LinearForward(shape, input: input, weights: weights, output: output))
        }
    }

    func backpropagate(_ source: SampleSource) throws(ComputeError) {
        guard let training, let last = layers.last?.output, let delta = last.gradient,
            let transposedDelta = last.transposedGradient
        else { return }
        try forward(source, .training)
        if parameters.layout.model.isAutoencoder {
            try backend.run(
                MeanSquaredError(
                    batch: batch, values: input.count, output: last.buffer, target: input.buffer,
                    current: schedule.current, delta: delta, transposedDelta: transposedDelta,
                    lossAndCorrect: lossAndCorrect))
        } else {
            try backend.run(
                SoftmaxCrossEntropy(
                    batch: batch, classes: classes, logits: last.buffer, batchLabels: batchLabels,
                    current: schedule.current, weights: sampleWeights, delta: delta, transposedDelta: transposedDelta,
                    lossAndCorrect: lossAndCorrect))
        }
        for layer in layers.reversed() {
            // Before the first weights no gradient is wanted.
            guard let gradient = layer.output.gradient else { return }
            try backward(layer, gradient, training.gradients)
        }
    }

    /// Turns the gradient of a layer's output into those of its weights and of its input.
    private func backward(
        _ layer: Layer, _ gradient: DeviceBuffer<Float>, _ gradients: StepGradients
    ) throws(ComputeError) {
        let (input, output) = (layer.input, layer.output)
        switch layer.kind {
        case .conv(let shape, let weights, let bias, let trainsBiases):
            try backend.run(
                Conv2dKernelGradients(
                    shape: shape, input: input.buffer, outputGradient: gradient, weights: weights,
                    bias: trainsBiases ? bias : nil, gradients: gradients))
            guard let inputGradient = input.gradient else { return }
            try backend.run(
                Conv2dInputGradient(
                    shape: shape, outputGradient: gradient, weights: weights, inputGradient: inputGradient))
        case .batchNorm(let norm):
            try backend.run(
                BatchNormBackward(
                    norm, input: input.buffer, gradient: gradient, transposedGradient: input.transposedGradient,
                    gradients: gradients))
        case .relu:
            try backend.run(
                ReluBackward(
                    batch: batch, features: input.count, output: output.buffer, gradient: gradient,
                    transposedGradient: input.transposedGradient))
        case .tanh:
            try backend.run(
                TanhBackward(
                    batch: batch, features: input.count, output: output.buffer, gradient: gradient,
                    transposedGradient: input.transposedGradient))
        case .maxPool(let shape, let winners):
            guard let inputGradient = input.gradient else { return }
            try backend.run(
                MaxPoolBackward(shape, outputGradient: gradient, winners: winners, inputGradient: inputGradient))
        case .avgPool(let shape):
            guard let inputGradient = input.gradient else { return }
            try backend.run(AvgPoolBackward(shape, outputGradient: gradient, inputGradient: inputGradient))
        case .linear(let shape, let weights, let trainsBiases):
            guard let transposed = output.transposedGradient else { return }
            try backend.run(
                LinearWeightGradients(
                    shape, input: input.buffer, transposedDelta: transposed, weights: weights, gradients: gradients,
                    trainsBiases: trainsBiases))
            guard let inputGradient = input.gradient else { return }
            try backend.run(
                LinearInputGradient(
                    shape, outputGradient: gradient, weights: weights, inputGradient: inputGradient,
                    transposedGradient: input.transposedGradient))
        }
    }

    func predict(_ source: SampleSource, into predictions: DeviceBuffer<Int32>, stride: Int) throws(ComputeError) {
        try forward(source, .inference)
        try backend.run(
            PredictClasses(
                batch: batch, classes: classes, logits: logits, schedule: schedule, predictions: predictions,
                predictionStride: stride))
    }
}
