import Compute

/// The extents of a network of two blocks and a classifier, of which the cases of a step's kernels take a part.
struct StepShape: Sendable {
    /// Planes of the image, after the first block and after the second.
    var planes: (Int, Int, Int)
    /// Of the image.
    var height: Int
    var width: Int
    var kernel: Int
    /// Widths of the hidden linear layers.
    var hidden: [Int]
    var classes: Int

    /// LeNet-5 for images of `channels` planes, every hidden width times `width`.
    static func leNet5(channels: Int, width: Int = 1) -> StepShape {
        StepShape(
            planes: (channels, 6 * width, 16 * width), height: 32, width: 32, kernel: 5,
            hidden: [120 * width, 84 * width],
            classes: 10)
    }

    /// Odd extents that a pool cuts, planes and widths that no block divides, pixels that are no whole words, rows wider
    /// than a block of any profile, more planes than sums fit into private or local memory at a time, one to four layers.
    static let awkward = [
        StepShape(planes: (3, 50, 50), height: 10, width: 10, kernel: 3, hidden: [], classes: 2),
        StepShape(planes: (2, 3, 5), height: 15, width: 13, kernel: 3, hidden: [7, 3], classes: 10),
        StepShape(planes: (3, 7, 2), height: 9, width: 12, kernel: 2, hidden: [17], classes: 17),
        StepShape(planes: (1, 4, 7), height: 22, width: 37, kernel: 7, hidden: [16, 61], classes: 2),
        StepShape(planes: (1, 1, 1), height: 7, width: 5, kernel: 1, hidden: [1, 33, 20], classes: 4),
    ]

    func first(_ batch: BatchShape) -> Conv2DShape {
        Conv2DShape(
            batch: batch, inChannels: planes.0, outChannels: planes.1, height: height, width: width, kernel: kernel)
    }

    func second(_ batch: BatchShape) -> Conv2DShape {
        let first = first(batch)
        return Conv2DShape(
            batch: batch, inChannels: planes.1, outChannels: planes.2, height: first.outHeight / 2,
            width: first.outWidth / 2, kernel: kernel)
    }

    /// Values before, between and after the linear layers.
    var layers: [Int] {
        let second = second(BatchShape(replicas: 1, samples: 1, tile: 1))
        return [planes.2 * (second.outHeight / 2) * (second.outWidth / 2)] + hidden + [classes]
    }

    /// name1, name2, ... for every linear layer.
    func layerNames(_ name: String) -> [String] { (1...hidden.count + 1).map { "\(name)\($0)" } }

    var name: String {
        "\(planes.0)-\(planes.1)-\(planes.2) planes from \(height)x\(width), kernel \(kernel), "
            + "layers of " + (hidden + [classes]).map(String.init).joined(separator: "-")
    }
}

/// What a network starts from: the same on every backend.
struct StepValues {
    /// [replica][parameter].
    var parameters: [Float]
    var images: [UInt8]
    var labels: [UInt8]
    /// [replica][orderStride].
    var order: [Int32]
    var running1: [Float]
    var running2: [Float]
    /// What becomes of the image at each position of the order; nil where images are taken as they are.
    var changes: ImageChanges?
    static let imageCount = 90
    /// Of the pixels of each channel: each to numbers of its own.
    static let scaling: [(scale: Float, shift: Float)] = [(0.0127, -0.42), (-0.0043, 1.9), (0.0311, -5.3)]
    /// The batch's first sample in the order, and its step.
    static let (firstSample, step) = (5, 2)
}

/// A network on a backend with every buffer guarded and poisoned.
struct StepNetwork {
    /// Where the parameters are: offset and count of each tensor.
    struct Layout {
        var tensors: [String: (offset: Int, count: Int)] = [:]
        /// Outputs of each linear layer.
        var columns: [String: Int] = [:]
        var lastLinear = ""
        var count = 0

