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

/// The activations of R LeNet-5 for a batch, and the passes over them. `training` adds what the backward pass needs.
final class LeNet5 {
    let parameters: LeNet5Parameters
    let batch: BatchShape
    let schedule: StepSchedule
    private let backend: any Backend

    // Forward: each buffer is [replica][tile][channel][y][x][sample].
    private let input, convolved1, pooled1, convolved2, pooled2, hidden1, hidden2: DeviceBuffer<Float>
    let logits: DeviceBuffer<Float>
    let batchLabels: DeviceBuffer<Int32>
    private let norm1, norm2: BatchNormReluPool
    private let conv1, conv2: Conv2DShape
    private let linear1, linear2, linear3: LinearShape
    private let backward: Backward?

    /// The backward pass's buffers: gradients of the forward pass's, and the transposed deltas of the linear layers.
    private struct Backward {
        let delta3, transposed3, delta2, transposed2, delta1, transposed1: DeviceBuffer<Float>
        let pooled2, convolved2, pooled1, convolved1: DeviceBuffer<Float>
        let losses: DeviceBuffer<Float>
        let correct: DeviceBuffer<Int32>
        let gradients: GradientSlices
        let firstMoments, secondMoments: DeviceBuffer<Float>
    }

    /// Buffers for batches of up to `batchSize` samples. With `trainingSteps`, the backward pass can run, and losses of
    /// that many steps are kept.
    init(
        _ parameters: LeNet5Parameters, batchSize: Int, schedule: StepSchedule, trainingSteps: Int? = nil,
        on backend: any Backend
    ) throws(ComputeError) {
        self.parameters = parameters
        self.schedule = schedule
        self.backend = backend
        let layout = parameters.layout
        let batch = BatchShape(
            replicas: parameters.replicas, tiles: (batchSize + backend.tile - 1) / backend.tile)
        self.batch = batch
        let (planes, widths, side) = (LeNet5Layout.planes, LeNet5Layout.widths, LeNet5Layout.inputSide)
        conv1 = Conv2DShape(
            batch: batch, inChannels: layout.channels, outChannels: planes.first, height: side, width: side, kernel: 5)
        conv2 = Conv2DShape(
            batch: batch, inChannels: planes.first, outChannels: planes.second, height: conv1.outHeight / 2,
            width: conv1.outWidth / 2, kernel: 5)
        linear1 = LinearShape(batch: batch, inputs: widths.pooled, outputs: widths.first)
        linear2 = LinearShape(batch: batch, inputs: widths.first, outputs: widths.second)
        linear3 = LinearShape(batch: batch, inputs: widths.second, outputs: layout.classes)

        let samples = batch.replicas * batch.tiles * backend.tile
        func floats(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: samples * count, label: label)
        }
        let convolvedCount1 = planes.first * conv1.outHeight * conv1.outWidth
        let convolvedCount2 = planes.second * conv2.outHeight * conv2.outWidth
        input = try floats(layout.channels * side * side, "batch of images")
        convolved1 = try floats(convolvedCount1, "first convolution")
        pooled1 = try floats(convolvedCount1 / 4, "first pool")
        convolved2 = try floats(convolvedCount2, "second convolution")
        pooled2 = try floats(convolvedCount2 / 4, "second pool")
        hidden1 = try floats(widths.first, "first hidden layer")
        hidden2 = try floats(widths.second, "second hidden layer")
        logits = try floats(layout.classes, "logits")
        batchLabels = try backend.makeBuffer(of: Int32.self, count: samples, label: "batch labels")

        func norm(_ index: Int, _ layer: String, _ conv: Conv2DShape) throws(ComputeError) -> BatchNormReluPool {
            let channels = conv.outChannels
            return BatchNormReluPool(
                shape: PlaneShape(batch: batch, channels: channels, height: conv.outHeight, width: conv.outWidth),
                gamma: parameters.tensor("\(layer).1.weight"), beta: parameters.tensor("\(layer).1.bias"),
                running: parameters.running[index],
                partials: try backend.makeBuffer(
                    of: Float.self, count: batch.replicas * batch.tiles * channels * 2, label: "batch-norm partials"),
                saved: try backend.makeBuffer(
                    of: Float.self, count: batch.replicas * channels * 2, label: "batch-norm statistics"),
                winners: try backend.makeBuffer(
                    of: UInt8.self, count: samples * channels * (conv.outHeight / 2) * (conv.outWidth / 2),
                    label: "pool winners"),
                current: schedule.current)
        }
        norm1 = try norm(0, "layer1", conv1)
        norm2 = try norm(1, "layer2", conv2)

