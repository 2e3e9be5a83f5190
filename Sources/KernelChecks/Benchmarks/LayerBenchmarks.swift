import Compute

/// The operations of layered networks, at the sizes that `mlp` has on 28x28 images, and convolutions at those of
/// `lenet5-1998`: so many networks, batches of 64.
struct LayerBenchmarks: Sendable {
    /// Networks side by side.
    let replicas: Int
    private let pixels = 784, wide = 300, narrow = 100, classes = 10

    /// Makes an operation's buffers.
    struct Maker {
        let backend: any Backend
        let replicas: Int

        var batch: BatchShape { BatchShape(replicas: replicas, samples: 64, tile: backend.tile) }

        func floats(_ count: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.randomFloats(count, label: label)
        }

        func values(_ perSample: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
            try floats(batch.room * perSample, label)
        }

        func bytes(_ count: Int, below limit: Int, _ label: String) throws(ComputeError) -> DeviceBuffer<UInt8> {
            try backend.makeBuffer((0..<count).map { UInt8($0 * 7 % limit) }, label: label)
        }

        func integers(_ values: [Int32], _ label: String) throws(ComputeError) -> DeviceBuffer<Int32> {
            try backend.makeBuffer(values, label: label)
        }

        func schedule() throws(ComputeError) -> StepSchedule {
            StepSchedule(
                // The cursor may move on, and there is a row.
                batches: try integers([0, 64, 0, 0, 0, 64, 0, 0], "batches"), rates: try floats(4, "rates"),
                cursor: try integers([0], "cursor"), current: try current())
        }

        /// A step under way over full batches.
        func current() throws(ComputeError) -> DeviceBuffer<Int32> {
            try integers((0..<replicas).flatMap { _ in [0, 64, 0, 0] }, "current step")
        }

        /// Sample weights for a batch at the beginning of an order.
        func sampleWeights() throws(ComputeError) -> SampleWeights {
            SampleWeights(
                weights: try floats(64 * replicas, "weights of samples"),
                losses: try floats(64 * replicas, "losses of samples"), stride: 64)
        }

        func weights(_ shape: Conv2DShape) throws(ComputeError) -> (weights: ReplicaTensor, bias: ReplicaTensor) {
            let (bias, stride) = (
                paddedColumns(shape.weightCount), paddedColumns(shape.weightCount) + paddedColumns(shape.outChannels)
            )
            let buffer = try floats(replicas * stride, "parameters")
            return (
                ReplicaTensor(buffer, offset: 0, stride: stride), ReplicaTensor(buffer, offset: bias, stride: stride)
            )
        }

        func weights(_ shape: LinearShape) throws(ComputeError) -> ReplicaTensor {
            ReplicaTensor(
                try floats(replicas * shape.weightCount, "weights"), offset: 0, stride: shape.weightCount)
        }
    }

    func benchmark(
        _ kernel: String, _ name: String,
        _ make: @escaping @Sendable (Maker) throws(ComputeError) -> any Operation
    ) -> Benchmark {
        let replicas = replicas
        return Benchmark(kernel, name, replicas: replicas) { backend throws(ComputeError) in
            Benchmark.Prepared(try make(Maker(backend: backend, replicas: replicas)), on: backend)
        }
    }

    /// The second convolution of `lenet5-1998`.
    private func convolution(_ batch: BatchShape) -> Conv2DShape {
        Conv2DShape(batch: batch, inChannels: 6, outChannels: 16, height: 14, width: 14, kernel: 5)
    }

    private func statistics(
        _ maker: Maker, of input: SampleStatistics.LastInput?
    ) throws(ComputeError) -> SampleStatistics {
        let count = input == nil ? SampleStatistic.recorded.count : SampleStatistic.allCases.count
        return SampleStatistics(
            batch: maker.batch, classes: classes, logits: try maker.values(classes, "logits"),
            batchLabels: try maker.integers(
                (0..<maker.batch.room).map { Int32($0 % classes) }, "batch labels"),
            current: try maker.current(), hidden: input,
            statistics: try maker.floats(maker.replicas * count * 64, "statistics"), stride: 64)
    }

    private func loss(isWeighted: Bool) -> Benchmark {
        let classes = classes
        return benchmark(SoftmaxCrossEntropy.kernel, "\(classes) classes" + (isWeighted ? ", weighted" : "")) {
            maker throws(ComputeError) in
            var weights: SampleWeights?
            if isWeighted { weights = try maker.sampleWeights() }
            return SoftmaxCrossEntropy(
                batch: maker.batch, classes: classes, logits: try maker.values(classes, "logits"),
                batchLabels: try maker.integers((0..<maker.batch.room).map { Int32($0 % classes) }, "batch labels"),
                current: try maker.current(), weights: weights,
                delta: try maker.values(classes, "gradient"),
                transposedDelta: try maker.values(paddedColumns(classes), "transposed gradient"),
                lossAndCorrect: try maker.floats(maker.batch.replicas * maker.batch.tiles * 2, "losses"))
        }
    }

    /// The loss of weighted samples, as used in dynamic pruning.
    var weighted: Benchmark { loss(isWeighted: true) }