        init(_ shape: StepShape) {
            let any = BatchShape(replicas: 1, samples: 1, tile: 1)
            let (first, second) = (shape.first(any), shape.second(any))
            let layers = shape.layers
            for (index, name) in shape.layerNames("linear").enumerated() {
                columns[name] = layers[index + 1]
                lastLinear = name
            }
            // No tensor comes first, so that the offset of each matters.
            count = paddedColumns(1)
            for (name, size) in [
                ("gamma1", shape.planes.1), ("weights1", first.weightCount), ("bias1", shape.planes.1),
                ("beta1", shape.planes.1), ("weights2", second.weightCount), ("bias2", shape.planes.2),
                ("gamma2", shape.planes.2), ("beta2", shape.planes.2),
            ]
                + shape.layerNames("linear").enumerated().map({ index, name in
                    (name, (layers[index] + 1) * paddedColumns(layers[index + 1]))
                })
            {
                tensors[name] = (count, size)
                count += paddedColumns(size)
            }
        }
    }

    let shape: StepShape
    let batch: CaseBatch
    let layout: Layout
    let first, second: ConvolutionBlock
    let classifier: Classifier
    /// The samples' weights in the loss; nil if all are equal.
    let weights: CaseWeights?
    let gather: GatherBatch
    let gradients: StepGradients
    let schedule: StepSchedule
    /// Activations with their values a sample, by name.
    let activations: [String: (values: Int, buffer: GuardedBuffer<Float>)]
    /// Rows of a transposed gradient.
    let rows: [String: (stride: Int, buffer: GuardedBuffer<Float>)]
    let winners: [String: (values: Int, buffer: GuardedBuffer<UInt8>)]
    /// What has an entry a tile: [replica][tile][values].
    let tiled: [String: (values: Int, buffer: GuardedBuffer<Float>)]
    /// What has an entry a replica.
    let perReplica: [String: GuardedBuffer<Float>]
    let labels: GuardedBuffer<Int32>
    let current: GuardedBuffer<Int32>
    let cursor: GuardedBuffer<Int32>

