import Compute

/// The operations of a training step of LeNet-5: 5 networks, batches of 64.
enum TrainingBenchmarks {
    static let replicas = 5
    static let samples = 64
    /// Those of LeNet-5 with their padding.
    private static let parameters = 66_960
    private static let all64 = Double(replicas * samples)

    /// The buffers of a batch on a backend.
    private struct Batch {
        let backend: any Backend
        var shape: BatchShape {
            BatchShape(replicas: replicas, tiles: (samples + backend.tile - 1) / backend.tile)
        }
        private var stored: Int { shape.replicas * shape.tiles * backend.tile }

        func activation(_ values: Int) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.randomFloats(stored * values, label: "activations")
        }

        func output(_ values: Int) throws(ComputeError) -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: stored * values, label: "results")
        }

        func tensor(_ count: Int) throws(ComputeError) -> ReplicaTensor {
            let stride = paddedColumns(count)
            return ReplicaTensor(
                try backend.randomFloats(replicas * stride, label: "parameters"), offset: 0, stride: stride)
        }

        func gradients(_ count: Int) throws(ComputeError) -> GradientSlices {
            let slices = backend.gradientSlices(tiles: shape.tiles)
            let stride = paddedColumns(count)
            let buffer = try backend.makeBuffer(
                of: Float.self, count: replicas * slices * stride, label: "gradients")
            return GradientSlices(buffer, slices: slices, parameterCount: stride)
        }

        func current() throws(ComputeError) -> DeviceBuffer<Int32> {
            try backend.makeBuffer([0, Int32(samples), 0, 0], label: "current step")
        }

        func labels() throws(ComputeError) -> DeviceBuffer<Int32> {
            try backend.makeBuffer((0..<stored).map { Int32($0 % 10) }, label: "labels")
        }

        func layer(_ channels: Int, _ side: Int) throws(ComputeError) -> BatchNormReluPool {
            let pooled = channels * (side / 2) * (side / 2)
            return BatchNormReluPool(
                shape: PlaneShape(batch: shape, channels: channels, height: side, width: side),
                gamma: try tensor(channels), beta: try tensor(channels),
                running: try backend.makeBuffer(
                    [Float](repeating: 1, count: replicas * 2 * channels), label: "running statistics"),
                partials: try backend.makeBuffer(
                    [Float](repeating: 1, count: replicas * shape.tiles * channels * 2), label: "partials"),
                saved: try backend.makeBuffer(
                    [Float](repeating: 1, count: replicas * channels * 2), label: "saved statistics"),
                winners: try backend.makeBuffer(
                    (0..<stored * pooled).map { UInt8($0 % 5) }, label: "pool winners"),
                current: try current())
        }

        func conv(_ shape: Conv) -> Conv2DShape {
            Conv2DShape(
                batch: self.shape, inChannels: shape.inputs, outChannels: shape.outputs, height: shape.side,
                width: shape.side, kernel: 5)
        }

        func linear(_ shape: Linear) -> LinearShape {
            LinearShape(batch: self.shape, inputs: shape.inputs, outputs: shape.outputs)
        }
    }

    /// A 5x5 convolution of square planes.
    private struct Conv: Sendable {
        let inputs: Int
        let outputs: Int
        let side: Int
        var inValues: Int { inputs * side * side }
        var outValues: Int { outputs * (side - 4) * (side - 4) }
        var weights: Int { inputs * outputs * 25 }
        var name: String { "\(inputs)->\(outputs) channels, \(side)x\(side)" }
        /// Each output takes a multiply-add for each tap; gradients take as many.
        var operations: Double { 2 * all64 * Double(outValues * inputs * 25) }
        func bytes(_ values: Int, weights count: Double = 1) -> Double {
            4 * (all64 * Double(values) + Double(replicas * weights) * count)
        }
    }

    /// A linear layer.
    private struct Linear: Sendable {
        let inputs: Int
        let outputs: Int
        var weights: Int { (inputs + 1) * paddedColumns(outputs) }
        var name: String { "\(inputs)->\(outputs)" }
        var operations: Double { 2 * all64 * Double(inputs * outputs) }
        var bytes: Double { 4 * (all64 * Double(inputs + outputs) + Double(replicas * (inputs + 1) * outputs)) }
    }

    private static let convs = [Conv(inputs: 1, outputs: 6, side: 32), Conv(inputs: 6, outputs: 16, side: 14)]
    private static let linears = [
        Linear(inputs: 400, outputs: 120), Linear(inputs: 120, outputs: 84), Linear(inputs: 84, outputs: 10),
    ]

    /// All of them, in the order of a step.
    static let all: [Benchmark] =
        [gather] + convs.map(convForward) + convs.flatMap { norms($0) } + linears.map(linearForward)
        + [loss] + linears.map(linearWeights) + linears.map(linearInputs) + convs.map(convWeights)
        + [convInputs(convs[1]), convBiases, adam, classify, begin, fill]

    private static func convForward(_ conv: Conv) -> Benchmark {
        Benchmark(
            "conv2d_forward", conv.name, operations: conv.operations,
            bytes: conv.bytes(conv.inValues + conv.outValues)
        ) { backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let (input, output) = (try batch.activation(conv.inValues), try batch.output(conv.outValues))
            let (weights, bias) = (try batch.tensor(conv.weights), try batch.tensor(conv.outputs))
            return { () throws(ComputeError) in
                try backend.conv2dForward(
                    batch.conv(conv), input: input, weights: weights, bias: bias, output: output)
            }
        }
    }

    private static func convInputs(_ conv: Conv) -> Benchmark {
        Benchmark(
            "conv2d_input_gradient", conv.name, operations: conv.operations,
            bytes: conv.bytes(conv.inValues + conv.outValues)
        ) { backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let (delta, result) = (try batch.activation(conv.outValues), try batch.output(conv.inValues))
            let weights = try batch.tensor(conv.weights)
            return { () throws(ComputeError) in
                try backend.conv2dInputGradient(
                    batch.conv(conv), outputGradient: delta, weights: weights, inputGradient: result)
            }
        }
    }

    private static func convWeights(_ conv: Conv) -> Benchmark {
        Benchmark(
            "conv2d_weight_gradient", conv.name, operations: conv.operations,
            bytes: conv.bytes(conv.inValues + conv.outValues)
        ) { backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let (input, delta) = (try batch.activation(conv.inValues), try batch.activation(conv.outValues))
            let gradients = try batch.gradients(conv.weights)
            return { () throws(ComputeError) in
                try backend.conv2dWeightGradient(
                    batch.conv(conv), input: input, outputGradient: delta, gradients: gradients, offset: 0)
            }
        }
    }

    /// An addition for each value.
    private static let convBiases: Benchmark = {
        let conv = convs[1]
        return Benchmark(
            "conv2d_bias_gradient", conv.name, operations: all64 * Double(conv.outValues),
            bytes: conv.bytes(conv.outValues, weights: 0)
        ) { backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let delta = try batch.activation(conv.outValues)
            let gradients = try batch.gradients(paddedColumns(conv.outputs))
            return { () throws(ComputeError) in
                try backend.conv2dBiasGradient(
                    batch.conv(conv), outputGradient: delta, gradients: gradients, offset: 0)
            }
        }
    }()

    /// One row of a table: what a launch costs. The cursor goes back before each.
    private static let begin = Benchmark("begin_step", "a step", operations: 0, bytes: 40) {
        backend throws(ComputeError) in
        let batch = Batch(backend: backend)
        let cursor = try backend.makeBuffer([Int32(0)], label: "cursor")
        let schedule = StepSchedule(
            batches: try backend.makeBuffer([0, Int32(samples), 0, 0], label: "batches"),
            rates: try backend.makeBuffer([0.001, 1], label: "step sizes"), cursor: cursor,
            current: try batch.current())
        return { () throws(ComputeError) in
            try backend.write([Int32(0)], to: cursor)
            try backend.beginStep(schedule)
        }
    }

    private static let fill: Benchmark = {
        let count = replicas * parameters
        return Benchmark("fill", "\(count) floats", operations: 0, bytes: Double(4 * count)) {
            backend throws(ComputeError) in
            let buffer = try backend.makeBuffer(of: Float.self, count: count, label: "filled")
            return { () throws(ComputeError) in try backend.fill(buffer, with: 1) }
        }
    }()

    /// Batch norm with ReLU and pool after a convolution. Operations a value, by the formulas: 3 for the statistics (add,
    /// subtract, square and add), 2 to normalise and scale, 3 for the pool's comparisons of four; backward, 3 for the
    /// sums and 4 for the gradient.
    private static func norms(_ conv: Conv) -> [Benchmark] {
        let (channels, side, values) = (conv.outputs, conv.side - 4, conv.outValues)
        let size = all64 * Double(values)
        let name = "\(channels) channels of \(side)x\(side)"
        func make(
            _ kernel: String, operations: Double, values moved: Double,
            _ run:
                @escaping @Sendable (
                    any Backend, BatchNormReluPool, _ input: DeviceBuffer<Float>, _ pooled: DeviceBuffer<Float>,
                    _ result: DeviceBuffer<Float>, GradientSlices
                ) throws(ComputeError) -> Void
        ) -> Benchmark {
            Benchmark(kernel, name, operations: operations * size, bytes: 4 * moved * size) {
                backend throws(ComputeError) in
                let batch = Batch(backend: backend)
                let layer = try batch.layer(channels, side)
                let (input, pooled) = (try batch.activation(values), try batch.activation(values / 4))
                let (result, gradients) = (try batch.output(values), try batch.gradients(2 * paddedColumns(channels)))
                return { () throws(ComputeError) in try run(backend, layer, input, pooled, result, gradients) }
            }
        }
        // A pooled value is a quarter, its winner (a byte) a sixteenth of a value.
        return [
            make("batch_norm_statistics", operations: 3, values: 1) {
                backend, layer, input, _, _, _ throws(ComputeError) in
                try backend.batchNormStatistics(layer, input: input)
            },
            make("batch_norm_relu_pool_forward", operations: 3, values: 1.3125) {
                backend, layer, input, pooled, _, _ throws(ComputeError) in
                try backend.batchNormReluPoolForward(layer, input: input, output: pooled)
            },
            make("batch_norm_relu_pool_inference", operations: 3, values: 1.25) {
                backend, layer, input, pooled, _, _ throws(ComputeError) in
                try backend.batchNormReluPoolInference(layer, input: input, output: pooled)
            },
            make("batch_norm_relu_pool_backward_sums", operations: 0.75, values: 1.3125) {
                backend, layer, input, pooled, _, _ throws(ComputeError) in
                try backend.batchNormReluPoolBackwardSums(layer, input: input, outputGradient: pooled)
            },
            make("batch_norm_relu_pool_backward", operations: 4, values: 2.3125) {
                backend, layer, input, pooled, result, gradients throws(ComputeError) in
                try backend.batchNormReluPoolBackward(
                    layer, input: input, outputGradient: pooled, inputGradient: result, gradients: gradients)
            },
        ]
    }

    private static func linearForward(_ linear: Linear) -> Benchmark {
        Benchmark("linear_forward", linear.name, operations: linear.operations, bytes: linear.bytes) {
            backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let (input, output) = (try batch.activation(linear.inputs), try batch.output(linear.outputs))
            let weights = try batch.tensor(linear.weights)
            return { () throws(ComputeError) in
                try backend.linearForward(
                    batch.linear(linear), relu: true, input: input, weights: weights, output: output)
            }
        }
    }

    private static func linearInputs(_ linear: Linear) -> Benchmark {
        Benchmark("linear_input_gradient", linear.name, operations: linear.operations, bytes: linear.bytes) {
            backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let (delta, result) = (try batch.activation(linear.outputs), try batch.output(linear.inputs))
            let weights = try batch.tensor(linear.weights)
            return { () throws(ComputeError) in
                try backend.linearInputGradient(
                    batch.linear(linear), outputGradient: delta, weights: weights, relu: nil, inputGradient: result,
                    transposed: nil)
            }
        }
    }

    private static func linearWeights(_ linear: Linear) -> Benchmark {
        Benchmark("linear_weight_gradient", linear.name, operations: linear.operations, bytes: linear.bytes) {
            backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            let input = try batch.activation(linear.inputs)
            let delta = try batch.activation(paddedColumns(linear.outputs))
            let gradients = try batch.gradients(linear.weights)
            return { () throws(ComputeError) in
                try backend.linearWeightGradient(
                    batch.linear(linear), input: input, transposedOutputGradient: delta, gradients: gradients,
                    offset: 0)
            }
        }
    }

    /// Of 2,000 images as the network takes them.
    private static let gather: Benchmark = {
        let (images, pixels) = (2000, 1024)
        return Benchmark(
            "gather_batch", "\(pixels) pixels", operations: 2 * all64 * Double(pixels),
            bytes: 5 * all64 * Double(pixels)
        ) { backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            var inputs = CaseInputs(seed: 1)
            let some = inputs.bytes(4099)
            let order = try backend.makeBuffer(
                (0..<replicas).flatMap { _ in inputs.permutation(images) }, label: "order")
            let gather = GatherBatch(
                batch: batch.shape, pixels: pixels,
                images: try backend.makeBuffer((0..<images * pixels).map { some[$0 % some.count] }, label: "images"),
                labels: try backend.makeBuffer((0..<images).map { UInt8($0 % 10) }, label: "labels"), order: order,
                orderStride: images, current: try batch.current(), scale: 0.01, shift: -1,
                activations: try batch.output(pixels), batchLabels: try batch.labels())
            return { () throws(ComputeError) in try backend.gatherBatch(gather) }
        }
    }()

    /// For each class a subtraction, an exponential, a sum and a division.
    private static let loss = Benchmark(
        "softmax_cross_entropy", "10 classes", operations: 4 * 10 * all64, bytes: 4 * 36 * all64
    ) { backend throws(ComputeError) in
        let batch = Batch(backend: backend)
        let loss = SoftmaxCrossEntropy(
            batch: batch.shape, classes: 10, logits: try batch.activation(10), batchLabels: try batch.labels(),
            current: try batch.current(),
            losses: try backend.makeBuffer(of: Float.self, count: replicas, label: "losses"),
            correct: try backend.makeBuffer(of: Int32.self, count: replicas, label: "right answers"),
            delta: try batch.output(10), transposedDelta: try batch.output(16))
        return { () throws(ComputeError) in try backend.softmaxCrossEntropy(loss) }
    }

    private static let classify = Benchmark(
        "classify", "10 classes", operations: 9 * all64, bytes: 4 * 11 * all64
    ) { backend throws(ComputeError) in
        let batch = Batch(backend: backend)
        let (logits, current) = (try batch.activation(10), try batch.current())
        let predictions = try backend.makeBuffer(of: Int32.self, count: replicas * samples, label: "predictions")
        return { () throws(ComputeError) in
            try backend.classify(
                batch.shape, classes: 10, logits: logits, current: current, predictions: predictions,
                predictionStride: samples)
        }
    }

    /// For each parameter the two moments (3 and 4), a root, a sum, a division and the step (2); its bytes are the
    /// parameter and both moments, read and written, and one gradient.
    private static let adam: Benchmark = {
        let size = Double(replicas * parameters)
        return Benchmark("adam_step", "\(parameters) parameters", operations: 12 * size, bytes: 4 * 7 * size) {
            backend throws(ComputeError) in
            let batch = Batch(backend: backend)
            func state(_ value: Float) throws(ComputeError) -> DeviceBuffer<Float> {
                let buffer = try backend.makeBuffer(of: Float.self, count: replicas * parameters, label: "moments")
                try backend.fill(buffer, with: value)
                return buffer
            }
            let gradients = try batch.gradients(parameters)
            try backend.fill(gradients.buffer, with: 0.001)
            let schedule = StepSchedule(
                batches: try backend.makeBuffer([0, Int32(samples), 0, 0], label: "batches"),
                rates: try backend.makeBuffer([0.001, 1], label: "step sizes"),
                cursor: try backend.makeBuffer([Int32(0)], label: "cursor"), current: try batch.current())
            let step = AdamStep(
                replicas: replicas, parameters: try state(0.1), firstMoments: try state(0),
                secondMoments: try state(0), gradients: gradients, schedule: schedule)
            return { () throws(ComputeError) in try backend.adamStep(step) }
        }
    }()
}
