import Compute

/// A pick from the best points of blocks, and whole greedy orders.
package enum GreedyPickCases: KernelCases {
    private static let rules: [GreedyRule] = [.kCenter, .herding]

    package static func cases(seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for rule in rules {
            for (count, dimensions) in GreedyShape.all {
                for step in count > 2 ? [0, 2] : [0] {
                    cases.append(PickCase(rule: rule, count: count, dimensions: dimensions, step: step, seed: seed))
                }
            }
            // More blocks than a work-group has work-items.
            for kind in PickCase.Kind.allCases {
                cases.append(
                    PickCase(rule: rule, count: 256 * 131 - 1, dimensions: 1, step: 5, kind: kind, seed: seed))
            }
            for count in [1, 61, 300] {
                cases.append(OrderCase(rule: rule, count: count, dimensions: 7, seed: seed))
            }
        }
        return cases
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for rule in rules {
            for dimensions in GreedyShape.launched {
                cases.append(PickCase(rule: rule, count: 600, dimensions: dimensions, step: 1, seed: seed))
            }
        }
        return cases
    }
}

private struct PickCase: KernelCase {
    enum Kind: String, CaseIterable {
        case plain
        /// Several blocks have the largest key.
        case ties
        /// One block has a point left, the last.
        case last
        /// No block has a point left: the last point of all is taken, so that nothing is written past the end.
        case nothing = "nothing left"
    }
    let rule: GreedyRule
    let count: Int
    let dimensions: Int
    let step: Int
    var kind = Kind.plain
    let seed: UInt64
    private static let blockPoints = 256
    var kernel: String { GreedyPick.kernel }
    var name: String { "\(rule), pick \(step) of \(count) x \(dimensions), \(kind.rawValue), seed \(seed)" }
    var form: String { "\(dimensions) dimensions, \(rule)" }
    var variety: String { "\(kernel), \(rule)" }
    var cost: Int { count + dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let blocks = (count + Self.blockPoints - 1) / Self.blockPoints
        let points = inputs.floats(count * dimensions)
        // The mean is a float and a small one, the target likewise: what was summed before.
        let mean = inputs.floats(dimensions) + inputs.floats(dimensions, in: -0x1p-26...0x1p-26)
        let target = inputs.floats(dimensions, in: -2...2) + inputs.floats(dimensions, in: -0x1p-25...0x1p-25)
        let states = inputs.floats(count, in: 0...1)
        var keys = inputs.floats(blocks, in: -1...0)
        var best = (0..<blocks).map { block in
            let first = block * Self.blockPoints
            return Int32(first) + inputs.integers(1, in: 0..<min(Self.blockPoints, count - first))[0]
        }
        switch kind {
        case .plain: break
        case .ties: for block in keys.indices where block % 3 == 1 { keys[block] = 0.5 }
        case .last:
            for block in keys.indices where block != blocks - 1 { (keys[block], best[block]) = (-.infinity, .max) }
        case .nothing: for block in keys.indices { (keys[block], best[block]) = (-.infinity, .max) }
        }
        let largest = keys.max() ?? 0
        let due = min(Int(keys.indices.filter { keys[$0] == largest }.map { best[$0] }.min() ?? -1), count - 1)

        func pick(_ backend: any Backend) throws -> (picks: [Int32], states: [Float], target: [Float]) {
            let layout = TileLayout(points: count, dimensions: 1, on: backend)
            let memory = try CaseOrder(
                rule, picks: min(count, 7), states: states, target: target, mean: mean, blockPoints: Self.blockPoints,
                keys: (keys, best), on: backend)
            try backend.run(
                GreedyPick(
                    memory.order,
                    of: try CasePoints(points, count: count, dimensions: dimensions, on: backend).points, step: step))
            let (picks, state) = (try memory.picks.contents(), try memory.state.contents())
            judge.checkGuards("picks", picks)
            judge.checkGuards("states", state)
            let moved = try memory.target.contents()
            judge.checkGuards("target", moved)
            judge.check("keys", try memory.keys.contents(), equals: keys, within: .exact)
            return (picks.values, layout.unpack(state.values), moved.values)
        }
        let actual = try pick(backend)
        var picks = [Int32](repeating: -9, count: min(count, 7))
        picks[step] = Int32(due)
        if let difference = differences(actual.picks, picks) { judge.complain("picks\(difference)") }
        var after = states
        after[due] = -1
        judge.check("states", actual.states, equals: after, within: .exact)
        // Additions alone: the same bits everywhere.
        judge.check("target", actual.target, equals: try pick(reference).target, within: .exact)
        for dimension in 0..<dimensions {
            let x = Double(points[due * dimensions + dimension])
            let parts = [target, mean].map { Double($0[dimension]) + Double($0[dimensions + dimension]) }
            let (sum, dropped) = (actual.target[dimension], actual.target[dimensions + dimension])
            guard rule == .herding else {
                if Double(sum) != x || dropped != 0 { judge.complain("the target is not the picked point") }
                continue
            }
            // What is dropped is below 2^-21, and passes through six additions.
            let due = parts[0] + parts[1] - x
            let error = (Double(sum) + Double(dropped) - due).magnitude
            if !(error <= Rounding.gamma(6) * 0x1p-21) { judge.complain("the target is \(error) off") }
        }
        return judge.result
    }
}

/// A whole order of whole numbers, all points being picked: there is one right answer.
private struct OrderCase: KernelCase {
    let rule: GreedyRule
    let count: Int
    let dimensions: Int
    let seed: UInt64
    var kernel: String { GreedyPick.kernel }
    var name: String { "\(rule) of all \(count) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions, \(rule)" }
    var variety: String { "\(kernel), \(rule)" }
    var cost: Int { count * count * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let points = inputs.wholeFloats(count * dimensions, in: 0..<5)
        // Near the mean, and whole, so that herding has no rounding either.
        let mean = [Double](repeating: 2, count: dimensions)
        let resident = try CasePoints(points, count: count, dimensions: dimensions, on: backend).points
        let order = try backend.makeGreedyOrder(rule, count: count, of: resident, mean: mean)
        for step in 0..<count { try backend.runPick(step, order, of: resident) }
        let picks = try backend.read(order.picks)
        if let difference = differences(picks, truth(points, mean)) { judge.complain("picks\(difference)") }
        return judge.result
    }

    private func truth(_ points: [Float], _ mean: [Double]) -> [Int32] {
        var target = mean
        var states = [Double](repeating: .infinity, count: count)
        var picks: [Int32] = []
        for step in 0..<count {
            var best = (key: -Double.infinity, point: -1)
            for point in 0..<count where states[point] >= 0 {
                var square = 0.0
                for dimension in 0..<dimensions {
                    let difference = Double(points[point * dimensions + dimension]) - target[dimension]
                    square += difference * difference
                }
                var key = -square
                if rule == .kCenter && step > 0 {
                    states[point] = min(states[point], square)
                    key = states[point]
                }
                if key > best.key { best = (key, point) }
            }
            picks.append(Int32(best.point))
            states[best.point] = -1
            for dimension in 0..<dimensions {
                let x = Double(points[best.point * dimensions + dimension])
                target[dimension] = rule == .herding ? target[dimension] + mean[dimension] - x : x
            }
        }
        return picks
    }
}