    /// - Parameters:
    ///   - counts: the valid samples of each replica's batch; nil if all batches are full.
    ///   - random: the source of random sample weights; nil for no weights.
    init(
        _ shape: StepShape, _ values: StepValues, size: (replicas: Int, samples: Int), counts: [Int]? = nil,
        weightedBy random: CaseInputs? = nil, on backend: any Backend
    ) throws(ComputeError) {
        self.shape = shape
        let batch = CaseBatch(backend, size)
        self.batch = batch
        let layout = Layout(shape)
        self.layout = layout
        let (conv1, conv2) = (shape.first(batch.shape), shape.second(batch.shape))
        let pooled1 = shape.planes.1 * conv2.height * conv2.width
        let features = shape.layers[0]

        let parameters = try backend.makeBuffer(values.parameters, label: "parameters")
        func tensor(_ name: String) -> ReplicaTensor {
            ReplicaTensor(parameters, offset: layout.tensors[name]?.offset ?? 0, stride: layout.count)
        }
        var activations: [String: (values: Int, buffer: GuardedBuffer<Float>)] = [:]
        func activation(_ name: String, _ count: Int) throws(ComputeError) -> DeviceBuffer<Float> {
            let buffer = try batch.output(count, label: name)
            activations[name] = (count, buffer)
            return buffer.buffer
        }
        var rows: [String: (stride: Int, buffer: GuardedBuffer<Float>)] = [:]
        func transposed(_ name: String, _ columns: Int) throws(ComputeError) -> DeviceBuffer<Float> {
            let stride = paddedColumns(columns)
            let buffer = try GuardedBuffer<Float>(on: backend, count: batch.layout(stride).count, label: name)
            rows[name] = (stride, buffer)
            return buffer.buffer
        }
        var winners: [String: (values: Int, buffer: GuardedBuffer<UInt8>)] = [:]
        var tiled: [String: (values: Int, buffer: GuardedBuffer<Float>)] = [:]
        func perTile(_ name: String, _ count: Int, fill: Float = .poison) throws(ComputeError) -> DeviceBuffer<Float> {
            let all = size.replicas * batch.shape.tiles * count
            let buffer = try GuardedBuffer<Float>(on: backend, [Float](repeating: fill, count: all), label: name)
            tiled[name] = (count, buffer)
            return buffer.buffer
        }
        var perReplica: [String: GuardedBuffer<Float>] = [:]
        let current = try GuardedBuffer<Int32>(on: backend, count: 4 * size.replicas, label: "current")
        func norm(_ index: Int, _ conv: Conv2DShape, _ pooled: Int, running: [Float]) throws(ComputeError)
            -> BatchNormReluPool
        {
            let won = try GuardedBuffer<UInt8>(on: backend, count: batch.layout(pooled).count, label: "winners")
            winners["winners\(index)"] = (pooled, won)
            let saved = try GuardedBuffer<Float>(
                on: backend, count: size.replicas * conv.outChannels * 2, label: "saved")
            let moving = try GuardedBuffer<Float>(on: backend, running, label: "running")
            perReplica["saved\(index)"] = saved
            perReplica["running\(index)"] = moving
            return BatchNormReluPool(
                shape: PlaneShape(
                    batch: batch.shape, channels: conv.outChannels, height: conv.outHeight, width: conv.outWidth),
                gamma: tensor("gamma\(index)"), beta: tensor("beta\(index)"), running: moving.buffer,
                pooled: try activation("pooled\(index)", pooled), winners: won.buffer,
                partials: try perTile("partials\(index)", 2 * conv.outChannels), saved: saved.buffer,
                pooledGradient: try activation("gradient\(index)", pooled),
                sums: try perTile("sums\(index)", 2 * conv.outChannels), current: current.buffer)
        }
        func block(_ index: Int, _ conv: Conv2DShape, _ pooled: Int, running: [Float]) throws(ComputeError)
            -> ConvolutionBlock
        {
            ConvolutionBlock(
                shape: conv, weights: tensor("weights\(index)"), bias: tensor("bias\(index)"),
                input: try activation("input\(index)", conv.inChannels * conv.height * conv.width),
                convolved: try activation("convolved\(index)", conv.outChannels * conv.outHeight * conv.outWidth),
                norm: try norm(index, conv, pooled, running: running))
        }
        func layer(_ index: Int, from inputs: Int, to outputs: Int) throws(ComputeError) -> Classifier.Layer {
            Classifier.Layer(
                shape: LinearShape(batch: batch.shape, inputs: inputs, outputs: outputs),
                weights: tensor("linear\(index)"), input: try activation("layer\(index)", inputs),
                delta: try activation("delta\(index)", outputs),
                transposedDelta: try transposed("transposed\(index)", outputs))
        }
        first = try block(1, conv1, pooled1, running: values.running1)
        second = try block(2, conv2, features, running: values.running2)
        labels = try GuardedBuffer<Int32>(on: backend, count: batch.layout(1).count, label: "labels")
        var layers: [Classifier.Layer] = []
        for (index, (inputs, outputs)) in zip(shape.layers, shape.layers.dropFirst()).enumerated() {
            layers.append(try layer(index + 1, from: inputs, to: outputs))
        }
        weights = try random.map { random throws(ComputeError) in
            var random = random
            return try CaseWeights(batch, first: StepValues.firstSample, &random)
        }
        classifier = Classifier(
            layers: layers, logits: try activation("logits", shape.classes), batchLabels: labels.buffer,
            lossAndCorrect: try perTile("loss and correct", 2), sampleWeights: weights?.operand)
        cursor = try GuardedBuffer<Int32>(on: backend, [Int32(StepValues.step)], label: "cursor")
        let valid = counts ?? [size.samples]
        let before = StepValues.step * valid.count
        let batches =
            [Int32](repeating: 9, count: 4 * before)
            + valid.flatMap { [Int32(StepValues.firstSample), Int32($0), 0, 0] }
        let rates = [Float](repeating: 9, count: 2 * before) + valid.flatMap { _ -> [Float] in [0.0021, 1.7] }
        schedule = StepSchedule(
            batches: try backend.makeBuffer(batches, label: "batches"),
            rates: try backend.makeBuffer(rates, label: "rates"), cursor: cursor.buffer, current: current.buffer,
            rows: valid.count)
        // Past the last channel's there is nothing that may count.
        let scaling = try backend.makeBuffer(
            StepValues.scaling.prefix(shape.planes.0).flatMap { [$0.scale, $0.shift] }, guarded: Float.nan, 8,
            label: "scales and shifts")
        gather = GatherBatch(
            batch: batch.shape, pixels: shape.planes.0 * shape.height * shape.width, channels: shape.planes.0,
            images: try backend.makeBuffer(values.images, label: "images"),
            labels: try backend.makeBuffer(values.labels, label: "labels"),
            scaling: scaling, order: try backend.makeBuffer(values.order, label: "order"),
            orderStride: values.order.count / size.replicas, schedule: schedule,
            augmentation: try values.changes.map { changes throws(ComputeError) in
                try changes.augmentation(width: shape.width, on: backend)
            }, batchLabels: labels.buffer)
        let whole = try GuardedBuffer<Float>(
            on: backend, [Float](repeating: .poison, count: size.replicas * layout.count), label: "gradients")
        perReplica["gradients"] = whole
        let sliced = paddedColumns(conv1.weightCount)
        gradients = StepGradients(
            whole.buffer, parameterCount: layout.count, tiles: try perTile("tile gradients", sliced),
            tileOffset: layout.tensors["weights1"]?.offset ?? 0, tileCount: sliced)
        self.activations = activations
        self.rows = rows
        self.winners = winners
        self.tiled = tiled
        self.perReplica = perReplica
        self.current = current
    }

