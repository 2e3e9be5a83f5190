import Compute

/// One operation of a linear layer, held against sums in double precision.
struct LinearCase: KernelCase {
    /// Which operation.
    enum Operation {
        case forward
        case inputGradient
        case weightGradients
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let inputs: Int
    let outputs: Int
    /// The input's gradient transposed too; weights without gradients of biases.
    var isExtended = false
    let seed: UInt64

    var kernel: String {
        switch operation {
        case .forward: LinearForward.kernel
        case .inputGradient: LinearInputGradient.kernel
        case .weightGradients: LinearWeightGradients.kernel
        }
    }
    var name: String {
        let suffix = isExtended ? operation == .inputGradient ? ", transposed" : ", no biases" : ""
        return "R \(batch.replicas), batch \(batch.samples), \(inputs)-\(outputs)\(suffix), seed \(seed)"
    }
    /// Linear layers without anything between them, as around an autoencoder's code, launch a program of their own, and so do
    /// layers whose values a processor takes in tens.
    var variety: String {
        let isTransposed = isExtended && operation == .inputGradient
        return kernel + (isTransposed ? ", transposed" : "") + (isOfTens ? ", tens" : "")
    }
    var form: String { (isExtended ? "extended" : "any") + (isOfTens ? ", tens" : "") }
    /// True if padding the operation's results to a multiple of ten takes no more values than a multiple of eight.
    private var isOfTens: Bool {
        guard operation != .weightGradients else { return false }
        let values = operation == .inputGradient ? inputs : outputs
        return (values + 9) / 10 * 10 <= (values + 7) / 8 * 8
    }
    var cost: Int { batch.replicas * ((AwkwardBatch.room(for: batch.samples) + 31) / 32 * 32) * inputs * outputs }

    /// Layers of one value to many, about the sizes of vectors and blocks.
    private static let widths = [(1, 1), (7, 11), (1, 17), (31, 1), (33, 16), (16, 33)]

    static func cases(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        widths.enumerated().map { index, widths in
            let sizes = AwkwardBatch.few
            return LinearCase(
                operation: operation, batch: sizes[index % sizes.count], inputs: widths.0, outputs: widths.1,
                seed: seed + UInt64(index))
        }
            + AwkwardBatch.all.dropFirst().map {
                LinearCase(operation: operation, batch: $0, inputs: 13, outputs: 37, seed: seed)
            } + [
                LinearCase(operation: operation, batch: (1, 33), inputs: 300, outputs: 100, seed: seed),
                // More networks than a processor's four work-groups that share a layer, of which some have two blocks.
                LinearCase(operation: operation, batch: (5, 1), inputs: 33, outputs: 33, seed: seed),
                // Ten outputs fill one block of a processor; more inputs than rows that it asks for in advance.
                LinearCase(operation: operation, batch: (2, 17), inputs: 97, outputs: 10, seed: seed),
                LinearCase(operation: operation, batch: (1, 31), inputs: 20, outputs: 50, seed: seed),
            ]
            + extended(operation, seed: seed)
    }

    private static func extended(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        guard operation != .forward else { return [] }
        let shapes: [(batch: (Int, Int), inputs: Int)] = [((1, 7), 17), ((3, 33), 16)]
        return shapes.map { batch, inputs in
            LinearCase(operation: operation, batch: batch, inputs: inputs, outputs: 5, isExtended: true, seed: seed)
        }
    }

