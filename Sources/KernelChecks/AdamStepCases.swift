import Compute

/// Adam's step and the end of a step: the sums over tiles that it finishes.
package enum AdamStepCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        // One work-group and several, the last one's share cut short; sums over tiles, and none, as layered networks have.
        [
            (1, 16, 1, 16), (2, 48, 1, 16), (3, 48, 3, 0), (1, 4112, 2, 48), (2, 4112, 7, 48), (2, 8208, 1, 4096),
        ].map { AdamStepCase(replicas: $0.0, count: $0.1, tiles: $0.2, sliced: $0.3, seed: seed) }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        // A LeNet-5 of one plane, every tensor padded to 16. The program is the same for all networks.
        [AdamStepCase(replicas: replicas, count: 66_960, tiles: nil, sliced: 160, seed: seed)]
    }
}

private struct AdamStepCase: KernelCase {
    let replicas: Int
    let count: Int
    /// Nil for those that a backend has for batches of 64.
    let tiles: Int?
    /// Gradients that are sums over tiles.
    let sliced: Int
    let seed: UInt64
    private static let (stepSize, correction): (Float, Float) = (0.0021, 1.7)
    private var tilesName: String { tiles.map { "\($0) tiles" } ?? "the tiles of batches of 64" }
    var kernel: String { "adam_step" }
    var name: String { "R \(replicas), \(count) parameters, \(sliced) over \(tilesName), seed \(seed)" }
    var form: String { "any" }
    var cost: Int { 12 * replicas * count }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let tiles = self.tiles ?? (64 + backend.tile - 1) / backend.tile
        let total = replicas * count
        let parameters = inputs.floats(total)
        let firstMoments = inputs.floats(total, in: -0.1...0.1)
        var secondMoments = inputs.floats(total, in: 0...0.01)
        // Gradients of 0 too, as padding and frozen parameters have.
        var gradients = inputs.floats(total).map { abs($0) < 0.1 ? 0 : $0 }
        let tileGradients = inputs.floats(replicas * tiles * sliced)
        // In the middle: what stands before and behind is no sum over tiles.
        let offset = (count - sliced) / 32 * 16
        // Where nothing has moved yet, epsilon alone is below the fraction line.
        if offset > 0 {
            for replica in 0..<replicas {
                secondMoments[replica * count] = 0
                gradients[replica * count] = 0
            }
        }
        let lossAndCorrect = (0..<replicas * tiles).flatMap { _ in
            inputs.floats(1, in: 0...9) + [Float(inputs.integers(1, in: 0..<20)[0])]
        }
        let (steps, valid) = (3, 13)
        func step(_ backend: any Backend) throws -> ([GuardedContents<Float>], [GuardedContents<Int32>]) {
            let state = [
                try GuardedBuffer(on: backend, parameters, label: "parameters"),
                try GuardedBuffer(on: backend, firstMoments, label: "first moments"),
                try GuardedBuffer(on: backend, secondMoments, label: "second moments"),
                try GuardedBuffer(on: backend, gradients, label: "gradients"),
                // Other steps' losses must stay.
                try GuardedBuffer(on: backend, [Float](repeating: 7, count: steps * replicas), label: "losses"),
            ]
            let counters = [
                try GuardedBuffer(on: backend, [Int32](repeating: 7, count: steps * replicas), label: "right answers"),
                try GuardedBuffer(on: backend, [Int32(7)], label: "cursor"),
            ]
            let schedule = StepSchedule(
                batches: try backend.makeBuffer([Int32](repeating: 0, count: 4 * steps), label: "batches"),
                rates: try backend.makeBuffer([9, 9, Self.stepSize, Self.correction, 9, 9], label: "rates"),
                cursor: counters[1].buffer,
                current: try backend.makeBuffer([Int32(0), Int32(valid), 1, 0], label: "current"))
            // As many tiles on either backend, whatever their size.
            let batch = BatchShape(replicas: replicas, samples: tiles * backend.tile, tile: backend.tile)
            try backend.run(
                AdamStep(
                    batch: batch, parameters: state[0].buffer, firstMoments: state[1].buffer,
                    secondMoments: state[2].buffer,
                    gradients: StepGradients(
                        state[3].buffer, parameterCount: count,
                        tiles: try backend.makeBuffer(tileGradients, label: "gradients of tiles"), tileOffset: offset,
                        tileCount: sliced),
                    lossAndCorrect: try backend.makeBuffer(lossAndCorrect, label: "loss and correct"),
                    losses: state[4].buffer,
                    correct: counters[0].buffer, schedule: schedule))
            return (try state.map { try $0.contents() }, try counters.map { try $0.contents() })
        }
        let ((actual, counted), (_, expectedCounts)) = (try step(backend), try step(reference))
        for (index, label) in ["right answers", "cursor"].enumerated() {
            judge.check(label, counted[index], equals: expectedCounts[index].values)
        }
        // In double precision, a line of the kernel at a time, each from what the backend has of the lines before.
        let sums = (0..<total).map { index -> Bounded in
            let (replica, slice) = (index / count, index % count - offset)
            guard (0..<sliced).contains(slice) else { return Bounded(gradients[index]) }
            let terms = (0..<tiles).map { Bounded(tileGradients[(replica * tiles + $0) * sliced + slice]) }
            return Bounded.sum(terms, additions: tiles - 1)
        }
        let own = actual.map { $0.values.map { Bounded($0) } }
        let oneMinusBeta1 = Bounded(Float(1 - AdamStep.beta1))
        let (beta2, oneMinusBeta2) = (Bounded(Float(AdamStep.beta2)), Bounded(Float(1 - AdamStep.beta2)))
        var truths: [[Bounded]] = [[], [], [], sums, [Bounded](repeating: Bounded(7.0), count: steps * replicas)]
        for index in 0..<total {
            let gradient = own[3][index]
            let (first, second) = (Bounded(firstMoments[index]), Bounded(secondMoments[index]))
            truths[1].append(first + (gradient - first) * oneMinusBeta1)
            truths[2].append(second * beta2 + gradient * gradient * oneMinusBeta2)
            let root = own[2][index].squareRoot * Bounded(Self.correction) + Bounded(Float(AdamStep.epsilon))
            truths[0].append(Bounded(parameters[index]) - Bounded(Self.stepSize) * own[1][index] / root)
        }
        for replica in 0..<replicas {
            let losses = (0..<tiles).map { Bounded(lossAndCorrect[2 * (replica * tiles + $0)]) }
            truths[4][replicas + replica] = Bounded.sum(losses, additions: tiles - 1) / Bounded(Double(valid))
        }
        for (index, label) in ["parameters", "first moments", "second moments", "gradients", "losses"].enumerated() {
            judge.check(label, actual[index], equals: truths[index])
        }
        return judge.result
    }
}
