import Compute

/// The operations of a fused training step, up to one of them, over replicas whose batches differ in their numbers of valid
/// samples, one of them having none: each replica's results have the bits that the replica has alone, and what an idle one
/// keeps is not touched.
struct RaggedStepCase: KernelCase {
    let operation: StepCase.Operation
    let shape: StepShape
    /// Valid samples of each replica.
    let counts: [Int]
    let seed: UInt64

    static func cases(_ operation: StepCase.Operation, seed: UInt64) -> [any KernelCase] {
        // The smallest shape, since a case runs every operation for every replica, and one with more planes.
        [(4, 0), (4, 1), (4, 2), (1, 0)].map { shape, counts in
            RaggedStepCase(
                operation: operation, shape: StepShape.awkward[shape], counts: RaggedCase.counts[counts], seed: seed)
        }
    }

    private static let order: [StepCase.Operation] = [
        .gathered, .normalised, .classifier, .blockBackward, .weightGradients,
    ]
    private var operations: [StepCase.Operation] { Self.order.filter { $0 <= operation } }

    var kernel: String { operation.kernel }
    var name: String {
        "batches of \(counts.map(String.init).joined(separator: ", ")), up to \(operation.rawValue), \(shape.name), "
            + "seed \(seed)"
    }
    var form: String { "up to \(operation.rawValue), ragged, \(shape.name)" }
    var variety: String { "\(operation.rawValue), ragged" }
    var cost: Int { 2 * operations.reduce(0) { $0 + step($1).cost } }

    private func step(_ operation: StepCase.Operation) -> StepCase {
        StepCase(
            operation: operation, pass: .training, batch: (counts.count, RaggedCase.room), shape: shape, seed: seed,
            kind: .weighted)
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let values = step(operation).startValues()
        let together = try network(Array(counts.indices), values, backend)
        for (replica, count) in counts.enumerated() {
            if count == 0 {
                let due = values.of([replica], among: counts.count)
                try compare(
                    [("running1", together.perReplica["running1"]), ("running2", together.perReplica["running2"])],
                    replica, [due.running1, due.running2], &judge)
                continue
            }
            let alone = try network([replica], values, backend)
            let (mine, theirs) = (together.floatOutputs, alone.floatOutputs)
            try compare(
                mine.map { ($0.0, $0.1) }, replica, theirs.map { try $0.1.contents().values }, &judge)
            for (name, won) in together.winners.sorted(by: { $0.key < $1.key }) {
                try compare(
                    [(name, won.buffer)], replica, [alone.winners[name]?.buffer.contents().values ?? []], &judge)
            }
            try compare([("labels", together.labels)], replica, [alone.labels.contents().values], &judge)
        }
        return judge.result
    }

    /// Some of the replicas after the operations.
    private func network(_ replicas: [Int], _ values: StepValues, _ backend: any Backend) throws -> StepNetwork {
        // Each replica has the weights of samples that it has among all.
        var random = CaseInputs(seed: seed, index: 1)
        if replicas.count == 1 { CaseWeights.skip(replicas[0] * RaggedCase.room, &random) }
        let network = try StepNetwork(
            shape, values.of(replicas, among: counts.count), size: (replicas.count, RaggedCase.room),
            counts: replicas.map { counts[$0] }, weightedBy: random, on: backend)
        for operation in operations { _ = try step(operation).execute(operation, on: network, backend) }
        return network
    }

    /// Compares a replica's part of buffers with values of it alone. What an operation leaves as it was counts too.
    private func compare<Element: CheckedElement>(
        _ buffers: [(String, GuardedBuffer<Element>?)], _ replica: Int, _ due: [[Element]], _ judge: inout CaseJudge
    ) throws {
        for ((name, buffer), due) in zip(buffers, due) {
            guard let contents = try buffer?.contents() else { continue }
            if let index = contents.firstOverrun {
                judge.complain("\(name)[\(index)] was written, \(contents.values.count) is the end")
            }
            let each = contents.values.count / counts.count
            judge.check(
                "\(name) of replica \(replica)", Array(contents.values[replica * each..<(replica + 1) * each]),
                equalsBitsOf: due)
        }
    }
}

extension StepValues {
    /// The values of some of `count` replicas.
    fileprivate func of(_ replicas: [Int], among count: Int) -> StepValues {
        func part<Element>(_ values: [Element]) -> [Element] {
            let each = values.count / count
            return replicas.flatMap { values[$0 * each..<($0 + 1) * each] }
        }
        var some = self
        some.parameters = part(parameters)
        some.order = part(order)
        some.running1 = part(running1)
        some.running2 = part(running2)
        return some
    }
}

extension StepNetwork {
    /// All buffers of floats that operations write, by name.
    fileprivate var floatOutputs: [(String, GuardedBuffer<Float>)] {
        let named =
            activations.mapValues(\.buffer).map { ($0, $1) } + rows.mapValues(\.buffer).map { ($0, $1) }
            + tiled.mapValues(\.buffer).map { ($0, $1) } + perReplica.map { ($0, $1) }
        let losses = weights.map { [("losses of samples", $0.losses)] } ?? []
        return named.sorted { $0.0 < $1.0 } + losses
    }
}
