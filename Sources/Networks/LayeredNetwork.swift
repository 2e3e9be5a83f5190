import Compute

/// R networks of linear layers with ReLU between them, an operation per layer and pass.
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

    /// An activation and, in training, its gradient.
    private struct Values {
        var count: Int
        /// [replica][tile][value][sample].
        var buffer: DeviceBuffer<Float>
        /// The same shape; a ReLU changes that of its output into that of its input in place. The input has none.
        var gradient: DeviceBuffer<Float>?
        /// [replica][tile][sample][value padded to 16], of a linear layer's output.
        var transposedGradient: DeviceBuffer<Float>?
    }

    private struct Layer {
        enum Kind {
            case linear(LinearShape, weights: ReplicaTensor)
            case relu
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

    /// As ``ModelParameters/makeNetwork(batchSize:schedule:trainingSteps:optimizer:on:)``.
    init(
        _ parameters: ModelParameters, batchSize: Int, schedule: StepSchedule, trainingSteps: Int? = nil,
        optimizer: Optimizer = Optimizer(), on backend: any Backend
    ) throws(ComputeError) {
        self.parameters = parameters
        self.schedule = schedule
        self.backend = backend
        let batch = BatchShape(replicas: parameters.replicas, samples: batchSize, tile: backend.tile)
        self.batch = batch
        func floats(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: batch.room * count, label: label)
        }
        let features = parameters.layout.input.featureCount
        input = Values(count: features, buffer: try floats(features, "input"))
        batchLabels = try backend.makeBuffer(of: Int32.self, count: batch.room, label: "batch labels")
        lossAndCorrect = try backend.makeBuffer(
            of: Float.self, count: batch.replicas * batch.tiles * 2, label: "losses of tiles")
        var last = input
        for module in parameters.layout.modules {
            let name = "layer \(module.name)"
            switch module.layer {
            case .linear:
                let shape = LinearShape(batch: batch, inputs: last.count, outputs: module.output.width)
                var output = Values(count: shape.outputs, buffer: try floats(shape.outputs, name))
                if trainingSteps != nil {
                    output.gradient = try floats(shape.outputs, "\(name), gradient")
                    output.transposedGradient = try floats(shape.outputStride, "\(name), transposed gradient")
                }
                layers.append(
                    Layer(
                        kind: .linear(shape, weights: parameters.tensor("\(module.name).weight")), input: last,
                        output: output))
            case .relu:
                let output = Values(
                    count: last.count, buffer: try floats(last.count, name), gradient: last.gradient)
                layers.append(Layer(kind: .relu, input: last, output: output))
            // The layout lets no others through.
            case .flatten, .conv, .batchNorm, .maxPool: continue
            }
            last = layers.last?.output ?? last
        }
        if let trainingSteps {
            training = try TrainingState(
                parameters, batch: batch, lossAndCorrect: lossAndCorrect, schedule: schedule, steps: trainingSteps,
                optimizer: optimizer, on: backend)
        }
    }

    private func forward(_ source: SampleSource) throws(ComputeError) {
        let store = source.store
        try backend.run(
            GatherSamples(
                batch: batch, features: input.count, channels: store.shape.channels, samples: store.values,
                labels: store.labels,
                scaling: source.scaling, order: source.order, orderStride: source.orderStride, schedule: schedule,
                augmentation: source.augmentation, output: input.buffer, batchLabels: batchLabels))
        for layer in layers {
            switch layer.kind {
            case .linear(let shape, let weights):
                try backend.run(
                    LinearForward(
                        shape, input: layer.input.buffer, weights: weights, output: layer.output.buffer))
            case .relu:
                try backend.run(
                    ReluForward(
                        batch: batch, features: layer.input.count, input: layer.input.buffer,
                        output: layer.output.buffer))
            }
        }
    }

    func backpropagate(_ source: SampleSource) throws(ComputeError) {
        guard let training, let last = layers.last?.output, let delta = last.gradient,
            let transposedDelta = last.transposedGradient
        else { return }
        try forward(source)
        try backend.run(
            SoftmaxCrossEntropy(
                batch: batch, classes: classes, logits: last.buffer, batchLabels: batchLabels,
                current: schedule.current, delta: delta, transposedDelta: transposedDelta,
                lossAndCorrect: lossAndCorrect))
        for layer in layers.reversed() {
            switch layer.kind {
            case .linear(let shape, let weights):
                guard let delta = layer.output.gradient, let transposed = layer.output.transposedGradient else {
                    continue
                }
                try backend.run(
                    LinearWeightGradients(
                        shape, input: layer.input.buffer, transposedDelta: transposed, weights: weights,
                        gradients: training.gradients))
                guard let gradient = layer.input.gradient else { continue }
                try backend.run(
                    LinearInputGradient(
                        shape, outputGradient: delta, weights: weights, inputGradient: gradient))
            case .relu:
                guard let gradient = layer.input.gradient, let transposed = layer.input.transposedGradient else {
                    continue
                }
                try backend.run(
                    ReluBackward(
                        batch: batch, features: layer.input.count, output: layer.output.buffer, gradient: gradient,
                        transposedGradient: transposed))
            }
        }
    }

    func predict(_ source: SampleSource, into predictions: DeviceBuffer<Int32>, stride: Int) throws(ComputeError) {
        try forward(source)
        try backend.run(
            PredictClasses(
                batch: batch, classes: classes, logits: logits, schedule: schedule, predictions: predictions,
                predictionStride: stride))
    }
}
