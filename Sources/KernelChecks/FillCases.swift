import Compute

/// Filling a buffer, for every type of element.
package enum FillCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        var inputs = CaseInputs(seed: seed)
        return [1, 3, 16, 17, 1025].flatMap { count -> [any KernelCase] in
            [
                FillCase<Float>(count: count, value: inputs.floats(1)[0]),
                FillCase<Float>(count: count, value: -.infinity),
                FillCase<Int32>(count: count, value: inputs.integers(1, in: -9..<9)[0]),
                FillCase<Int64>(count: count, value: -(1 << 40)),
                FillCase<UInt8>(count: count, value: 0),
            ]
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        []
    }
}

private struct FillCase<Element: CheckedElement & Equatable>: KernelCase {
    let count: Int
    let value: Element
    var kernel: String { "fill" }
    var name: String { "\(Element.self) x \(count) with \(value)" }
    var form: String { "\(Element.self)" }
    var cost: Int { count }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        // The guard is a neighbour here: fill takes whole buffers.
        let buffer = try backend.makeBuffer(of: Element.self, count: count, label: "filled")
        let neighbour = try GuardedBuffer(on: backend, [value], label: "neighbour")
        try backend.fill(buffer, with: value)
        let expected = try reference.makeBuffer(of: Element.self, count: count, label: "filled")
        try reference.fill(expected, with: value)
        let contents = GuardedContents(values: try backend.read(buffer), guards: [], expectsWrites: true)
        judge.check("filled", contents, equals: try reference.read(expected))
        judge.check("neighbour", try neighbour.contents(), equals: [value])
        return judge.result
    }
}
