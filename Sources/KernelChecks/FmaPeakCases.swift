import Compute

/// Chains of multiply-adds.
package enum FmaPeakCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        // PoCL compiles the kernel once more for every size of the grid.
        [(1, 1), (3, 17), (257, 17)].map { blocks, steps in
            FmaPeakCase(blocks: blocks, steps: steps, seed: seed)
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        []
    }
}

private struct FmaPeakCase: KernelCase {
    let blocks: Int
    let steps: Int
    let seed: UInt64
    var kernel: String { FmaPeak.kernel }
    var name: String { "\(blocks) x \(FmaPeak.unit) values, \(steps) steps, seed \(seed)" }
    var form: String { "\(steps) steps" }
    var cost: Int { blocks * FmaPeak.unit * steps }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var inputs = CaseInputs(seed: seed, index: blocks)
        let values = inputs.floats(blocks * FmaPeak.unit)
        let actual = try GuardedBuffer(on: backend, values, label: "values")
        try backend.run(FmaPeak(actual.buffer, count: values.count, steps: steps))
        var judge = CaseJudge(self)
        let (factor, summand) = (Bounded(0.75), Bounded(0.25))
        let truth = values.map { value in
            // Three quarters of a step's error are left after the next one: the bound grows no further, nor does it fall
            // below a few roundings of the fixed point, 1.
            (0..<steps).reduce(Bounded(value)) { chain, _ in chain * factor + summand }
        }
        judge.check("values", try actual.contents(), equals: truth)
        return judge.result
    }
}
