import Compute

/// R networks of two blocks of convolution, batch norm, ReLU and 2x2 max-pool and one to four linear layers, such as the
/// article's: six launches per training step, three per batch of an evaluation.
final class FusedNetwork: Network {
    let parameters: ModelParameters
    let batch: BatchShape
    let training: TrainingState?
    let schedule: StepSchedule
    let lastInput: SampleStatistics.LastInput
    private let backend: any Backend
    private let first, second: ConvolutionBlock
    private let classifier: Classifier

    var logits: DeviceBuffer<Float> { classifier.logits }
    var batchLabels: DeviceBuffer<Int32> { classifier.batchLabels }
    /// Pooled convolutions, inputs of the linear layers, and logits.
    var activations: [DeviceBuffer<Float>] {
        [first.norm.pooled, second.norm.pooled] + classifier.layers.map(\.input) + [classifier.logits]
    }

    /// As ``ModelParameters/makeNetwork(batchSize:schedule:trainingSteps:optimizer:sampleWeights:on:)``.
    init(
        _ parameters: ModelParameters, batchSize: Int, schedule: StepSchedule, trainingSteps: Int? = nil,
        optimizer: Optimizer = Optimizer(), sampleWeights: SampleWeights? = nil, on backend: any Backend
    ) throws(ComputeError) {
        self.parameters = parameters
        self.schedule = schedule
        self.backend = backend
        let batch = BatchShape(replicas: parameters.replicas, samples: batchSize, tile: backend.tile)
        self.batch = batch
        let modules = parameters.layout.modules
        func floats(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: batch.room * count, label: label)
        }
        var blocks: [ConvolutionBlock] = []
        var layers: [Classifier.Layer] = []
        for (index, module) in modules.enumerated() {
            let (name, input, output) = (module.name, module.input, module.output)
            switch module.layer {
            case .conv(let planes, let kernel, _):
                let shape = Conv2DShape(
                    batch: batch, inChannels: input.channels, outChannels: planes, height: input.height,
                    width: input.width, kernel: kernel)
                let pooled = planes * (output.height / 2) * (output.width / 2)
                func partials(_ tiles: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
                    try backend.makeBuffer(
                        of: Float.self, count: batch.replicas * tiles * planes * 2, label: "\(name), \(label)")
                }
                // The layer after a convolution is its batch norm.
                let norm = modules[index + 1].name
                blocks.append(
                    ConvolutionBlock(
                        shape: shape, weights: parameters.tensor("\(name).weight"),
                        bias: parameters.tensor("\(name).bias"),
                        input: try floats(input.featureCount, "\(name), input"),
                        convolved: try floats(output.featureCount, "\(name), convolution"),
                        norm: BatchNormReluPool(
                            shape: PlaneShape(
                                batch: batch, channels: planes, height: output.height, width: output.width),
                            gamma: parameters.tensor("\(norm).weight"), beta: parameters.tensor("\(norm).bias"),
                            running: parameters.running[blocks.count],
                            pooled: try floats(pooled, "\(name), pool"),
                            winners: try backend.makeBuffer(
                                of: UInt8.self, count: batch.room * pooled, label: "\(name), pool winners"),
                            partials: try partials(batch.tiles, "partial statistics"),
                            saved: try partials(1, "statistics"),
                            pooledGradient: try floats(pooled, "\(name), gradient of pool"),
                            sums: try partials(batch.tiles, "sums of gradients"), current: schedule.current)))
            case .linear:
                let shape = LinearShape(batch: batch, inputs: input.width, outputs: output.width)
                layers.append(
                    Classifier.Layer(
                        shape: shape, weights: parameters.tensor("\(name).weight"),
                        input: try floats(shape.inputs, "\(name), input"),
                        delta: try floats(shape.outputs, "\(name), gradient"),
                        transposedDelta: try floats(shape.outputStride, "\(name), transposed gradient")))
            case .batchNorm, .relu, .tanh, .maxPool, .avgPool, .flatten: continue
            }
        }
        (first, second) = (blocks[0], blocks[1])
        let last = layers[layers.count - 1]
        lastInput = SampleStatistics.LastInput(last.input, width: last.shape.inputs)
        classifier = Classifier(
            layers: layers, logits: try floats(parameters.layout.classes, "logits"),
            batchLabels: try backend.makeBuffer(of: Int32.self, count: batch.room, label: "batch labels"),
            lossAndCorrect: try backend.makeBuffer(
                of: Float.self, count: batch.replicas * batch.tiles * 2, label: "losses of tiles"),
            sampleWeights: sampleWeights)
        guard let trainingSteps else {
            training = nil
            return
        }
        training = try TrainingState(
            parameters, batch: batch, tiled: (first.weights.offset, first.shape.weightCount),
            lossAndCorrect: classifier.lossAndCorrect, schedule: schedule, steps: trainingSteps,
            optimizer: optimizer, on: backend)
    }

    /// Queues the reading of the next batch in training order, and the two blocks over it, with the batch's statistics
    /// or the running ones.
    private func forward(_ source: SampleSource, _ pass: Pass) throws(ComputeError) {
        guard case .bytes(let images) = source.store.values else {
            throw .invalidShape(operation: Conv2dBlockForward.kernel, reason: "8-bit images are needed")
        }
        let gather = GatherBatch(
            batch: batch, pixels: source.store.shape.featureCount, channels: source.store.shape.channels,
            images: images, labels: source.store.labels, scaling: source.scaling, order: source.order,
            orderStride: source.orderStride, schedule: schedule,
            augmentation: source.augmentation, batchLabels: classifier.batchLabels)
        try backend.run(Conv2dBlockForward(first, from: .images(gather), pass))
        try backend.run(Conv2dBlockForward(second, from: .block(first), pass))
    }

    /// Queues the next training step up to the gradients. Convolution biases are before batch norm, so their gradient is
    /// zero; it is not computed, and only a weight decay moves them.
    func backpropagate(_ source: SampleSource) throws(ComputeError) {
        guard let training else { return }
        try forward(source, .training)
        try backend.run(ClassifierStep(classifier, from: second))
        try backend.run(Conv2dBlockBackward(second, to: first, classifier, gradients: training.gradients))
        try backend.run(Conv2dWeightGradients(first, next: second, gradients: training.gradients))
    }

    func predict(_ source: SampleSource, into predictions: DeviceBuffer<Int32>, stride: Int) throws(ComputeError) {
        try forward(source, .inference)
        try backend.run(
            ClassifierPredictions(
                classifier, from: second, schedule: schedule, predictions: predictions, predictionStride: stride))
    }
}
