import Compute

private let samples = 64

/// The operations of a training step of LeNet-5 and of its evaluation: so many networks, batches of 64.
struct TrainingBenchmarks: Sendable {
    /// Samples per batch.
    static var batch: Int { samples }
    /// Networks side by side.
    let replicas: Int
    private let shape: StepShape
    /// The parameters of a network, including padding.
    private let parameters: Int

    /// Every hidden width times `width`.
    init(replicas: Int, width: Int = 1) {
        self.replicas = replicas
        shape = .leNet5(channels: 1, width: width)
        parameters = StepNetwork.Layout(shape).count
    }

    /// A network after one step, so that its buffers are filled; if `isWeighted`, with a weight for each sample's loss.
    private func network(on backend: any Backend, isWeighted: Bool = false) throws(ComputeError) -> StepNetwork {
        var inputs = CaseInputs(seed: 1)
        let images = inputs.bytes(4099)
        // Many networks have the same weights as a few: drawing them takes longer than all kernels together.
        let some = inputs.floats(min(replicas, 5) * parameters, in: -0.1...0.1)
        let values = StepValues(
            parameters: (0..<replicas * parameters).map { some[$0 % some.count] },
            images: (0..<StepValues.imageCount * shape.height * shape.width).map { images[$0 % images.count] },
            labels: inputs.bytes(StepValues.imageCount, in: 0..<10),
            order: inputs.integers(replicas * (samples + 8), in: 0..<StepValues.imageCount),
            running1: inputs.floats(2 * replicas * shape.planes.1, in: 0.5...1),
            running2: inputs.floats(2 * replicas * shape.planes.2, in: 0.5...1))
        let network = try StepNetwork(
            shape, values, size: (replicas, samples), weightedBy: isWeighted ? inputs : nil, on: backend)
        try backend.run(network.gathered(.training))
        try backend.run(network.normalised(.training))
        try backend.run(network.classifierStep)
        try backend.run(network.blockBackward)
        try backend.run(network.weightGradients)
        return network
    }

    /// A benchmark of one operation.
    private func step(
        _ kernel: String, _ name: String, _ pass: Pass? = .training,
        _ operation: @escaping @Sendable (StepNetwork) -> any Operation
    ) -> Benchmark {
        Benchmark(kernel, name, replicas: replicas, pass: pass) { backend throws(ComputeError) in
            Benchmark.Prepared(operation(try network(on: backend)), on: backend)
        }
    }

    /// All of them, in the order of a step.
    var all: [Benchmark] {
        [
            step(Conv2dBlockForward.kernel, "gathered, 1->6 planes") { $0.gathered(.training) },
            step(Conv2dBlockForward.kernel, "gathered, inference", .inference) { $0.gathered(.inference) },
            step(Conv2dBlockForward.kernel, "normalised, 6->16 planes") { $0.normalised(.training) },
            step(Conv2dBlockForward.kernel, "normalised, inference", .inference) { $0.normalised(.inference) },
            step(ClassifierStep.kernel, "loss and gradients") { $0.classifierStep },
            predictions,
            step(Conv2dBlockBackward.kernel, "16->6 planes, linear weights") { $0.blockBackward },
            step(Conv2dWeightGradients.kernel, "1->6 and 6->16 planes") { $0.weightGradients },
            adam(pass: .training), sgd, fill,
        ]
    }

    /// The training step alone, of `lenet5-wide4`: no part of a step of LeNet-5.
    static func wide(replicas: Int) -> [Benchmark] {
        let wide = TrainingBenchmarks(replicas: replicas, width: 4)
        func step(
            _ kernel: String, _ name: String, _ operation: @escaping @Sendable (StepNetwork) -> any Operation
        ) -> Benchmark { wide.step(kernel, name, nil, operation) }
        return [
            step(Conv2dBlockForward.kernel, "gathered, 1->24 planes") { $0.gathered(.training) },
            step(Conv2dBlockForward.kernel, "normalised, 24->64 planes") { $0.normalised(.training) },
            step(ClassifierStep.kernel, "loss and gradients, 1600-480-336-10") { $0.classifierStep },
            step(Conv2dBlockBackward.kernel, "64->24 planes, linear weights") { $0.blockBackward },
            step(Conv2dWeightGradients.kernel, "1->24 and 24->64 planes") { $0.weightGradients },
            wide.adam(pass: nil),
        ]
    }

    /// The loss of weighted samples, as used in dynamic pruning.
    var weighted: Benchmark {
        Benchmark(ClassifierStep.kernel, "loss and gradients, weighted", replicas: replicas) {
            backend throws(ComputeError) in
            Benchmark.Prepared(try network(on: backend, isWeighted: true).classifierStep, on: backend)
        }
    }

    private var predictions: Benchmark {
        Benchmark(ClassifierPredictions.kernel, "predictions", replicas: replicas, pass: .inference) {
            backend throws(ComputeError) in
            let network = try network(on: backend)
            let stride = samples + StepValues.firstSample
            let predictions = try backend.makeBuffer(of: Int32.self, count: replicas * stride, label: "predictions")
            return Benchmark.Prepared(network.predictions(into: predictions, stride: stride), on: backend)
        }
    }

    private var fill: Benchmark {
        let count = replicas * parameters
        return Benchmark("fill", "\(count) floats", replicas: replicas) { backend throws(ComputeError) in
            let buffer = try backend.makeBuffer(of: Float.self, count: count, label: "filled")
            return Benchmark.Prepared(OperationCost(operations: 0, bytes: Double(4 * count))) {
                () throws(ComputeError) in try backend.fill(buffer, with: 1)
            }
        }
    }

    private func adam(pass: Pass?) -> Benchmark {
        update(AdamStep.kernel, pass: pass) { end, zeros throws(ComputeError) in
            AdamStep(end, firstMoments: try zeros(), secondMoments: try zeros())
        }
    }

    /// No part of a training by Adam.
    private var sgd: Benchmark {
        update(SgdStep.kernel, pass: nil) { end, zeros throws(ComputeError) in
            SgdStep(end, momentum: SgdStep.Momentum(0.9, velocities: try zeros()), weightDecay: 0.0005)
        }
    }

    /// A benchmark of an optimizer's step.
    private func update(
        _ kernel: String, pass: Pass?,
        _ make:
            @escaping @Sendable (StepEnd, () throws(ComputeError) -> DeviceBuffer<Float>) throws(ComputeError)
            -> any Operation
    ) -> Benchmark {
        Benchmark(kernel, "\(parameters) parameters", replicas: replicas, pass: pass) {
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
            let end = StepEnd(
                batch: network.batch.shape, parameters: try state(0.1), gradients: gradients,
                lossAndCorrect: network.classifier.lossAndCorrect, losses: losses, correct: correct,
                schedule: network.schedule)
            return Benchmark.Prepared(try make(end) { () throws(ComputeError) in try state(0) }, on: backend)
        }
    }
}
