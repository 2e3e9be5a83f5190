import Compute

/// Keeping the best candidate and drawing the next ones. Distances are whole numbers and uniform numbers have ten bits,
/// so that every sum and product is exact and there is one right answer, at the borders too.
package enum KmeansPlusPlusPickCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for shape in PlusPlusShape.all {
            for step in [-1, 0, 1, 2] {
                cases.append(
                    PickCase(
                        count: shape.count, dimensions: shape.dimensions, trials: shape.trials, step: step, seed: seed))
            }
        }
        for kind in [PickCase.Kind.noneLeft, .sparse, .ties, .borders, .pastTheEnd] {
            for count in kind == .borders ? [8, 256, 512, 1024] : [3, 61, 600] {
                cases.append(
                    PickCase(count: count, dimensions: 7, trials: 5, step: 0, kind: kind, seed: seed))
            }
        }
        // Wide enough for several work-items a dimension, more trials than a small group.
        cases.append(PickCase(count: 600, dimensions: 61, trials: 70, step: 1, seed: seed))
        cases += [(1, 3, 1), (7, 3, 7), (300, 3, 17), (601, 3, 61)].map {
            StartCase(count: $0.0, dimensions: $0.1, clusters: $0.2, seed: seed)
        }
        return cases
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        PlusPlusShape.launched.map {
            PickCase(count: 600, dimensions: $0.dimensions, trials: $0.trials, step: 1, seed: seed)
        }
    }
}

private struct PickCase: KernelCase {
    enum Kind: String {
        case plain
        /// Every distance is zero.
        case noneLeft = "none left"
        /// Most distances are zero, whole blocks too.
        case sparse
        /// All candidates have the same sum.
        case ties
        /// Equal distances, and uniform numbers that fall on the border between two points, and between two blocks.
        case borders
        /// What rounding can do: uniform numbers of 1, and sums of blocks above those of their distances, so that a draw
        /// passes the end of its block. The next block begins with a distance; the last distances are zero.
        case pastTheEnd = "past the end"
    }
    let count: Int
    let dimensions: Int
    let trials: Int
    let step: Int
    var kind = Kind.plain
    let seed: UInt64
    static let centres = 3
    var kernel: String { KmeansPlusPlusPick.kernel }
    var name: String {
        "\(count) x \(dimensions), \(trials) candidates, step \(step) of \(Self.centres), \(kind.rawValue), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, \(trials) trials" }
    var cost: Int { trials * (count + dimensions) }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let points = inputs.floats(count * dimensions)
        let distances = (0..<trials).map { trial -> [Float] in
            switch kind {
            case .noneLeft: [Float](repeating: 0, count: count)
            case .sparse: (0..<count).map { $0 % 97 == 60 && $0 / 256 != 1 ? Float(1 + ($0 + trial) % 3) : 0 }
            case .borders: [Float](repeating: 2, count: count)
            case .pastTheEnd: (0..<count).map { $0 % 7 == 4 && 3 * $0 < 2 * count ? Float(1 + trial % 2) : 0 }
            case .ties: (0..<count).map { Float(($0 + 1) % 4) }
            case .plain: inputs.wholeFloats(count, in: 0..<4)
            }
        }
        let unit = ClusteringShape.blockUnit
        let blockSums = distances.flatMap { row in
            stride(from: 0, to: count, by: unit).map { first -> Float in
                let sum = row[first..<min(first + unit, count)].reduce(0, +)
                return kind == .pastTheEnd && sum > 0 ? sum + 1000 : sum
            }
        }
        let candidates = inputs.integers(trials, in: 0..<count)
        // The first uniform number of a step is the lowest there is, the last the highest here.
        let uniforms = (0..<Self.centres * trials).map { index -> Float in
            if kind == .pastTheEnd { return [1, 1023 / 1024, 0.25][index % 3] }
            if kind == .borders { return Float(index % 8) / 8 }
            switch index % trials {
            case 0: return 0
            case trials - 1: return 1023 / 1024
            default: return Float(inputs.integers(1, in: 0..<1024)[0]) / 1024
            }
        }
        let coordinates = (0..<dimensions).flatMap { dimension in
            candidates.map { points[Int($0) * dimensions + dimension] }
        }
        let first = count / 2

