import Compute

/// Memory of a k-means++ start with everything an operation writes guarded.
struct CaseStart {
    let start: PlusPlusStart
    let blockSums: GuardedBuffer<Float>
    let candidates: GuardedBuffer<Int32>
    let coordinates: GuardedBuffer<Float>
    let state: GuardedBuffer<Int32>
    let chosen: GuardedBuffer<Int32>

    /// What stands there before the operation; `nil` poisons the block sums.
    init(
        count: Int, trials: Int, points: Int, blockSums sums: [Float]?, candidates: [Int32], coordinates: [Float],
        uniforms: [Float], state: Int32, on backend: any Backend
    ) throws(ComputeError) {
        let blocks = (points + ClusteringShape.blockUnit - 1) / ClusteringShape.blockUnit
        if let sums {
            blockSums = try GuardedBuffer(on: backend, sums, label: "block sums")
        } else {
            blockSums = try GuardedBuffer(on: backend, count: trials * blocks, label: "block sums")
        }
        self.candidates = try GuardedBuffer(on: backend, candidates, label: "candidates")
        self.coordinates = try GuardedBuffer(on: backend, coordinates, label: "coordinates")
        self.state = try GuardedBuffer(on: backend, [state], label: "candidate kept")
        chosen = try GuardedBuffer(on: backend, [Int32](repeating: -9, count: count), label: "centres")
        start = PlusPlusStart(
            blockSums: blockSums.buffer, candidates: self.candidates.buffer, coordinates: self.coordinates.buffer,
            uniforms: try backend.makeBuffer(uniforms, label: "uniform numbers"), state: self.state.buffer,
            chosen: chosen.buffer, count: count, trials: trials, blocks: blocks)
    }
}

/// Distances to candidates, and their sums over blocks.
package enum KmeansPlusPlusDistancesCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        PlusPlusShape.all.flatMap { shape in
            [false, true].map {
                DistancesCase(
                    count: shape.count, dimensions: shape.dimensions, trials: shape.trials, hasFewNearer: $0,
                    seed: seed)
            }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        PlusPlusShape.launched.map {
            DistancesCase(count: 600, dimensions: $0.dimensions, trials: $0.trials, seed: seed)
        }
    }
}

private struct DistancesCase: KernelCase {
    let count: Int
    let dimensions: Int
    let trials: Int
    /// Whether most points are near a centre already, so that a candidate is nearer to few of them.
    var hasFewNearer = false
    let seed: UInt64
    var kernel: String { KmeansPlusPlusDistances.kernel }
    var name: String {
        "\(count) x \(dimensions), \(trials) candidates\(hasFewNearer ? ", few nearer" : ""), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, \(trials) trials" }
    var cost: Int { count * trials * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let points = inputs.floats(count * dimensions)
        let coordinates = inputs.floats(dimensions * trials)
        // Of several rows of earlier distances one is kept; some are infinite, as at the start.
        let kept = trials - 1
        var earlier = inputs.floats(trials * count, in: 0...Float(dimensions)).map { $0 < 0.1 ? .infinity : $0 }
        if hasFewNearer {
            // One point in more than any tile has, at a place of its own in each.
            for index in earlier.indices where index % count % 67 != 37 { earlier[index] = 1e-6 }
        }

        func distances(_ backend: any Backend) throws -> (next: [Float], masked: [Float], sums: [Float]) {
            let layout = TileLayout(points: count, dimensions: 1, on: backend)
            let stride = layout.tiles * layout.tile
            let previous = (0..<trials).flatMap {
                layout.pack(Array(earlier[$0 * count..<($0 + 1) * count]), masked: .infinity)
            }
            let memory = try CaseStart(
                count: 3, trials: trials, points: count, blockSums: nil,
                candidates: [Int32](repeating: 0, count: trials), coordinates: coordinates,
                uniforms: [Float](repeating: 0, count: 3 * trials), state: Int32(kept), on: backend)
            let next = try GuardedBuffer<Float>(on: backend, count: trials * stride, label: "distances")
            try backend.run(
                KmeansPlusPlusDistances(
                    memory.start,
                    of: try CasePoints(points, count: count, dimensions: dimensions, on: backend).points,
                    previous: try backend.makeBuffer(previous, label: "earlier distances"), next: next.buffer))
            let contents = try next.contents()
            judge.checkGuards("distances", contents)
            let sums = try memory.blockSums.contents()
            judge.checkGuards("block sums", sums)
            let rows = (0..<trials).map { Array(contents.values[$0 * stride..<($0 + 1) * stride]) }
            return (rows.flatMap { layout.unpack($0) }, rows.flatMap { layout.maskedValues($0) }, sums.values)
        }
        let actual = try distances(backend)
        if actual.masked.contains(where: { $0 != 0 }) {
            judge.complain("a lane beyond the last point has a distance that is not 0")
        }
        checkSums(&judge, actual.next, actual.sums, tile: backend.tile)
        checkTruth(&judge, points, coordinates, Array(earlier[kept * count..<(kept + 1) * count]), actual.next)
        return judge.result
    }

    private func checkTruth(
        _ judge: inout CaseJudge, _ points: [Float], _ coordinates: [Float], _ earlier: [Float], _ next: [Float]
    ) {
        let expected = (0..<trials).flatMap { trial in
            (0..<count).map { point -> Bounded in
                var sum = 0.0
                for dimension in 0..<dimensions {
                    let difference =
                        Double(points[point * dimensions + dimension])
                        - Double(coordinates[dimension * trials + trial])
                    sum += difference * difference
                }
                // A difference, a square and an addition a dimension, all of one sign.
                return min(sum, Double(earlier[point])) == sum
                    ? Bounded(sum, error: Rounding.gamma(dimensions + 3) * sum) : Bounded(earlier[point])
            }
        }
        judge.check("distances", next, equals: expected)
    }

    /// Sums of the distances as they are: each passes through one addition a tile of its block at most, the lanes of a
    /// vector fold, and those of a group are added.
    private func checkSums(_ judge: inout CaseJudge, _ next: [Float], _ sums: [Float], tile: Int) {
        let unit = ClusteringShape.blockUnit
        let expected = (0..<trials).flatMap { trial in
            stride(from: 0, to: count, by: unit).map { first -> Bounded in
                let block = next[trial * count + first..<trial * count + min(first + unit, count)]
                return Bounded.sum(block.map { Bounded($0) }, additions: unit / min(tile, 16) + tile)
            }
        }
        judge.check("block sums", sums, equals: expected)
    }
}