        guard let steps = trainingSteps else {
            backward = nil
            return
        }
        let slices = backend.gradientSlices(tiles: batch.tiles)
        func state(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            let buffer = try backend.makeBuffer(
                of: Float.self, count: batch.replicas * layout.parameterCount * count, label: label)
            // Some gradients are written by no operation (convolution biases before batch norm, padding): zero for good.
            try backend.fill(buffer, with: 0)
            return buffer
        }
        backward = Backward(
            delta3: try floats(layout.classes, "gradient of logits"),
            transposed3: try floats(linear3.outputStride, "transposed gradient of logits"),
            delta2: try floats(widths.second, "gradient of second hidden layer"),
            transposed2: try floats(linear3.inputStride, "transposed gradient of second hidden layer"),
            delta1: try floats(widths.first, "gradient of first hidden layer"),
            transposed1: try floats(linear2.inputStride, "transposed gradient of first hidden layer"),
            pooled2: try floats(convolvedCount2 / 4, "gradient of second pool"),
            convolved2: try floats(convolvedCount2, "gradient of second convolution"),
            pooled1: try floats(convolvedCount1 / 4, "gradient of first pool"),
            convolved1: try floats(convolvedCount1, "gradient of first convolution"),
            losses: try backend.makeBuffer(of: Float.self, count: batch.replicas * steps, label: "losses"),
            correct: try backend.makeBuffer(of: Int32.self, count: batch.replicas * steps, label: "right answers"),
            gradients: GradientSlices(
                try state(slices, "gradients"), slices: slices, parameterCount: layout.parameterCount),
            firstMoments: try state(1, "first moments"), secondMoments: try state(1, "second moments"))
    }

    /// Queues the reading of the next batch in training order.
    func gather(
        _ store: ImageStore, order: DeviceBuffer<Int32>, orderStride: Int, normalisation: Normalisation
    ) throws(ComputeError) {
        try backend.beginStep(schedule)
        try backend.gatherBatch(
            GatherBatch(
                batch: batch, pixels: conv1.inChannels * conv1.height * conv1.width, images: store.images,
                labels: store.labels, order: order, orderStride: orderStride, current: schedule.current,
                scale: normalisation.scale, shift: normalisation.shift, activations: input, batchLabels: batchLabels))
    }

    /// Queues the forward pass from the gathered batch to the logits, with the batch's statistics or the running ones.
    func forward(training: Bool) throws(ComputeError) {
        try convolve(conv1, "layer1", norm1, from: input, through: convolved1, to: pooled1, training: training)
        try convolve(conv2, "layer2", norm2, from: pooled1, through: convolved2, to: pooled2, training: training)
        try backend.linearForward(
            linear1, relu: true, input: pooled2, weights: parameters.tensor("fc.weight"), output: hidden1)
        try backend.linearForward(
            linear2, relu: true, input: hidden1, weights: parameters.tensor("fc1.weight"), output: hidden2)
        try backend.linearForward(
            linear3, relu: false, input: hidden2, weights: parameters.tensor("fc2.weight"), output: logits)
    }

    private func convolve(
        _ shape: Conv2DShape, _ layer: String, _ norm: BatchNormReluPool, from input: DeviceBuffer<Float>,
        through convolved: DeviceBuffer<Float>, to pooled: DeviceBuffer<Float>, training: Bool
    ) throws(ComputeError) {
        try backend.conv2dForward(
            shape, input: input, weights: parameters.tensor("\(layer).0.weight"),
            bias: parameters.tensor("\(layer).0.bias"), output: convolved)
        if training {
            try backend.batchNormStatistics(norm, input: convolved)
            try backend.batchNormReluPoolForward(norm, input: convolved, output: pooled)
        } else {
            try backend.batchNormReluPoolInference(norm, input: convolved, output: pooled)
        }
    }

    /// Queues loss and backward pass after a training forward pass. Convolution biases stand before batch norm, so
    /// their gradient is zero; it is not computed and they stay as they started.
    func backpropagate() throws(ComputeError) {
        guard let backward else { return }
        let gradients = backward.gradients
        let layout = parameters.layout
        try backend.softmaxCrossEntropy(
            SoftmaxCrossEntropy(
                batch: batch, classes: layout.classes, logits: logits, batchLabels: batchLabels,
                current: schedule.current, losses: backward.losses, correct: backward.correct, delta: backward.delta3,
                transposedDelta: backward.transposed3))
        try backend.linearWeightGradient(
            linear3, input: hidden2, transposedOutputGradient: backward.transposed3, gradients: gradients,
            offset: layout.offset("fc2.weight"))
        try backend.linearInputGradient(
            linear3, outputGradient: backward.delta3, weights: parameters.tensor("fc2.weight"), relu: hidden2,
            inputGradient: backward.delta2, transposed: backward.transposed2)
        try backend.linearWeightGradient(
            linear2, input: hidden1, transposedOutputGradient: backward.transposed2, gradients: gradients,
            offset: layout.offset("fc1.weight"))
        try backend.linearInputGradient(
            linear2, outputGradient: backward.delta2, weights: parameters.tensor("fc1.weight"), relu: hidden1,
            inputGradient: backward.delta1, transposed: backward.transposed1)
        try backend.linearWeightGradient(
            linear1, input: pooled2, transposedOutputGradient: backward.transposed1, gradients: gradients,
            offset: layout.offset("fc.weight"))
        try backend.linearInputGradient(
            linear1, outputGradient: backward.delta1, weights: parameters.tensor("fc.weight"), relu: nil,
            inputGradient: backward.pooled2, transposed: nil)
        try backend.batchNormReluPoolBackwardSums(norm2, input: convolved2, outputGradient: backward.pooled2)
        try backend.batchNormReluPoolBackward(
            norm2, input: convolved2, outputGradient: backward.pooled2, inputGradient: backward.convolved2,
            gradients: gradients)
        try backend.conv2dWeightGradient(
            conv2, input: pooled1, outputGradient: backward.convolved2, gradients: gradients,
            offset: layout.offset("layer2.0.weight"))
        try backend.conv2dInputGradient(
            conv2, outputGradient: backward.convolved2, weights: parameters.tensor("layer2.0.weight"),
            inputGradient: backward.pooled1)
        try backend.batchNormReluPoolBackwardSums(norm1, input: convolved1, outputGradient: backward.pooled1)
        try backend.batchNormReluPoolBackward(
            norm1, input: convolved1, outputGradient: backward.pooled1, inputGradient: backward.convolved1,
            gradients: gradients)
        try backend.conv2dWeightGradient(
            conv1, input: input, outputGradient: backward.convolved1, gradients: gradients,
            offset: layout.offset("layer1.0.weight"))
    }

    /// Queues Adam's step.
    func update() throws(ComputeError) {
        guard let backward else { return }
        try backend.adamStep(
            AdamStep(
                replicas: batch.replicas, parameters: parameters.values, firstMoments: backward.firstMoments,
                secondMoments: backward.secondMoments, gradients: backward.gradients, schedule: schedule))
    }

    /// Queues the predicted class of each valid sample of the batch.
    func classify(into predictions: DeviceBuffer<Int32>, stride: Int) throws(ComputeError) {
        try backend.classify(
            batch, classes: parameters.layout.classes, logits: logits, current: schedule.current,
            predictions: predictions, predictionStride: stride)
    }

    /// Waits and returns the mean losses of the first `steps` steps: [step][replica].
    func losses(steps: Int) throws(ComputeError) -> [[Float]] {
        guard let backward else { return [] }
        let flat = try backend.read(backward.losses, count: steps * batch.replicas)
        return (0..<steps).map { Array(flat[$0 * batch.replicas..<($0 + 1) * batch.replicas]) }
    }

    /// Waits and returns a replica's gradients under PyTorch's names and shapes, slices added.
    func gradients(replica: Int) throws(ComputeError) -> [String: Tensor] {
        guard let backward else { return [:] }
        let slices = backward.gradients
        let count = slices.parameterCount
        let flat = try backend.read(slices.buffer, at: replica * slices.slices * count, count: slices.slices * count)
        var result: [String: Tensor] = [:]
        for slot in parameters.layout.slots {
            var values = [Float](repeating: 0, count: slot.shape.reduce(1, *))
            slot.forEachElement { target, source in
                for slice in 0..<slices.slices { values[target] += flat[slice * count + source] }
            }
            result[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        return result
    }
}
