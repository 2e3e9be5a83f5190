import Compute

/// The work of Lloyd's k-means on float32 points, as `coppice bench` counts it: what `coppice plan cluster` predicts from.
package struct LloydWork: Equatable, Sendable {
    /// Points that one device has.
    package let rows: Int
    /// Points of all devices together.
    package let total: Int
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int
    /// Whether the sums of a block have corrections, as those of rows that are not 8-bit ones have.
    package let isCompensated: Bool

    /// Lloyd's k-means on so many points.
    /// - Parameter total: the points of all devices, whose number decides into which blocks sums are cut; `rows` where nil.
    package init(rows: Int, of total: Int? = nil, k: Int, dimensions: Int, compensated: Bool = true) {
        self.rows = rows
        self.total = total ?? rows
        self.k = k
        self.dimensions = dimensions
        isCompensated = compensated
    }

    /// The nearest centroid of every point.
    package var assignment: OperationCost {
        KmeansAssign.cost(points: rows, centroids: k, dimensions: dimensions)
    }

    /// The new centroids: the sums of their points, and the means.
    package var update: OperationCost {
        KmeansAccumulate.cost(points: rows, dimensions: dimensions)
            + KmeansUpdate.cost(centroids: k, dimensions: dimensions)
    }

    /// The way of the blocks' sums through memory: ``KmeansAccumulate``, whose cost leaves them out, writes them, and
    /// ``KmeansReduce`` adds them to the totals. With many clusters that is more than the points are.
    package var sums: OperationCost {
        let (blockPoints, blocks) = round
        let all = (rows + blockPoints - 1) / blockPoints
        func adding(_ count: Int, _ isAdded: Bool) -> OperationCost {
            KmeansReduce.cost(
                blocks: count, clusters: k, dimensions: dimensions, compensated: isCompensated, adding: isAdded)
        }
        let first = min(blocks, all)
        let (full, last) = (all - first).quotientAndRemainder(dividingBy: blocks)
        let written =
            all * OperationCost(operations: 0, bytes: Double(4 * k * (dimensions * (isCompensated ? 2 : 1) + 1)))
        let added = adding(first, false) + full * adding(blocks, true)
        return written + (last > 0 ? added + adding(last, true) : added)
    }

    /// What the result of so many iterations and the last assignment needs. ``sums`` is none of it.
    package func fit(iterations: Int) -> [(OperationCost, times: Double)] {
        [(assignment, times: Double(iterations + 1)), (update, times: Double(iterations))]
    }

    /// Points per block of the sums, and blocks that are summed in one launch.
    private var round: (blockPoints: Int, blocks: Int) {
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: dimensions, points: total)
        return (blockPoints, min(most, max(1, (total + blockPoints - 1) / blockPoints)))
    }

    /// Points whose sum is taken in float32 before it is rounded to whole units, and such blocks that are summed at once, by a
    /// work-group each.
    package var blockPoints: Int { round.blockPoints }
    package var blocksAtOnce: Int { round.blocks }

    /// Launches of an assignment: the centroids in panels, and the search. The coarse form of the centroids, which some
    /// processors have, is one more.
    package static let assignmentLaunches = 2

    /// Launches of an update: two for each round of block sums, and the means.
    package var updateLaunches: Int {
        let (blockPoints, blocks) = round
        return 2 * max(1, (rows + blocks * blockPoints - 1) / (blocks * blockPoints)) + 1
    }
}

/// The work of a k-means++ start on points of one device.
package struct PlusPlusWork: Equatable, Sendable {
    /// Points that centres are chosen from.
    package let points: Int
    /// Candidates per centre.
    package let trials: Int
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int

    /// A start of so many centres.
    package init(points: Int, trials: Int, k: Int, dimensions: Int) {
        self.points = points
        self.trials = trials
        self.k = k
        self.dimensions = dimensions
    }

    /// The distances of all points to the candidates for each centre; the picks between them are small.
    package var cost: OperationCost {
        k * KmeansPlusPlusDistances.cost(points: points, trials: trials, dimensions: dimensions)
    }

    /// Launches: one pick at first, and the distances and a pick for each centre.
    package var launches: Int { 2 * k + 1 }
}

