import Compute

/// Copying.
package enum CopyCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        // PoCL compiles the kernel once more for every size of the grid.
        [1, 255].map { CopyCase(blocks: $0, seed: seed) }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        []
    }
}

private struct CopyCase: KernelCase {
    let blocks: Int
    let seed: UInt64
    var kernel: String { Copy.kernel }
    var name: String { "\(blocks) x \(Copy.unit) values, seed \(seed)" }
    var form: String { "any" }
    var cost: Int { blocks * Copy.unit }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var inputs = CaseInputs(seed: seed, index: blocks)
        var values = inputs.floats(blocks * Copy.unit)
        (values[0], values[1], values[2]) = (.infinity, -0.0, .leastNonzeroMagnitude)
        let source = try backend.makeBuffer(values, label: "source")
        let target = try GuardedBuffer<Float>(on: backend, count: values.count, label: "target")
        try backend.run(Copy(source, to: target.buffer, count: values.count))
        let expected = try reference.makeBuffer(of: Float.self, count: values.count, label: "target")
        try reference.run(
            Copy(try reference.makeBuffer(values, label: "source"), to: expected, count: values.count))
        var judge = CaseJudge(self)
        judge.check("target", try target.contents(), equals: try reference.read(expected), within: .exact)
        return judge.result
    }
}