    /// All of them, in the order of a step.
    var all: [Benchmark] {
        let (pixels, wide, narrow, classes) = (pixels, wide, narrow, classes)
        return [
            benchmark(GatherSamples.kernel, "\(pixels) bytes a sample") { maker throws(ComputeError) in
                GatherSamples(
                    batch: maker.batch, features: pixels, channels: 1,
                    samples: .bytes(try maker.bytes(64 * pixels, below: 256, "samples")),
                    labels: try maker.bytes(64, below: classes, "labels"), scaling: try maker.floats(2, "scaling"),
                    order: try maker.integers((0..<64).map(Int32.init), "order"), orderStride: 0,
                    schedule: try maker.schedule(), output: try maker.values(pixels, "input"),
                    batchLabels: try maker.integers(
                        [Int32](repeating: 0, count: maker.batch.room), "batch labels"))
            },
            benchmark(LinearForward.kernel, "\(pixels)-\(wide)") { maker throws(ComputeError) in
                let shape = LinearShape(batch: maker.batch, inputs: pixels, outputs: wide)
                return LinearForward(
                    shape, input: try maker.values(pixels, "input"), weights: try maker.weights(shape),
                    output: try maker.values(wide, "output"))
            },
            benchmark(Conv2dForward.kernel, "6-16 planes of 14x14") { maker throws(ComputeError) in
                let shape = convolution(maker.batch)
                let (weights, bias) = try maker.weights(shape)
                return Conv2dForward(
                    shape: shape, input: try maker.values(shape.inputCount, "input"), weights: weights, bias: bias,
                    output: try maker.values(shape.outputCount, "output"))
            },
            benchmark(ReluForward.kernel, "\(wide) values a sample") { maker throws(ComputeError) in
                ReluForward(
                    batch: maker.batch, features: wide, input: try maker.values(wide, "input"),
                    output: try maker.values(wide, "output"))
            },
            loss(isWeighted: false),
            benchmark(LinearInputGradient.kernel, "\(wide)-\(narrow)") { maker throws(ComputeError) in
                let shape = LinearShape(batch: maker.batch, inputs: wide, outputs: narrow)
                return LinearInputGradient(
                    shape, outputGradient: try maker.values(narrow, "gradient of the output"),
                    weights: try maker.weights(shape), inputGradient: try maker.values(wide, "gradient of the input"))
            },
            benchmark(ReluBackward.kernel, "\(wide) values a sample") { maker throws(ComputeError) in
                ReluBackward(
                    batch: maker.batch, features: wide, output: try maker.values(wide, "output"),
                    gradient: try maker.values(wide, "gradient"),
                    transposedGradient: try maker.values(paddedColumns(wide), "transposed gradient"))
            },
            benchmark(LinearWeightGradients.kernel, "\(pixels)-\(wide)") { maker throws(ComputeError) in
                let shape = LinearShape(batch: maker.batch, inputs: pixels, outputs: wide)
                return LinearWeightGradients(
                    shape, input: try maker.values(pixels, "input"),
                    transposedDelta: try maker.values(paddedColumns(wide), "transposed gradient"),
                    weights: try maker.weights(shape),
                    gradients: StepGradients(
                        try maker.floats(maker.replicas * shape.weightCount, "gradients"),
                        parameterCount: shape.weightCount))
            },
            benchmark(Conv2dInputGradient.kernel, "6-16 planes of 14x14") { maker throws(ComputeError) in
                let shape = convolution(maker.batch)
                return Conv2dInputGradient(
                    shape: shape, outputGradient: try maker.values(shape.outputCount, "gradient of the output"),
                    weights: try maker.weights(shape).weights,
                    inputGradient: try maker.values(shape.inputCount, "gradient of the input"))
            },
            benchmark(Conv2dKernelGradients.kernel, "6-16 planes of 14x14") { maker throws(ComputeError) in
                let shape = convolution(maker.batch)
                let (weights, bias) = try maker.weights(shape)
                return Conv2dKernelGradients(
                    shape: shape, input: try maker.values(shape.inputCount, "input"),
                    outputGradient: try maker.values(shape.outputCount, "gradient of the output"), weights: weights,
                    bias: bias,
                    gradients: StepGradients(
                        try maker.floats(maker.replicas * weights.stride, "gradients"), parameterCount: weights.stride))
            },
            benchmark(PredictClasses.kernel, "\(classes) classes") { maker throws(ComputeError) in
                PredictClasses(
                    batch: maker.batch, classes: classes, logits: try maker.values(classes, "logits"),
                    schedule: try maker.schedule(),
                    predictions: try maker.integers(
                        [Int32](repeating: 0, count: 64 * maker.replicas), "predictions"), predictionStride: 64)
            },
            benchmark(SampleStatistics.kernel, "\(classes) classes, recorded") { maker throws(ComputeError) in
                try statistics(maker, of: nil)
            },
            benchmark(SampleStatistics.kernel, "\(classes) classes, all") { maker throws(ComputeError) in
                try statistics(
                    maker, of: SampleStatistics.LastInput(try maker.values(narrow, "input"), width: narrow))
            },
        ]
    }
}