        func pick(_ backend: any Backend) throws -> CaseStart {
            let layout = TileLayout(points: count, dimensions: 1, on: backend)
            let memory = try CaseStart(
                count: Self.centres, trials: trials, points: count, blockSums: blockSums, candidates: candidates,
                coordinates: coordinates, uniforms: uniforms, state: 1, on: backend)
            try backend.run(
                KmeansPlusPlusPick(
                    memory.start,
                    of: try CasePoints(points, count: count, dimensions: dimensions, on: backend).points,
                    distances: try backend.makeBuffer(
                        distances.flatMap { layout.pack($0, masked: 0) }, label: "distances"), step: step,
                    first: first))
            return memory
        }
        let actual = try pick(backend)
        let expected = try pick(reference)
        judge.check("candidate kept", try actual.state.contents(), equals: try expected.state.contents().values)
        judge.check("centres", try actual.chosen.contents(), equals: try expected.chosen.contents().values)
        let drawn = try actual.candidates.contents()
        judge.check("candidates", drawn, equals: try expected.candidates.contents().values)
        judge.check(
            "coordinates", try actual.coordinates.contents(), equals: try expected.coordinates.contents().values,
            within: .exact)
        judge.check(
            "block sums", try actual.blockSums.contents(), equals: blockSums, within: .exact)

        let blocks = blockSums.count / trials
        let totals = (0..<trials).map { blockSums[$0 * blocks..<($0 + 1) * blocks].reduce(0, +) }
        let best = totals.firstIndex(of: totals.min() ?? 0) ?? 0
        if step >= 0, step + 1 < Self.centres {
            for trial in 0..<trials {
                let uniform = uniforms[(step + 1) * trials + trial]
                let due = Self.draw(uniform, distances[best])
                let point = Int(drawn.values[trial])
                // Past the end of a block any point with a distance will do.
                let anyWillDo = kind == .pastTheEnd && uniform != 1023 / 1024 && distances[best][due] > 0
                let isOneOfThem = (0..<count).contains(point) && distances[best][point] > 0
                if anyWillDo ? !isOneOfThem : point != due {
                    judge.complain("candidate \(trial) is point \(point), \(due) is due")
                }
            }
        }
        return judge.result
    }

    /// The point whose share of the distances' sum `uniform` falls into.
    private static func draw(_ uniform: Float, _ weights: [Float]) -> Int {
        let total = weights.reduce(0, +)
        if total == 0 { return min(Int(uniform * Float(weights.count)), weights.count - 1) }
        var sum: Float = 0
        for (point, weight) in weights.enumerated() {
            sum += weight
            if uniform * total < sum { return point }
        }
        return weights.lastIndex { $0 > 0 } ?? 0
    }
}

/// A whole start, on whole coordinates.
private struct StartCase: KernelCase {
    let count: Int
    let dimensions: Int
    let clusters: Int
    let seed: UInt64
    private static let trials = 4
    var kernel: String { KmeansPlusPlusPick.kernel }
    var name: String { "start of \(clusters) centres in \(count) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions, \(Self.trials) trials" }
    var cost: Int { Self.trials * count * clusters * (1 + dimensions) }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let points = inputs.wholeFloats(count * dimensions, in: 0..<30)
        let trials = Self.trials
        let uniforms = inputs.integers(clusters * trials, in: 0..<16).map { Float($0) / 16 }
        func start(_ backend: any Backend) throws -> [Int32] {
            let points = try CasePoints(points, count: count, dimensions: dimensions, on: backend).points
            let memory = try backend.makePlusPlusStart(
                count: clusters, trials: trials, points: points, uniforms: uniforms)
            try backend.runPlusPlus(memory, of: points, first: count / 3)
            return try backend.read(memory.chosen)
        }
        let actual = try start(backend)
        if let difference = differences(actual, try start(reference)) { judge.complain("centres\(difference)") }
        if actual.first != Int32(count / 3) { judge.complain("the first centre is \(actual[0])") }
        return judge.result
    }
}
