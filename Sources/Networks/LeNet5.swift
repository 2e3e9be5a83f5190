import Compute

/// The parameters of R networks of one layout in a device's memory.
final class LeNet5Parameters {
    let layout: LeNet5Layout
    let replicas: Int
    /// [replica][parameter].
    let values: DeviceBuffer<Float>
    /// [replica][2][channel] of each batch norm.
    let running: [DeviceBuffer<Float>]
    private let backend: any Backend

    /// Uploads one network a replica; all have the same layout.
    init(_ weights: [LeNet5Weights], on backend: any Backend) throws(ComputeError) {
        let layout = weights.first?.layout ?? LeNet5Layout()
        self.layout = layout
        self.backend = backend
        replicas = weights.count
        values = try backend.makeBuffer(weights.flatMap { $0.packed() }, label: "parameters")
        var running: [DeviceBuffer<Float>] = []
        for (name, _) in LeNet5Layout.runningNames {
            running.append(
                try backend.makeBuffer(weights.flatMap { $0.packedRunning(name) }, label: "running statistics"))
        }
        self.running = running
    }

    /// The tensor of a name as the operations take it.
    func tensor(_ name: String) -> ReplicaTensor {
        ReplicaTensor(values, offset: layout.offset(name), stride: layout.parameterCount)
    }

    /// Waits for queued work and reads all networks back.
    func download() throws(ComputeError) -> [LeNet5Weights] {
        let flat = try backend.read(values)
        var statistics: [[Float]] = []
        for buffer in running { statistics.append(try backend.read(buffer)) }
        return (0..<replicas).map { replica in
            LeNet5Weights(
                layout: layout,
                parameters: flat[replica * layout.parameterCount..<(replica + 1) * layout.parameterCount],
                running: statistics.map { all in
                    let count = all.count / replicas
                    return all[replica * count..<(replica + 1) * count]
                })
        }
    }
}

/// The activations of R LeNet-5 for a batch, and the passes over them. `training` adds what a step's end needs.
final class LeNet5 {
    let parameters: LeNet5Parameters
    let batch: BatchShape
    let schedule: StepSchedule
    private let backend: any Backend
    private let first, second: ConvolutionBlock
    private let classifier: Classifier
    private let training: Training?
    var logits: DeviceBuffer<Float> { classifier.logits }

    /// What only training has.
    private struct Training {
        let gradients: StepGradients
        let step: AdamStep
    }

