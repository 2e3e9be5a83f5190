import Compute

/// Adam's step, alone and over several slices of gradients.
public enum AdamStepCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] {
        [(1, 16, 1), (2, 32, 1), (3, 48, 3), (1, 4112, 2), (2, 8208, 1), (1, 65536, 1)].map {
            AdamStepCase(replicas: $0.0, count: $0.1, slices: $0.2, seed: seed)
        }
    }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        // A LeNet-5 of one plane and of three, every tensor padded to 16.
        [66_960, 67_264].map { AdamStepCase(replicas: replicas, count: $0, slices: nil, seed: seed) }
    }
}

private struct AdamStepCase: KernelCase {
    let replicas: Int
    let count: Int
    /// Nil for those that a backend has for batches of 64.
    let slices: Int?
    let seed: UInt64
    private var slicesName: String { slices.map { "\($0) slices" } ?? "the slices of batches of 64" }
    var kernel: String { "adam_step" }
    var name: String { "R \(replicas), \(count) parameters, \(slicesName), seed \(seed)" }
    var form: String { "\(count) parameters, \(slicesName)" }
    var cost: Int { 12 * replicas * count * (slices ?? 1) }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let slices = self.slices ?? backend.gradientSlices(tiles: (64 + backend.tile - 1) / backend.tile)
        let total = replicas * count
        let parameters = inputs.floats(total)
        let firstMoments = inputs.floats(total, in: -0.1...0.1)
        var secondMoments = inputs.floats(total, in: 0...0.01)
        // Gradients of 0 too, as padding and frozen parameters have.
        var gradients = inputs.floats(total * slices).map { abs($0) < 0.1 ? 0 : $0 }
        // Where nothing has moved yet, epsilon alone is below the fraction line.
        for replica in 0..<replicas {
            secondMoments[replica * count] = 0
            for slice in 0..<slices { gradients[(replica * slices + slice) * count] = 0 }
        }
        func step(_ backend: any Backend) throws -> [GuardedContents<Float>] {
            let state = [
                try GuardedBuffer(on: backend, parameters, label: "parameters"),
                try GuardedBuffer(on: backend, firstMoments, label: "first moments"),
                try GuardedBuffer(on: backend, secondMoments, label: "second moments"),
            ]
            let schedule = StepSchedule(
                batches: try backend.makeBuffer([Int32](repeating: 0, count: 12), label: "batches"),
                rates: try backend.makeBuffer([9, 9, 0.0021, 1.7, 9, 9], label: "rates"),
                cursor: try backend.makeBuffer([Int32(2)], label: "cursor"),
                current: try backend.makeBuffer([Int32(0), 2, 1, 0], label: "current"))
            try backend.adamStep(
                AdamStep(
                    replicas: replicas, parameters: state[0].buffer, firstMoments: state[1].buffer,
                    secondMoments: state[2].buffer,
                    gradients: GradientSlices(
                        try backend.makeBuffer(gradients, label: "gradients"), slices: slices, parameterCount: count),
                    schedule: schedule))
            return try state.map { try $0.contents() }
        }
        let (actual, expected) = (try step(backend), try step(reference))
        // A handful of roundings of values as large as the inputs, which may cancel in the sum; square root and
        // division are right to 3 epsilons.
        let epsilon = Double(Float.ulpOfOne)
        for (index, (label, largest)) in [("parameters", 1.0), ("first moments", 0.1), ("second moments", 0.01)]
            .enumerated()
        {
            let tolerance = Tolerance(absolute: 4 * epsilon * largest, relative: 16 * epsilon)
            judge.check(label, actual[index], equals: expected[index].values, within: tolerance)
        }
        return judge.result
    }
}