    func gathered(_ pass: Pass) -> Conv2dBlockForward { Conv2dBlockForward(first, from: .images(gather), pass) }
    func normalised(_ pass: Pass) -> Conv2dBlockForward { Conv2dBlockForward(second, from: .block(first), pass) }
    var classifierStep: ClassifierStep { ClassifierStep(classifier, from: second) }
    func predictions(into predictions: DeviceBuffer<Int32>, stride: Int) -> ClassifierPredictions {
        ClassifierPredictions(
            classifier, from: second, schedule: schedule, predictions: predictions, predictionStride: stride)
    }
    var blockBackward: Conv2dBlockBackward {
        Conv2dBlockBackward(second, to: first, classifier, gradients: gradients)
    }
    var weightGradients: Conv2dWeightGradients { Conv2dWeightGradients(first, next: second, gradients: gradients) }

    /// The values of an activation, [replica][sample][value].
    func values(_ name: String) throws(ComputeError) -> [Float] {
        guard let (count, buffer) = activations[name] else { return [] }
        return batch.layout(count).unpack(try buffer.contents().values)
    }

    /// What the tiles have of something, added in double: [replica][value].
    func total(_ name: String) throws(ComputeError) -> [Float] {
        guard let (count, buffer) = tiled[name] else { return [] }
        var sum = [Double](repeating: 0, count: batch.replicas * count)
        for (index, value) in try buffer.contents().values.enumerated() {
            sum[index / (batch.shape.tiles * count) * count + index % count] += Double(value)
        }
        return sum.map { Float($0) }
    }

    /// Means and sums of squares of the tiles, joined in double: [replica][channel][2].
    func joined(_ name: String, positions: Int) throws(ComputeError) -> [Float] {
        guard let (count, buffer) = tiled[name] else { return [] }
        let partials = try buffer.contents().values
        let (tiles, channels) = (batch.shape.tiles, count / 2)
        return (0..<batch.replicas * channels).flatMap { entry -> [Float] in
            var (joined, mean, squares) = (0.0, 0.0, 0.0)
            for tile in 0..<tiles {
                let partial = 2 * ((entry / channels * tiles + tile) * channels + entry % channels)
                let added = Double(
                    max(0, min(batch.backend.tile, batch.samples - tile * batch.backend.tile)) * positions)
                // A tile without samples has to have zeros.
                guard added > 0 else {
                    squares += Double(partials[partial].magnitude) + Double(partials[partial + 1].magnitude)
                    continue
                }
                let gap = Double(partials[partial]) - mean
                squares += Double(partials[partial + 1]) + gap * gap * joined * added / (joined + added)
                mean += gap * added / (joined + added)
                joined += added
            }
            return [Float(mean), Float(squares)]
        }
    }
}
