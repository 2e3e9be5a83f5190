import Compute

/// Taking the schedule's rows one after the other.
public enum BeginStepCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] {
        [1, 2, 5].map { BeginStepCase(steps: $0, seed: seed) }
    }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        []
    }
}

private struct BeginStepCase: KernelCase {
    let steps: Int
    let seed: UInt64
    var kernel: String { "begin_step" }
    var name: String { "\(steps) steps, seed \(seed)" }
    var form: String { "any" }
    var cost: Int { steps }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let rows = inputs.integers(4 * steps, in: 0..<100_000)
        func record(_ backend: any Backend) throws -> [GuardedContents<Int32>] {
            let current = try GuardedBuffer<Int32>(on: backend, count: 4, label: "current")
            let cursor = try GuardedBuffer<Int32>(on: backend, [0], label: "cursor")
            let schedule = StepSchedule(
                batches: try backend.makeBuffer(rows, label: "batches"),
                rates: try backend.makeBuffer([Float](repeating: 0, count: 2 * steps), label: "rates"),
                cursor: cursor.buffer, current: current.buffer)
            var seen: [GuardedContents<Int32>] = []
            for _ in 0..<steps {
                try backend.beginStep(schedule)
                seen += [try current.contents(), try cursor.contents()]
            }
            return seen
        }
        for (actual, expected) in zip(try record(backend), try record(reference)) {
            judge.check("step", actual, equals: expected.values)
        }
        return judge.result
    }
}
