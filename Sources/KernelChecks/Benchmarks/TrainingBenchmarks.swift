import Compute

private let samples = 64
private let shape = StepShape.leNet5(channels: 1)
/// Those of LeNet-5 with their padding.
private let parameters = StepNetwork.Layout(shape).count

/// Values an image: pixels, the blocks' planes, their pools (the second one's are the features), hidden layers.
private let (pixels, plane1, pool1, plane2, pool2, hidden) = (1024.0, 4704.0, 1176.0, 1600.0, 400.0, 204.0)
/// Multiply-adds an image of one pass over each layer; each gradient takes as many.
private let (conv1, conv2, linear) = (117_600.0, 240_000.0, 58_920.0)

/// The operations of a training step of LeNet-5 and of its evaluation: so many networks, batches of 64.
struct TrainingBenchmarks: Sendable {
    /// Samples per batch.
    static var batch: Int { samples }
    /// Networks side by side.
    let replicas: Int
    private var all64: Double { Double(replicas * samples) }

    /// A network through whose buffers one step has gone.
    private func network(on backend: any Backend) throws(ComputeError) -> StepNetwork {
        var inputs = CaseInputs(seed: 1)
        let images = inputs.bytes(4099)
        // Many networks have the same weights as a few: drawing them takes longer than all kernels together.
        let some = inputs.floats(min(replicas, 5) * parameters, in: -0.1...0.1)
        let values = StepValues(
            parameters: (0..<replicas * parameters).map { some[$0 % some.count] },
            images: (0..<StepValues.imageCount * Int(pixels)).map { images[$0 % images.count] },
            labels: inputs.bytes(StepValues.imageCount, in: 0..<10),
            order: inputs.integers(replicas * (samples + 8), in: 0..<StepValues.imageCount),
            running1: inputs.floats(2 * replicas * 6, in: 0.5...1),
            running2: inputs.floats(2 * replicas * 16, in: 0.5...1))
        let network = try StepNetwork(shape, values, size: (replicas, samples), on: backend)
        try backend.run(network.gathered(.training))
        try backend.run(network.normalised(.training))
        try backend.run(network.classifierStep)
        try backend.run(network.blockBackward)
        try backend.run(network.weightGradients)
        return network
    }

    /// A benchmark of one operation; multiply-adds and floats an image.
    private func step(
        _ kernel: String, _ name: String, multiplyAdds: Double, others: Double, floats: Double, weights: Double,
        _ run: @escaping @Sendable (any Backend, StepNetwork) throws(ComputeError) -> Void
    ) -> Benchmark {
        Benchmark(
            kernel, name, operations: all64 * (2 * multiplyAdds + others),
            bytes: 4 * (all64 * floats + Double(replicas) * weights), replicas: replicas
        ) { backend throws(ComputeError) in
            let network = try network(on: backend)
            return { () throws(ComputeError) in try run(backend, network) }
        }
    }

