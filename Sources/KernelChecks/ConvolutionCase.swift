import Compute

/// One operation of a convolution, held against sums in double precision.
struct ConvolutionCase: KernelCase {
    /// Which operation.
    enum Operation {
        case forward
        case inputGradient
        case kernelGradients
    }
    /// Planes, their extents, and the kernel.
    struct Extents {
        let planes: (Int, Int)
        let size: (height: Int, width: Int)
        let kernel, padding: Int

        init(_ planes: (Int, Int), _ size: (height: Int, width: Int), _ kernel: Int, padding: Int) {
            self.planes = planes
            self.size = size
            self.kernel = kernel
            self.padding = padding
        }
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let extents: Extents
    /// With a NaN among the values, which reaches the results that it takes part in; and without gradients of biases.
    var holdsNaN = false
    let seed: UInt64

    var kernel: String {
        switch operation {
        case .forward: Conv2dForward.kernel
        case .inputGradient: Conv2dInputGradient.kernel
        case .kernelGradients: Conv2dKernelGradients.kernel
        }
    }
    var name: String {
        let (planes, size) = (extents.planes, extents.size)
        return "R \(batch.replicas), batch \(batch.samples), \(planes.0)-\(planes.1) planes of \(size.height)x"
            + "\(size.width), kernel \(extents.kernel), padding \(extents.padding)\(holdsNaN ? ", NaN" : ""), seed \(seed)"
    }
    /// Kernels of the gradients of weights hold as many taps of a row as come out even.
    var form: String {
        guard operation == .kernelGradients else { return "any" }
        let blocks = (extents.kernel + 4) / 5
        return "\((extents.kernel + blocks - 1) / blocks) taps"
    }
    var cost: Int {
        let room = (AwkwardBatch.room(for: batch.samples) + 31) / 32 * 32
        return batch.replicas * room * extents.planes.0 * extents.planes.1 * extents.size.height * extents.size.width
            * extents.kernel * extents.kernel
    }

    /// One plane and value to more planes than a block has; kernels of an even side, of more taps than a block, and as
    /// large as the input; padding that reaches beyond the kernel, so that rows and columns have no tap at all.
    private static let extents: [((replicas: Int, samples: Int), Extents)] = [
        ((1, 1), Extents((1, 1), (1, 1), 1, padding: 0)),
        ((2, 7), Extents((2, 3), (5, 7), 3, padding: 1)),
        ((1, 17), Extents((1, 5), (9, 6), 2, padding: 0)),
        ((3, 33), Extents((3, 2), (4, 5), 5, padding: 2)),
        ((1, 16), Extents((4, 7), (3, 2), 1, padding: 2)),
        ((2, 15), Extents((5, 9), (7, 8), 4, padding: 3)),
        ((1, 31), Extents((2, 4), (7, 7), 7, padding: 0)),
        ((1, 65), Extents((1, 3), (6, 11), 9, padding: 4)),
    ]

    static func cases(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        extents.enumerated().map {
            ConvolutionCase(
                operation: operation, batch: $1.0, extents: $1.1, seed: seed + UInt64($0))
        } + [
            ConvolutionCase(
                operation: operation, batch: (2, 7), extents: Extents((3, 5), (6, 5), 3, padding: 1), holdsNaN: true,
                seed: seed)
        ]
    }

