import Compute

/// The work of Lloyd's k-means on float32 points, as `coppice bench` counts it. `coppice plan cluster` estimates from it.
package struct LloydWork: Equatable, Sendable {
    /// The points of one device.
    package let rows: Int
    /// The points of all devices together.
    package let total: Int
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int
    /// True if the sums of a block have corrections, as for rows that are not 8-bit.
    package let isCompensated: Bool

    /// The work on a number of points.
    /// - Parameter total: the points of all devices, which determine the blocks; `rows` if nil.
    package init(rows: Int, of total: Int? = nil, k: Int, dimensions: Int, compensated: Bool = true) {
        self.rows = rows
        self.total = total ?? rows
        self.k = k
        self.dimensions = dimensions
        isCompensated = compensated
    }

    /// The work to find the nearest centroid of every point.
    package var assignment: OperationCost {
        KmeansAssign.cost(points: rows, centroids: k, dimensions: dimensions)
    }

    /// The work of the new centroids: the sums of their points, and the means.
    package var update: OperationCost {
        KmeansAccumulate.cost(points: rows, dimensions: dimensions)
            + KmeansUpdate.cost(centroids: k, dimensions: dimensions)
    }

    /// The memory traffic of the blocks' sums: ``KmeansAccumulate``, whose cost leaves them out, writes them, and
    /// ``KmeansReduce`` adds them to the totals. With many clusters this is more than that of the points.
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

    /// The work of a number of iterations and the last assignment, without ``sums``.
    package func fit(iterations: Int) -> [(OperationCost, times: Double)] {
        [(assignment, times: Double(iterations + 1)), (update, times: Double(iterations))]
    }

    /// Points per block of the sums, and blocks that one launch sums.
    private var round: (blockPoints: Int, blocks: Int) {
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: dimensions, points: total)
        return (blockPoints, min(most, max(1, (total + blockPoints - 1) / blockPoints)))
    }

    /// The points that are summed in float32 before the sum is rounded to whole units, and the number of such blocks that are
    /// summed at once, by one work-group each.
    package var blockPoints: Int { round.blockPoints }
    package var blocksAtOnce: Int { round.blocks }

    /// Launches of an assignment: the panels of the centroids, and the search. The coarse form of the centroids, which some
    /// processors use, takes one more.
    package static let assignmentLaunches = 2

    /// Launches of an update: two for each round of block sums, and the means.
    package var updateLaunches: Int {
        let (blockPoints, blocks) = round
        return 2 * max(1, (rows + blocks * blockPoints - 1) / (blocks * blockPoints)) + 1
    }
}

/// The work of a k-means++ start on the points of one device.
package struct PlusPlusWork: Equatable, Sendable {
    /// The points that centres are chosen from.
    package let points: Int
    /// The candidates per centre.
    package let trials: Int
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int

    /// The work of choosing a number of centres.
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
    /// A part of an iteration of Lloyd's k-means, as a clustering of float32 rows runs it, on made rows around 1,000 centres,
    /// from centroids that have moved twice. The cost of the update includes ``LloydWork/sums``.
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
