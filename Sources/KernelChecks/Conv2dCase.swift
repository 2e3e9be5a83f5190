import Compute

/// One convolution, for the cases of its four kernels.
struct Conv2dCase: KernelCase {
    /// Which of the kernels.
    enum Operation: String {
        case forward = "conv2d_forward"
        case inputGradient = "conv2d_input_gradient"
        case weightGradient = "conv2d_weight_gradient"
        case biasGradient = "conv2d_bias_gradient"
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let channels: (inputs: Int, outputs: Int)
    let extent: (height: Int, width: Int, kernel: Int)
    let seed: UInt64
    /// Puts a NaN into sample 0 of the last replica's input, which must stay in its sample.
    var poisonsASample = false

    var kernel: String { operation.rawValue }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(channels.inputs)->\(channels.outputs) channels, "
            + "\(extent.height)x\(extent.width), kernel \(extent.kernel), seed \(seed)"
            + (poisonsASample ? ", a NaN" : "")
    }

    /// LeNet-5's two layers, of grey and of coloured images; the first has no use for the gradient of its input.
    static func launched(_ operation: Operation, seed: UInt64, replicas: Int) -> [any KernelCase] {
        let layers: [(channels: (Int, Int), extent: (Int, Int, Int))] = [
            (channels: (1, 6), extent: (32, 32, 5)), ((3, 6), (32, 32, 5)), ((6, 16), (14, 14, 5)),
        ]
        return layers.filter { operation != .inputGradient || $0.channels.0 == 6 }.map {
            Conv2dCase(
                operation: operation, batch: ($0.channels.0 == 3 ? 2 : replicas, 64), channels: $0.channels,
                extent: $0.extent, seed: seed)
        }
    }

    /// Shapes that are no multiple of anything.
    static func all(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        let awkward: [(channels: (Int, Int), extent: (Int, Int, Int))] = [
            (channels: (1, 1), extent: (1, 1, 1)), ((2, 3), (5, 5, 5)), ((3, 1), (7, 6, 3)), ((1, 7), (6, 17, 2)),
            ((5, 4), (9, 8, 5)), ((2, 2), (3, 19, 3)),
        ]
        var cases: [any KernelCase] = []
        for (index, shape) in awkward.enumerated() {
            // A gradient's programs have the number of tiles in them.
            let isGradient = operation == .weightGradient || operation == .biasGradient
            for batch in isGradient && index % 3 != 1 ? [(3, 33)] : AwkwardBatch.few {
                cases.append(
                    Conv2dCase(
                        operation: operation, batch: batch, channels: shape.channels, extent: shape.extent,
                        seed: seed + UInt64(index)))
            }
        }
        if operation == .forward || operation == .inputGradient {
            cases.append(
                Conv2dCase(
                    operation: operation, batch: (2, 17), channels: (3, 1), extent: (7, 6, 3), seed: seed,
                    poisonsASample: true))
        }
        return cases
    }

    private func shape(_ batch: CaseBatch) -> Conv2DShape {
        Conv2DShape(
            batch: batch.shape, inChannels: channels.inputs, outChannels: channels.outputs, height: extent.height,
            width: extent.width, kernel: extent.kernel)
    }
    /// A gradient's launch depends on the number of tiles too.
    var form: String {
        operation == .weightGradient || operation == .biasGradient
            ? "\(channels), \(extent), batch \(batch.samples)" : "\(channels), \(extent)"
    }
    var cost: Int {
        let (height, width) = (extent.height - extent.kernel + 1, extent.width - extent.kernel + 1)
        let outputs = batch.replicas * batch.samples * channels.outputs * height * width
        return operation == .biasGradient ? outputs : outputs * channels.inputs * extent.kernel * extent.kernel
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let sized = CaseBatch(backend, batch)
        let referenceSized = CaseBatch(reference, batch)
        let shape = shape(sized)
        let inputValues = shape.inChannels * shape.height * shape.width
        let outputValues = shape.outChannels * shape.outHeight * shape.outWidth
        let samples = batch.replicas * batch.samples
        var inputs = CaseInputs(seed: seed)
        var input = inputs.floats(samples * inputValues)
        var gradient = inputs.floats(samples * outputValues)
        let weights = inputs.floats(batch.replicas * shape.weightCount)
        let biases = inputs.floats(batch.replicas * shape.outChannels)
        if poisonsASample {
            input[(samples - batch.samples) * inputValues] = .nan
            gradient[(samples - batch.samples) * outputValues] = .nan
        }
        let taps = shape.kernel * shape.kernel

        func activationResult(_ sized: CaseBatch) throws -> GuardedContents<Float> {
            let weight = try sized.tensor(weights, count: shape.weightCount, label: "weights")
            if operation == .forward {
                let joined = try sized.tensor(
                    joinedParameters(weights, shape.weightCount, biases, shape.outChannels),
                    count: shape.weightCount + shape.outChannels, label: "weights and biases")
                let bias = ReplicaTensor(
                    joined.buffer, offset: joined.offset + shape.weightCount, stride: joined.stride)
                let output = try sized.output(outputValues, label: "output")
                try sized.backend.conv2dForward(
                    self.shape(sized),
                    input: try sized.activation(input, values: inputValues, label: "input"), weights: joined,
                    bias: bias, output: output.buffer)
                return try output.contents()
            }
            let output = try sized.output(inputValues, label: "input gradient")
            try sized.backend.conv2dInputGradient(
                self.shape(sized),
                outputGradient: try sized.activation(gradient, values: outputValues, label: "output gradient"),
                weights: weight, inputGradient: output.buffer)
            return try output.contents()
        }
        func gradientResult(_ sized: CaseBatch) throws -> [Float] {
            let isWeight = operation == .weightGradient
            let gradients = try CaseGradients(sized, count: isWeight ? shape.weightCount : shape.outChannels)
            let delta = try sized.activation(gradient, values: outputValues, label: "output gradient")
            if isWeight {
                try sized.backend.conv2dWeightGradient(
                    self.shape(sized), input: try sized.activation(input, values: inputValues, label: "input"),
                    outputGradient: delta, gradients: gradients.slices, offset: CaseGradients.offset)
            } else {
                try sized.backend.conv2dBiasGradient(
                    self.shape(sized), outputGradient: delta, gradients: gradients.slices,
                    offset: CaseGradients.offset)
            }
            return try gradients.sum(&judge)
        }

        switch operation {
        case .forward, .inputGradient:
            let isForward = operation == .forward
            judge.check(
                isForward ? "output" : "input gradient", try activationResult(sized), of: sized,
                equals: try activationResult(referenceSized), of: referenceSized,
                values: isForward ? outputValues : inputValues,
                within: .sum(of: taps * (isForward ? shape.inChannels : shape.outChannels)))
        case .weightGradient, .biasGradient:
            let actual = try gradientResult(sized)
            judge.check(
                "gradient", actual, equals: try gradientResult(referenceSized),
                within: .sum(of: batch.samples * shape.outHeight * shape.outWidth))
        }
        return judge.result
    }

    /// [replica][a then b].
    private func joinedParameters(_ a: [Float], _ aCount: Int, _ b: [Float], _ bCount: Int) -> [Float] {
        var joined: [Float] = []
        for replica in 0..<batch.replicas {
            joined += a[replica * aCount..<(replica + 1) * aCount]
            joined += b[replica * bCount..<(replica + 1) * bCount]
        }
        return joined
    }
}