    /// All of them, in the order of a step. Beside the multiply-adds, by the formulas: 3 operations a value for the
    /// statistics and 3 a pooled value for the pool's comparisons; 2 to normalise; backward, 3 for a pooled value's sums
    /// and 4 a value for the gradient. A pool's winner, a byte, is a quarter of a float.
    var all: [Benchmark] {
        [
            step(
                "conv2d_block_forward", "gathered, 1->6 planes", multiplyAdds: conv1,
                others: 2 * pixels + 3 * plane1 + 3 * pool1, floats: 1.25 * pixels + plane1 + 1.25 * pool1, weights: 150
            ) { backend, network throws(ComputeError) in
                try backend.run(network.gathered(.training))
            },
            step(
                "conv2d_block_forward", "gathered, inference", multiplyAdds: conv1, others: 2 * pixels + 3 * pool1,
                floats: 1.25 * pixels + pool1, weights: 150
            ) { backend, network throws(ComputeError) in
                try backend.run(network.gathered(.inference))
            },
            step(
                "conv2d_block_forward", "normalised, 6->16 planes", multiplyAdds: conv2,
                others: 2 * pool1 + 3 * plane2 + 3 * pool2, floats: 2 * pool1 + plane2 + 1.25 * pool2, weights: 2400
            ) { backend, network throws(ComputeError) in
                try backend.run(network.normalised(.training))
            },
            step(
                "conv2d_block_forward", "normalised, inference", multiplyAdds: conv2, others: 2 * pool1 + 3 * pool2,
                floats: 2 * pool1 + pool2, weights: 2400
            ) { backend, network throws(ComputeError) in
                try backend.run(network.normalised(.inference))
            },
            step(
                "classifier_step", "loss and gradients", multiplyAdds: 2 * linear, others: 5 * pool2 + 40,
                floats: 3 * pool2 + 3 * hidden + 40, weights: linear
            ) { backend, network throws(ComputeError) in
                try backend.run(network.classifierStep)
            },
            predictions,
            step(
                "conv2d_block_backward", "16->6 planes, linear weights", multiplyAdds: conv2 + linear,
                others: 4 * plane2 + 4 * pool1, floats: 2 * plane2 + 2.25 * pool2 + 3 * pool1 + 2 * hidden,
                weights: 2400 + linear
            ) { backend, network throws(ComputeError) in
                try backend.run(network.blockBackward)
            },
            step(
                "conv2d_weight_gradients", "1->6 and 6->16 planes", multiplyAdds: conv1 + conv2, others: 4 * plane1,
                floats: pixels + 2 * plane1 + 2.25 * pool1 + plane2, weights: 150 + 2400
            ) { backend, network throws(ComputeError) in
                try backend.run(network.weightGradients)
            },
            adam, fill,
        ]
    }

    private var predictions: Benchmark {
        Benchmark(
            "classifier_step", "predictions", operations: all64 * (2 * linear + 2 * pool2),
            bytes: 4 * (all64 * (2 * pool2 + hidden) + Double(replicas) * linear), replicas: replicas
        ) { backend throws(ComputeError) in
            let network = try network(on: backend)
            let stride = samples + StepValues.firstSample
            let predictions = try backend.makeBuffer(of: Int32.self, count: replicas * stride, label: "predictions")
            return { () throws(ComputeError) in
                try backend.run(network.predictions(into: predictions, stride: stride))
            }
        }
    }

    private var fill: Benchmark {
        let count = replicas * parameters
        return Benchmark("fill", "\(count) floats", operations: 0, bytes: Double(4 * count), replicas: replicas) {
            backend throws(ComputeError) in
            let buffer = try backend.makeBuffer(of: Float.self, count: count, label: "filled")
            return { () throws(ComputeError) in try backend.fill(buffer, with: 1) }
        }
    }

    /// For each parameter the two moments (3 and 4), a root, a sum, a division and the step (2); its bytes are the
    /// parameter and both moments, read and written, and one gradient.
    private var adam: Benchmark {
        let size = Double(replicas * parameters)
        return Benchmark(
            "adam_step", "\(parameters) parameters", operations: 12 * size, bytes: 4 * 7 * size, replicas: replicas
        ) {
            backend throws(ComputeError) in
            let network = try network(on: backend)
            func state(_ value: Float) throws(ComputeError) -> DeviceBuffer<Float> {
                let buffer = try backend.makeBuffer(of: Float.self, count: replicas * parameters, label: "moments")
                try backend.fill(buffer, with: value)
                return buffer
            }
            let (losses, correct) = (
                try backend.makeBuffer(of: Float.self, count: replicas * 3, label: "losses"),
                try backend.makeBuffer(of: Int32.self, count: replicas * 3, label: "right answers")
            )
            let gradients = network.gradients
            try backend.fill(gradients.values, with: 0.001)
            try backend.fill(gradients.tiles, with: 0.001)
            let step = AdamStep(
                batch: network.batch.shape, parameters: try state(0.1), firstMoments: try state(0),
                secondMoments: try state(0), gradients: gradients, lossAndCorrect: network.classifier.lossAndCorrect,
                losses: losses,
                correct: correct, schedule: network.schedule)
            return { () throws(ComputeError) in try backend.run(step) }
        }
    }
}
