import Compute

/// Memory of a greedy order with everything an operation writes guarded.
struct CaseOrder {
    let order: GreedyOrder
    let state: GuardedBuffer<Float>
    let target: GuardedBuffer<Float>
    let keys: GuardedBuffer<Float>
    let best: GuardedBuffer<Int32>
    let picks: GuardedBuffer<Int32>

    /// - Parameters:
    ///   - states: of each point; lanes beyond the last one have -1.
    ///   - keys: the best of each block and their keys, poisoned where they are nil.
    init(
        _ rule: GreedyRule, picks count: Int, states: [Float], target: [Float], mean: [Float], blockPoints: Int,
        keys found: (keys: [Float], best: [Int32])? = nil, on backend: any Backend
    ) throws(ComputeError) {
        let layout = TileLayout(points: states.count, dimensions: 1, on: backend)
        let blocks = (states.count + blockPoints - 1) / blockPoints
        state = try GuardedBuffer(on: backend, layout.pack(states, masked: -1), label: "states")
        self.target = try GuardedBuffer(on: backend, target, label: "target")
        if let found {
            keys = try GuardedBuffer(on: backend, found.keys, label: "keys")
            best = try GuardedBuffer(on: backend, found.best, label: "best points")
        } else {
            keys = try GuardedBuffer(on: backend, count: blocks, label: "keys")
            best = try GuardedBuffer(on: backend, count: blocks, label: "best points")
        }
        picks = try GuardedBuffer(on: backend, [Int32](repeating: -9, count: count), label: "picks")
        order = GreedyOrder(
            rule, state: state.buffer, target: self.target.buffer, mean: try backend.makeBuffer(mean, label: "mean"),
            blockKeys: keys.buffer, blockBest: best.buffer, picks: picks.buffer, count: count,
            blockPoints: blockPoints, blocks: blocks)
    }
}

/// Extents of greedy orders' cases, around blocks of 256: (points, dimensions). Few dimensions: each is a program.
enum GreedyShape {
    static let all = [
        (1, 1), (7, 7), (15, 7), (16, 1), (17, 7), (31, 7), (33, 37), (63, 7), (64, 7), (65, 37), (255, 7), (256, 7),
        (257, 37), (521, 7), (1030, 37),
    ]
    /// After PCA, and pixels as they are.
    static let launched = [50, 784]
}

/// Distances to a target, and the best point of each block.
package enum GreedyDistancesCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for isFarthest in [false, true] {
            for (count, dimensions) in GreedyShape.all {
                for blockPoints in count > 256 ? [256, 512] : [256] {
                    cases.append(
                        DistancesCase(
                            count: count, dimensions: dimensions, isFarthest: isFarthest, blockPoints: blockPoints,
                            seed: seed))
                }
            }
            for kind in DistancesCase.Kind.special {
                for count in [31, 600] {
                    cases.append(
                        DistancesCase(
                            count: count, dimensions: 37, isFarthest: isFarthest, kind: kind, blockPoints: 256,
                            seed: seed))
                }
            }
        }
        return cases
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for dimensions in GreedyShape.launched {
            for isFarthest in [false, true] {
                cases.append(
                    DistancesCase(
                        count: 600, dimensions: dimensions, isFarthest: isFarthest, blockPoints: 256, seed: seed))
            }
        }
        return cases
    }
}

private struct DistancesCase: KernelCase {
    enum Kind: String {
        case plain
        /// Whole numbers: there is one right answer.
        case whole
        /// The same few points again and again, as whole numbers.
        case repeated
        /// Most points were picked.
        case fewLeft = "few left"
        case noneLeft = "none left"
        /// Most points lie where one was picked, of a few all do; the target is in herding near one point alone.
        case near
        /// Coordinates that are NaN, infinite or too large to be squared; of few points all are infinite.
        case notFinite = "not finite"

        static let special: [Kind] = [.whole, .repeated, .fewLeft, .noneLeft, .near, .notFinite]
    }
    let count: Int
    let dimensions: Int
    let isFarthest: Bool
    var kind = Kind.plain
    let blockPoints: Int
    let seed: UInt64
    var kernel: String { GreedyDistances.kernel }
    var name: String {
        "\(isFarthest ? "furthest" : "nearest") of \(count) x \(dimensions) in blocks of \(blockPoints), "
            + "\(kind.rawValue), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, \(isFarthest ? "furthest" : "nearest")" }
    var variety: String { "\(kernel), \(isFarthest ? "furthest" : "nearest")" }
    var cost: Int { count * dimensions }