    /// The second convolution of `lenet5-1998`.
    static func launched(_ operation: Operation, seed: UInt64, replicas: Int) -> [any KernelCase] {
        [
            ConvolutionCase(
                operation: operation, batch: (min(replicas, 2), 64), extents: Extents((6, 16), (14, 14), 5, padding: 0),
                seed: seed)
        ]
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let shape = Conv2DShape(
            batch: batch.shape, inChannels: extents.planes.0, outChannels: extents.planes.1,
            height: extents.size.height, width: extents.size.width, kernel: extents.kernel, padding: extents.padding)
        let (replicas, samples) = (self.batch.replicas, self.batch.samples)
        let (inputs, outputs) = (shape.inChannels * shape.height * shape.width, shape.outputCount)
        // Memory around the layer's weights and biases belongs to others.
        let (offset, bias) = (19, 19 + shape.weightCount + 5)
        let stride = paddedColumns(bias + shape.outChannels + 3)
        let parameters = random.floats(replicas * stride)
        let buffer = try backend.makeBuffer(parameters, label: "parameters")
        let weights = ReplicaTensor(buffer, offset: offset, stride: stride)
        let biases = ReplicaTensor(buffer, offset: bias, stride: stride)
        var input = random.floats(replicas * samples * inputs)
        var delta = random.floats(replicas * samples * outputs)
        if holdsNaN {
            input[input.count / 2] = .nan
            if operation == .inputGradient { delta[delta.count / 2] = .nan }
        }
        func own(_ replica: Int, _ offset: Int, _ count: Int) -> [Double] {
            parameters[(offset + replica * stride)...].prefix(count).map(Double.init)
        }
        func image(_ values: [Float], _ replica: Int, _ sample: Int, _ count: Int) -> [Double] {
            values[((replica * samples + sample) * count)...].prefix(count).map(Double.init)
        }
        /// What `truth` says of every image with the weights of its network.
        func everywhere(_ truth: (_ replica: Int, _ sample: Int, _ weights: [Double]) -> [Bounded]) -> [Bounded] {
            (0..<replicas).flatMap { replica -> [Bounded] in
                let weights = own(replica, offset, shape.weightCount)
                return (0..<samples).flatMap { truth(replica, $0, weights) }
            }
        }
        switch operation {
        case .forward:
            let output = try batch.output(outputs, label: "output")
            try backend.run(
                Conv2dForward(
                    shape: shape, input: try batch.activation(input, values: inputs, masked: 3, label: "input"),
                    weights: weights, bias: biases, output: output.buffer))
            let actual = try output.contents()
            judge.checkGuards("output", actual)
            judge.check(
                "output", batch.layout(outputs).unpack(actual.values),
                equals: everywhere {
                    shape.output(
                        of: image(input, $0, $1, inputs), weights: $2, bias: own($0, bias, shape.outChannels))
                })
        case .inputGradient:
            let gradient = try batch.output(inputs, label: "gradient of the input")
            try backend.run(
                Conv2dInputGradient(
                    shape: shape,
                    outputGradient: try batch.activation(delta, values: outputs, label: "gradient of the output"),
                    weights: weights, inputGradient: gradient.buffer))
            let actual = try gradient.contents()
            judge.checkGuards("gradient of the input", actual)
            judge.check(
                "gradient of the input", batch.layout(inputs).unpack(actual.values),
                equals: everywhere { shape.inputGradient(of: image(delta, $0, $1, outputs), weights: $2) })
            if batch.layout(inputs).maskedValues(actual.values).contains(where: { $0 != 0 }) {
                judge.complain("a masked sample has a gradient")
            }
        case .kernelGradients:
            let gradients = try GuardedBuffer(
                on: backend, [Float](repeating: 7, count: replicas * stride), label: "gradients")
            try backend.run(
                Conv2dKernelGradients(
                    shape: shape, input: try batch.activation(input, values: inputs, masked: 3, label: "input"),
                    outputGradient: try batch.activation(delta, values: outputs, label: "gradient of the output"),
                    weights: weights, bias: holdsNaN ? nil : biases,
                    gradients: StepGradients(gradients.buffer, parameterCount: stride)))
            var truth = [Bounded](repeating: Bounded(7.0), count: replicas * stride)
            for replica in 0..<replicas {
                let sums = kernelGradients(shape) {
                    (image(input, replica, $0, inputs), image(delta, replica, $0, outputs))
                }
                for (place, sum) in sums.weights.enumerated() { truth[replica * stride + offset + place] = sum }
                if holdsNaN { continue }
                for (place, sum) in sums.biases.enumerated() { truth[replica * stride + bias + place] = sum }
            }
            judge.check("gradients", try gradients.contents(), equals: truth)
        }
        return judge.result
    }

    /// The gradients over all samples. A lane adds up some rows of a tile after another, then these sums; lanes and members
    /// of a work-group follow, at most 64 and 32.
    private func kernelGradients(
        _ shape: Conv2DShape, _ images: (_ sample: Int) -> (input: [Double], gradient: [Double])
    ) -> (weights: [Bounded], biases: [Bounded]) {
        let rows = shape.batch.tiles * shape.outHeight
        let roundings = max(1, 64 / shape.outWidth) * shape.outWidth + rows + 64 + 32 + 1
        let gamma = Rounding.gamma(roundings)
        var weights = [Bounded](repeating: Bounded(0.0, error: Rounding.least), count: shape.weightCount)
        var biases = [Bounded](repeating: Bounded(0.0, error: Rounding.least), count: shape.outChannels)
        let plane = shape.outHeight * shape.outWidth
        for sample in 0..<batch.samples {
            let (input, gradient) = images(sample)
            shape.addWeightGradient(of: input, gradient.map { Bounded($0) }, roundings: roundings, to: &weights)
            for (place, value) in gradient.enumerated() {
                biases[place / plane].value += value
                biases[place / plane].error += gamma * value.magnitude
            }
        }
        return (weights, biases)
    }
}