    /// Buffers for batches of up to `batchSize` samples. With `trainingSteps`, steps can be taken, and losses of that
    /// many are kept.
    init(
        _ parameters: LeNet5Parameters, batchSize: Int, schedule: StepSchedule, trainingSteps: Int? = nil,
        on backend: any Backend
    ) throws(ComputeError) {
        self.parameters = parameters
        self.schedule = schedule
        self.backend = backend
        let layout = parameters.layout
        let batch = BatchShape(replicas: parameters.replicas, samples: batchSize, tile: backend.tile)
        self.batch = batch
        let (planes, widths, side) = (LeNet5Layout.planes, LeNet5Layout.widths, LeNet5Layout.inputSide)
        let samples = batch.room
        func floats(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: samples * count, label: label)
        }
        func block(_ index: Int, from channels: Int, to planes: Int, side: Int) throws(ComputeError)
            -> ConvolutionBlock
        {
            let layer = "layer\(index + 1)"
            let shape = Conv2DShape(
                batch: batch, inChannels: channels, outChannels: planes, height: side, width: side, kernel: 5)
            let pooled = planes * (shape.outHeight / 2) * (shape.outWidth / 2)
            func partials(_ tiles: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
                try backend.makeBuffer(
                    of: Float.self, count: batch.replicas * tiles * planes * 2, label: "\(layer), \(label)")
            }
            return ConvolutionBlock(
                shape: shape, weights: parameters.tensor("\(layer).0.weight"),
                bias: parameters.tensor("\(layer).0.bias"),
                input: try floats(channels * side * side, "\(layer), input"),
                convolved: try floats(planes * shape.outHeight * shape.outWidth, "\(layer), convolution"),
                norm: BatchNormReluPool(
                    shape: PlaneShape(
                        batch: batch, channels: planes, height: shape.outHeight, width: shape.outWidth),
                    gamma: parameters.tensor("\(layer).1.weight"), beta: parameters.tensor("\(layer).1.bias"),
                    running: parameters.running[index], pooled: try floats(pooled, "\(layer), pool"),
                    winners: try backend.makeBuffer(
                        of: UInt8.self, count: samples * pooled, label: "\(layer), pool winners"),
                    partials: try partials(batch.tiles, "partial statistics"),
                    saved: try partials(1, "statistics"),
                    pooledGradient: try floats(pooled, "\(layer), gradient of pool"),
                    sums: try partials(batch.tiles, "sums of gradients"), current: schedule.current))
        }
        func layer(_ name: String, from inputs: Int, to outputs: Int) throws(ComputeError) -> Classifier.Layer {
            let shape = LinearShape(batch: batch, inputs: inputs, outputs: outputs)
            return Classifier.Layer(
                shape: shape, weights: parameters.tensor("\(name).weight"), input: try floats(inputs, "\(name), input"),
                delta: try floats(outputs, "\(name), gradient"),
                transposedDelta: try floats(shape.outputStride, "\(name), transposed gradient"))
        }
        first = try block(0, from: layout.channels, to: planes.first, side: side)
        second = try block(1, from: planes.first, to: planes.second, side: first.norm.shape.pooledHeight)
        classifier = Classifier(
            layers: [
                try layer("fc", from: widths.pooled, to: widths.first),
                try layer("fc1", from: widths.first, to: widths.second),
                try layer("fc2", from: widths.second, to: layout.classes),
            ],
            logits: try floats(layout.classes, "logits"),
            batchLabels: try backend.makeBuffer(of: Int32.self, count: samples, label: "batch labels"),
            lossAndCorrect: try backend.makeBuffer(
                of: Float.self, count: batch.replicas * batch.tiles * 2, label: "losses of tiles"))
        guard let steps = trainingSteps else {
            training = nil
            return
        }
        func zeros(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            let buffer = try backend.makeBuffer(of: Float.self, count: batch.replicas * count, label: label)
            // Some gradients are written by no operation (convolution biases before batch norm, padding): zero for good.
            try backend.fill(buffer, with: 0)
            return buffer
        }
        let count = layout.parameterCount
        let sliced = paddedColumns(first.shape.weightCount)
        let gradients = StepGradients(
            try zeros(count, "gradients"), parameterCount: count,
            tiles: try zeros(batch.tiles * sliced, "gradients of tiles"), tileOffset: first.weights.offset,
            tileCount: sliced)
        training = Training(
            gradients: gradients,
            step: AdamStep(
                batch: batch, parameters: parameters.values, firstMoments: try zeros(count, "first moments"),
                secondMoments: try zeros(count, "second moments"), gradients: gradients,
                lossAndCorrect: classifier.lossAndCorrect,
                losses: try backend.makeBuffer(of: Float.self, count: batch.replicas * steps, label: "losses"),
                correct: try backend.makeBuffer(of: Int32.self, count: batch.replicas * steps, label: "right answers"),
                schedule: schedule))
    }

    /// Queues the reading of the next batch in training order, and the two blocks over it, with the batch's statistics
    /// or the running ones.
    private func forward(_ batch: Images, _ pass: Pass) throws(ComputeError) {
        let gather = GatherBatch(
            batch: self.batch, pixels: first.shape.inChannels * first.shape.height * first.shape.width,
            images: batch.store.images, labels: batch.store.labels, order: batch.order, orderStride: batch.orderStride,
            schedule: schedule, scale: batch.normalisation.scale, shift: batch.normalisation.shift,
            batchLabels: classifier.batchLabels)
        try backend.run(Conv2dBlockForward(first, from: .images(gather), pass))
        try backend.run(Conv2dBlockForward(second, from: .block(first), pass))
    }

    /// Where batches come from.
    struct Images {
        let store: ImageStore
        /// [replicas][orderStride]: indices of images.
        let order: DeviceBuffer<Int32>
        let orderStride: Int
        let normalisation: Normalisation
    }

    /// Queues the next training step up to the gradients. Convolution biases stand before batch norm, so their gradient
    /// is zero; it is not computed and they stay as they started.
    func backpropagate(_ images: Images) throws(ComputeError) {
        guard let training else { return }
        try forward(images, .training)
        try backend.run(ClassifierStep(classifier, from: second))
        try backend.run(Conv2dBlockBackward(second, to: first, classifier, gradients: training.gradients))
        try backend.run(Conv2dWeightGradients(first, next: second, gradients: training.gradients))
    }

    /// Queues the end of a training step: its loss, and Adam's step.
    func update() throws(ComputeError) {
        guard let training else { return }
        try backend.run(training.step)
    }

    /// Queues the predicted class of each valid sample of the next batch.
    func predict(_ images: Images, into predictions: DeviceBuffer<Int32>, stride: Int) throws(ComputeError) {
        try forward(images, .inference)
        try backend.run(
            ClassifierPredictions(
                classifier, from: second, schedule: schedule, predictions: predictions, predictionStride: stride))
    }

    /// Waits and returns the mean losses of the first `steps` steps: [step][replica].
    func losses(steps: Int) throws(ComputeError) -> [[Float]] {
        guard let training else { return [] }
        let flat = try backend.read(training.step.losses, count: steps * batch.replicas)
        return (0..<steps).map { Array(flat[$0 * batch.replicas..<($0 + 1) * batch.replicas]) }
    }

    /// Waits and tells for each replica whether all that the last pass computed for the first `valid` samples of its batch
    /// is finite: pooled convolutions, inputs of the linear layers, and logits.
    func areActivationsFinite(valid: Int) throws(ComputeError) -> [Bool] {
        var areFinite = [Bool](repeating: true, count: batch.replicas)
        let tile = backend.tile
        let pooled = [first.norm.pooled, second.norm.pooled]
        for buffer in pooled + classifier.layers.map(\.input) + [classifier.logits] {
            // [replica][tile][value][sample].
            let values = try backend.read(buffer)
            let tileSize = values.count / (batch.replicas * batch.tiles)
            for (place, value) in values.enumerated() where !value.isFinite {
                let (batchTile, within) = (place / tileSize, place % tileSize)
                if batchTile % batch.tiles * tile + within % tile < valid { areFinite[batchTile / batch.tiles] = false }
            }
        }
        return areFinite
    }

    /// Waits and returns a replica's gradients, after the step's end, under PyTorch's names and shapes.
    func gradients(replica: Int) throws(ComputeError) -> [String: Tensor] {
        guard let training else { return [:] }
        let count = training.gradients.parameterCount
        let flat = try backend.read(training.gradients.values, at: replica * count, count: count)
        var result: [String: Tensor] = [:]
        for slot in parameters.layout.slots {
            var values = [Float](repeating: 0, count: slot.shape.reduce(1, *))
            slot.forEachElement { target, source in values[target] = flat[source] }
            result[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        return result
    }
}