    private struct Found {
        let states: [Float]
        let keys: [Float]
        let best: [Int32]
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let (points, target, states) = inputs()
        func distances(_ backend: any Backend) throws -> Found {
            let layout = TileLayout(points: count, dimensions: 1, on: backend)
            let memory = try CaseOrder(
                isFarthest ? .kCenter : .herding, picks: 1 + min(1, count - 1), states: states,
                target: target + [Float](repeating: 0, count: dimensions),
                mean: [Float](repeating: 0, count: 2 * dimensions), blockPoints: blockPoints, on: backend)
            // The only point of all has a first pick alone, which takes the nearest.
            let step = isFarthest && count > 1 ? 1 : 0
            try backend.run(
                GreedyDistances(
                    memory.order,
                    of: try CasePoints(points, count: count, dimensions: dimensions, on: backend).points, step: step))
            let after = try memory.state.contents()
            judge.checkGuards("states", after)
            if layout.maskedValues(after.values).contains(where: { $0 != -1 }) {
                judge.complain("a lane beyond the last point has a state that is not -1")
            }
            let (keys, best) = (try memory.keys.contents(), try memory.best.contents())
            judge.checkGuards("keys", keys)
            judge.checkGuards("best points", best)
            return Found(states: layout.unpack(after.values), keys: keys.values, best: best.values)
        }
        let actual = try distances(backend)
        if kind != .plain, kind != .fewLeft, kind != .near {
            let due = try distances(reference)
            judge.check("states", actual.states, equals: due.states, within: .exact)
            judge.check("keys", actual.keys, equals: due.keys, within: .exact)
            if let difference = differences(actual.best, due.best) { judge.complain("best points\(difference)") }
        }
        let truth = (0..<count).map { squaredDistance(points, target, $0) }
        checkStates(&judge, truth, before: states, actual.states)
        checkBest(&judge, truth, actual)
        return judge.result
    }

    private func inputs() -> (points: [Float], target: [Float], states: [Float]) {
        var inputs = CaseInputs(seed: seed)
        var points = inputs.floats(count * dimensions)
        var target = inputs.floats(dimensions)
        var states = inputs.floats(count, in: 0...Float(dimensions)).map { $0 < 0.1 ? .infinity : $0 }
        switch kind {
        case .plain, .fewLeft, .noneLeft: break
        case .whole, .repeated, .notFinite:
            points = inputs.wholeFloats(count * dimensions, in: 0..<9)
            target = inputs.wholeFloats(dimensions, in: 0..<9)
            states = inputs.wholeFloats(count, in: 0..<20 * dimensions)
        case .near:
            for index in states.indices where index % 67 != 37 { states[index] = 0 }
            let near = count * 2 / 3
            target = (0..<dimensions).map { points[near * dimensions + $0] + 0.001 }
        }
        for index in states.indices {
            switch kind {
            case .repeated:
                for dimension in 0..<dimensions {
                    points[index * dimensions + dimension] = points[index % 3 * dimensions + dimension]
                }
                states[index] = Float(index % 2 * 1000)
            case .fewLeft where index % 97 != 60 % count, .noneLeft: states[index] = -1
            case .notFinite where index % 5 < 3 || count < 100:
                let values: [Float] = count < 100 ? [.infinity] : [.nan, .infinity, 1e30]
                points[index * dimensions + index % dimensions] = values[index % values.count]
                if index % 2 == 0 { states[index] = .infinity }
            default: if index % 11 == 5 { states[index] = -1 }
            }
        }
        return (points, target, states)
    }

    /// A difference, a square and an addition a dimension, all of one sign; exact where numbers are whole.
    private func squaredDistance(_ points: [Float], _ target: [Float], _ index: Int) -> Bounded {
        var sum = 0.0
        for dimension in 0..<dimensions {
            let difference = Double(points[index * dimensions + dimension]) - Double(target[dimension])
            sum += difference * difference
        }
        if kind == .whole || kind == .repeated { return Bounded(sum) }
        return Bounded(sum, error: sum < 1e38 ? Rounding.gamma(dimensions + 3) * sum + Rounding.least : 0)
    }

    /// The smaller of the two where the nearest pick matters, else what was there; picked points keep their -1.
    private func checkStates(_ judge: inout CaseJudge, _ truth: [Bounded], before: [Float], _ states: [Float]) {
        let takesDistances = isFarthest && count > 1
        let expected = zip(before, truth).map { before, distance in
            takesDistances && distance.value < Double(before) && distance.value < 1e38 ? distance : Bounded(before)
        }
        judge.check("states", states, equals: expected)
    }

    /// Of what is left in each block the key is the largest, and of those that are the same the lowest has it.
    private func checkBest(_ judge: inout CaseJudge, _ truth: [Bounded], _ actual: Found) {
        for (block, first) in stride(from: 0, to: count, by: blockPoints).enumerated() {
            let left = (first..<min(first + blockPoints, count)).filter { actual.states[$0] >= 0 }
            let (key, best) = (actual.keys[block], Int(actual.best[block]))
            if left.isEmpty {
                if key != -.infinity || best != Int(Int32.max) {
                    judge.complain("block \(block) has nothing left, and point \(best) of key \(key)")
                }
                continue
            }
            guard left.contains(best) else {
                judge.complain("point \(best) is the best of block \(block), where it is not left")
                continue
            }
            if isFarthest && count > 1 {
                let largest = left.map { actual.states[$0] }.max() ?? 0
                if key != largest || best != left.first(where: { actual.states[$0] == largest }) {
                    judge.complain("block \(block) has point \(best) of key \(key); \(largest) is the largest")
                }
                continue
            }
            let most = Double(Float.greatestFiniteMagnitude)
            func distance(_ point: Int) -> Bounded { truth[point].value < 1e38 ? truth[point] : Bounded(most) }
            let mine = distance(best)
            judge.check("key of block \(block)", [-key], equals: [mine])
            for other in left where other != best {
                let gap = mine.value - distance(other).value
                let bound = mine.error + distance(other).error
                if !(gap <= bound) || (bound == 0 && gap == 0 && other < best) {
                    judge.complain("block \(block) has point \(best), \(other) is nearer or before it")
                    break
                }
            }
        }
    }
}