extension LloydWork {
    /// The parts of an iteration.
    package enum Part: Sendable {
        case assignment, update
    }

    fileprivate func cost(of part: Part) -> OperationCost {
        switch part {
        case .assignment: assignment
        case .update: update + sums
        }
    }
}

extension Benchmark {
    /// A part of an iteration of Lloyd's k-means as a clustering of float32 rows runs it, on made rows around 1,000 centres and
    /// from centroids that have moved twice. The cost of the update has ``LloydWork/sums``.
    /// - Parameter work: at least k rows.
    package static func lloyd(_ part: LloydWork.Part, of work: LloydWork) -> Benchmark {
        let (rows, k, dimensions) = (work.rows, work.k, work.dimensions)
        let kernel = part == .assignment ? KmeansAssign.kernel : KmeansAccumulate.kernel
        return Benchmark(kernel, "\(rows) made points of \(dimensions), k \(k)") { backend throws(ComputeError) in
            let points = try backend.makeMadePoints(count: rows, dimensions: dimensions)
            let centroids = try backend.makeCentroids(count: k, dimensions: dimensions)
            let indices = try backend.makeBuffer((0..<k).map { Int32($0 * (rows / k)) }, label: "centres")
            let slots = try backend.makeBuffer((0..<k).map { Int32($0) }, label: "slots")
            try backend.run(CentroidsGather(indices, of: points, into: centroids, slots: slots))
            let coarse = try backend.makeCoarsePanelsIfUseful(of: centroids)
            let labels = try backend.makeBuffer(of: Int32.self, count: rows, label: "labels")
            let sums = try backend.makeClusterSums(
                count: k, dimensions: dimensions, points: rows, exponent: 33, compensated: work.isCompensated)
            let shifts = try backend.makeBuffer(of: Float.self, count: k, label: "movements")
            var assignment: [any Operation] = [KmeansPanels(centroids)]
            if let coarse { assignment.append(KmeansCoarse(centroids, into: coarse)) }
            assignment.append(KmeansAssign(points, to: centroids, direct: true, labels: labels, coarse: coarse))
            let update =
                sums.operations(accumulating: points, labels: labels, adding: false)
                + [KmeansUpdate(centroids, from: sums, shifts: shifts)]
            for operation in assignment + update + assignment + update { try backend.run(operation) }
            let timed = part == .assignment ? assignment : update
            return Benchmark.Prepared(work.cost(of: part)) { () throws(ComputeError) in
                for operation in timed { try backend.run(operation) }
            }
        }
    }

    /// A k-means++ start on made rows.
    package static func plusPlus(_ work: PlusPlusWork) -> Benchmark {
        Benchmark(
            KmeansPlusPlusDistances.kernel, "start of k \(work.k), \(work.points) made points of \(work.dimensions)"
        ) { backend throws(ComputeError) in
            let points = try backend.makeMadePoints(count: work.points, dimensions: work.dimensions)
            var inputs = CaseInputs(seed: 3)
            let uniforms = inputs.floats(work.k * work.trials, in: 0...0.999)
            let start = try backend.makePlusPlusStart(
                count: work.k, trials: work.trials, points: points, uniforms: uniforms)
            return Benchmark.Prepared(work.cost) { () throws(ComputeError) in
                try backend.runPlusPlus(start, of: points, first: 0)
            }
        }
    }
}

extension Backend {
    /// Made rows as points.
    fileprivate func makeMadePoints(count: Int, dimensions: Int) throws(ComputeError) -> Points {
        let values = MadeRows.floats(count: count, dimensions: dimensions, seed: 1)
        let points = try makePoints(count: count, dimensions: dimensions)
        let buffer = try makeBuffer(values, label: "rows")
        try run(PointsPack(Rows(.floats(buffer), count: count, dimensions: dimensions), into: points))
        return points
    }
}
