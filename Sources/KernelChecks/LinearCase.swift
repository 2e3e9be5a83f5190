import Compute

/// One linear layer, for the cases of its three kernels.
struct LinearCase: KernelCase {
    /// Which of the kernels.
    enum Operation: String {
        case forward = "linear_forward"
        case inputGradient = "linear_input_gradient"
        case weightGradient = "linear_weight_gradient"
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let inputs: Int
    let outputs: Int
    /// ReLU after the forward pass, or before the gradient; the gradient is then stored transposed too.
    let relu: Bool
    let seed: UInt64
    /// Puts a NaN into sample 0 of the last replica.
    var poisonsASample = false

    var kernel: String { operation.rawValue }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(inputs)->\(outputs)\(relu ? ", ReLU" : ""), seed \(seed)"
            + (poisonsASample ? ", a NaN" : "")
    }

    /// LeNet-5's three layers, with a ReLU before and behind the hidden ones.
    static func launched(_ operation: Operation, seed: UInt64, replicas: Int) -> [any KernelCase] {
        [(400, 120), (120, 84), (84, 10)].map { inputs, outputs in
            let relu =
                switch operation {
                case .forward: outputs > 10
                case .inputGradient: inputs < 400
                case .weightGradient: false
                }
            return LinearCase(
                operation: operation, batch: (replicas, 64), inputs: inputs, outputs: outputs, relu: relu, seed: seed)
        }
    }

    static func all(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for (index, extent) in [(1, 1), (7, 3), (16, 16), (17, 31), (61, 10), (33, 48)].enumerated() {
            // A gradient's programs have the number of tiles in them.
            for batch in operation == .weightGradient && index % 3 != 1 ? [(3, 33)] : AwkwardBatch.few {
                for relu in operation == .weightGradient ? [false] : index % 3 == 1 ? [false, true] : [index % 2 == 0] {
                    cases.append(
                        LinearCase(
                            operation: operation, batch: batch, inputs: extent.0, outputs: extent.1, relu: relu,
                            seed: seed + UInt64(index)))
                }
            }
        }
        if operation != .weightGradient {
            cases.append(
                LinearCase(
                    operation: operation, batch: (2, 17), inputs: 7, outputs: 3, relu: true, seed: seed,
                    poisonsASample: true))
        }
        return cases
    }
    /// A gradient's launch depends on the number of tiles too.
    var form: String {
        operation == .weightGradient
            ? "\(inputs)->\(outputs), batch \(batch.samples)" : "\(inputs)->\(outputs), \(relu)"
    }
    var cost: Int { batch.replicas * batch.samples * inputs * outputs }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let sized = CaseBatch(backend, batch)
        let referenceSized = CaseBatch(reference, batch)
        let samples = batch.replicas * batch.samples
        var random = CaseInputs(seed: seed)
        var input = random.floats(samples * inputs)
        var gradient = random.floats(samples * outputs)
        // A ReLU's output has zeros, which let no gradient pass.
        if relu, operation == .inputGradient { input = input.map { max($0, 0) } }
        let stride = paddedColumns(outputs)
        // Padding columns are 0, as they are in a model.
        let plain = random.floats(batch.replicas * (inputs + 1) * stride)
        let weights = plain.enumerated().map { $0.offset % stride < outputs ? $0.element : 0 }
        if poisonsASample {
            input[(samples - batch.samples) * inputs] = .nan
            gradient[(samples - batch.samples) * outputs] = .nan
        }

        func forward(_ sized: CaseBatch) throws -> GuardedContents<Float> {
            let output = try sized.output(outputs, label: "output")
            try sized.backend.linearForward(
                shape(sized), relu: relu, input: try sized.activation(input, values: inputs, label: "input"),
                weights: try sized.tensor(weights, count: (inputs + 1) * stride, label: "weights"),
                output: output.buffer)
            return try output.contents()
        }
        func inputGradient(_ sized: CaseBatch) throws -> (GuardedContents<Float>, GuardedContents<Float>?) {
            let output = try sized.output(inputs, label: "input gradient")
            let transposed = try GuardedBuffer<Float>(
                on: sized.backend, count: sized.layout(1).count * paddedColumns(inputs), label: "transposed gradient")
            try sized.backend.linearInputGradient(
                shape(sized),
                outputGradient: try sized.activation(gradient, values: outputs, label: "output gradient"),
                weights: try sized.tensor(weights, count: (inputs + 1) * stride, label: "weights"),
                relu: relu ? try sized.activation(input, values: inputs, label: "input") : nil,
                inputGradient: output.buffer, transposed: relu ? transposed.buffer : nil)
            return (try output.contents(), relu ? try transposed.contents() : nil)
        }
        func weightGradient(_ sized: CaseBatch) throws -> [Float] {
            let gradients = try CaseGradients(sized, count: (inputs + 1) * stride)
            try sized.backend.linearWeightGradient(
                shape(sized), input: try sized.activation(input, values: inputs, label: "input"),
                transposedOutputGradient: try sized.transposed(gradient, values: outputs),
                gradients: gradients.slices, offset: CaseGradients.offset)
            return try gradients.sum(&judge)
        }

        switch operation {
        case .forward:
            judge.check(
                "output", try forward(sized), of: sized, equals: try forward(referenceSized), of: referenceSized,
                values: outputs, within: .sum(of: inputs))
        case .inputGradient:
            let (actual, transposed) = try inputGradient(sized)
            let (expected, _) = try inputGradient(referenceSized)
            judge.check(
                "input gradient", actual, of: sized, equals: expected, of: referenceSized, values: inputs,
                within: .sum(of: outputs))
            if let transposed { checkTransposed(&judge, transposed, actual, sized) }
        case .weightGradient:
            let actual = try weightGradient(sized)
            judge.check(
                "gradient", actual, equals: try weightGradient(referenceSized), within: .sum(of: batch.samples))
        }
        return judge.result
    }

    private func shape(_ sized: CaseBatch) -> LinearShape {
        LinearShape(batch: sized.shape, inputs: inputs, outputs: outputs)
    }

    /// The transposed gradient is the plain one, with zeros in its padding.
    private func checkTransposed(
        _ judge: inout CaseJudge, _ transposed: GuardedContents<Float>, _ plain: GuardedContents<Float>,
        _ sized: CaseBatch
    ) {
        judge.checkGuards("transposed gradient", transposed)
        let stride = paddedColumns(inputs)
        let rows = sized.untransposed(transposed.values, stride: stride).valid
        let expected = sized.layout(inputs).unpack(plain.values)
        let padded = (0..<batch.replicas * batch.samples).flatMap { row in
            expected[row * inputs..<(row + 1) * inputs] + [Float](repeating: 0, count: stride - inputs)
        }
        judge.check("transposed gradient", rows, equals: padded, within: .exact)
    }
}