    /// The last but one layer of `mlp`.
    static func launched(_ operation: Operation, seed: UInt64, replicas: Int) -> [any KernelCase] {
        [LinearCase(operation: operation, batch: (min(replicas, 2), 64), inputs: 300, outputs: 100, seed: seed)]
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let shape = LinearShape(batch: batch.shape, inputs: inputs, outputs: outputs)
        let (replicas, samples) = (self.batch.replicas, self.batch.samples)
        // Memory around the layer's weights belongs to others, as does the padding of its rows.
        let (offset, stride) = (32, shape.weightCount + 48)
        let parameters = random.floats(offset + replicas * stride)
        let weights = ReplicaTensor(
            try backend.makeBuffer(parameters, label: "parameters"), offset: offset, stride: stride)
        let input = random.floats(replicas * samples * inputs)
        let delta = random.floats(replicas * samples * outputs)
        func own(_ replica: Int) -> [Double] {
            parameters[(offset + replica * stride)...].prefix(shape.weightCount).map(Double.init)
        }
        func rows(_ values: [Float], _ replica: Int, _ width: Int) -> [Double] {
            values[(replica * samples * width)...].prefix(samples * width).map(Double.init)
        }
        switch operation {
        case .forward:
            let output = try batch.output(outputs, label: "output")
            try backend.run(
                LinearForward(
                    shape, input: try batch.activation(input, values: inputs, masked: 3, label: "input"),
                    weights: weights, output: output.buffer))
            let actual = try output.contents()
            judge.checkGuards("output", actual)
            let truth = (0..<replicas).flatMap { replica -> [Bounded] in
                let (weights, rows) = (own(replica), rows(input, replica, inputs))
                return (0..<samples).flatMap {
                    shape.output(of: Array(rows[($0 * inputs)...].prefix(inputs)), weights: weights)
                }
            }
            judge.check("output", batch.layout(outputs).unpack(actual.values), equals: truth)
        case .inputGradient:
            let gradient = try batch.output(inputs, label: "gradient of the input")
            let transposed = try GuardedBuffer<Float>(
                on: backend, count: batch.layout(1).count * shape.inputStride, label: "transposed gradient")
            try backend.run(
                LinearInputGradient(
                    shape,
                    outputGradient: try batch.activation(delta, values: outputs, label: "gradient of the output"),
                    weights: weights, inputGradient: gradient.buffer,
                    transposedGradient: isExtended ? transposed.buffer : nil))
            let actual = try gradient.contents()
            judge.checkGuards("gradient of the input", actual)
            let everywhere = [Double](repeating: 1, count: inputs)
            let truth = (0..<replicas).flatMap { replica -> [Bounded] in
                let (columns, rows) = (shape.columns(of: own(replica)), rows(delta, replica, outputs))
                return (0..<samples).flatMap {
                    shape.inputGradient(
                        of: Array(rows[($0 * outputs)...].prefix(outputs)), columns: columns, input: everywhere)
                }
            }
            let layout = batch.layout(inputs)
            judge.check("gradient of the input", layout.unpack(actual.values), equals: truth)
            if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
                judge.complain("a masked sample has a gradient")
            }
            if isExtended {
                judge.check(
                    "transposed gradient", try transposed.contents(),
                    equals: batch.transposedValues(layout.unpack(actual.values), values: inputs), within: .exact)
            }
        case .weightGradients:
            let count = paddedColumns(stride)
            let place = ReplicaTensor(weights.buffer, offset: offset, stride: count)
            let gradients = try GuardedBuffer(
                on: backend, [Float](repeating: 7, count: replicas * count), label: "gradients")
            try backend.run(
                LinearWeightGradients(
                    shape, input: try batch.activation(input, values: inputs, masked: 3, label: "input"),
                    transposedDelta: try batch.transposed(delta, values: outputs), weights: place,
                    gradients: StepGradients(gradients.buffer, parameterCount: count), trainsBiases: !isExtended))
            var truth = [Bounded](repeating: Bounded(7.0), count: replicas * count)
            for replica in 0..<replicas {
                var all = shape.weightGradient(
                    inputs: rows(input, replica, inputs), gradients: rows(delta, replica, outputs), samples: samples)
                if isExtended {
                    for place in inputs * shape.outputStride..<all.count { all[place] = Bounded(0.0) }
                }
                truth.replaceSubrange(
                    (replica * count + offset)..<(replica * count + offset + shape.weightCount), with: all)
            }
            judge.check("gradients", try gradients.contents(), equals: truth)
        }
        return judge.result
    }
}
