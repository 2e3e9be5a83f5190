import Compute
import Foundation
import Ranks
import Support

/// ⌊ln value⌋.
func flooredLogarithm(of value: Int) -> Int { Int(log(Double(value))) }

/// One k-means at work: the buffers it keeps, and its two ways to iterate.
final class KMeansRun {
    let backend: any Backend
    let source: PointSource
    let centroids: Centroids
    /// The centroids for a coarse search; nil where that would be no faster.
    private let coarse: CoarsePanels?
    private let k: Int
    /// Nil for mini-batches, which have their own sums.
    private let sums: ClusterSums?
    /// Of the points of a piece or a batch.
    let labels: DeviceBuffer<Int32>
    let distances: DeviceBuffer<Float>
    private let shifts: DeviceBuffer<Float>
    /// Nil where all points are taken at once. It is made before the start, whose programs are loaded while the device
    /// lays out the rows.
    private let batches: MiniBatchMemory?

    /// - Parameters:
    ///   - largestBatch: the points of a mini-batch; 0 if all points are taken at once.
    ///   - exponent: the exponent of the units of sums, see ``exponent(of:on:)``; nil for mini-batches.
    init(
        k: Int, source: PointSource, largestBatch: Int, exponent: Int?, backend: any Backend
    ) throws(ComputeError) {
        self.k = k
        self.source = source
        self.backend = backend
        let atOnce = max(source.pieceCount, largestBatch)
        centroids = try backend.makeCentroids(count: k, dimensions: source.dimensions)
        coarse = try backend.makeCoarsePanelsIfUseful(of: centroids)
        sums = try exponent.map { exponent throws(ComputeError) in
            try backend.makeClusterSums(
                count: k, dimensions: source.dimensions, points: source.total, exponent: exponent,
                compensated: source.isDirect)
        }
        labels = try backend.makeBuffer(of: Int32.self, count: atOnce, label: "labels")
        distances = try backend.makeBuffer(
            of: Float.self, count: max(source.pieceCount, KMeans.stepsAtOnce * largestBatch), label: "distances")
        shifts = try backend.makeBuffer(of: Float.self, count: k, label: "centroid movements")
        batches =
            largestBatch > 0 ? try MiniBatchMemory(size: largestBatch, k: k, source: source, on: backend) : nil
    }

    /// The exponent of the units of sums: the finest unit in which no sum over the points of all ranks overflows 64 bits.
    /// Collective.
    /// - Throws: ``ClusteringError/farValue(row:column:size:usual:)`` if rounding to these units would change the coordinates
    ///   of most points.
    static func exponent(of source: PointSource, on backend: any Backend) throws(ClusteringError) -> Int {
        let bound = try source.knownBound(on: backend)
        let exponents = ClusterSums.exponents
        let exponent: Int
        do {
            let scale = try FixedPoint(bound: bound, rows: source.total)
            exponent = min(max(scale.exponent, exponents.lowerBound), exponents.upperBound)
        } catch {
            throw .ranks(.sums(error))
        }
        // Values of 8 bits, and their components, are never that far from each other.
        guard source.isDirect else { return exponent }
        let usual = try source.usualCoordinate(on: backend)
        let unit = Double(sign: .plus, exponent: -exponent, significand: 1)
        guard usual == 0 || unit <= usual * 0x1p-10 else {
            let place = source.farthest ?? (0, 0)
            throw .farValue(row: place.row, column: place.column, size: bound, usual: usual)
        }
        return exponent
    }

    /// Makes k points the centroids.
    func takePoints(_ indices: [Int32]) throws(ClusteringError) {
        if let points = source.resident, source.count == source.total {
            try computing { () throws(ComputeError) in
                try takePoints(backend.makeBuffer(indices, label: "centres"), of: points)
            }
        } else {
            let points = try source.points(at: indices, on: backend)
            try computing { () throws(ComputeError) in
                try takePoints(backend.makeBuffer((0..<Int32(k)).map { $0 }, label: "centres"), of: points)
            }
        }
    }

    /// Makes k points of `points` the centroids.
    func takePoints(_ indices: DeviceBuffer<Int32>, of points: Points) throws(ComputeError) {
        let slots = try backend.makeBuffer((0..<Int32(k)).map { $0 }, label: "centroid slots")
        try backend.run(CentroidsGather(indices, of: points, into: centroids, slots: slots))
    }

    /// Runs Lloyd's iterations. Returns how many were run, including those before a resumed state.
    /// - Parameter keeper: keeps states and may stop the iterations; on all ranks or on none.
    func lloyd(
        _ limit: Int, _ tolerance: Double, isSpherical: Bool = false, _ keeper: (any LloydKeeper)? = nil
    ) throws(ClusteringError) -> Int {
        guard let sums else { return 0 }
        let threshold = tolerance > 0 && limit > 0 ? try numberOfFirstRank(tolerance * meanVariance(like: sums)) : 0
        var before =
            isSpherical ? try computing { () throws(ComputeError) in try backend.read(centroids.values) } : []
        keeper?.begin()
        defer { keeper?.end() }
        for iteration in min(keeper?.resumed?.iterations ?? 0, limit)..<limit {
            try packCentroids()
            try source.forEachPiece(on: backend) { piece, first throws(ComputeError) in
                try backend.run(
                    KmeansAssign(piece, to: centroids, direct: source.isDirect, labels: labels, coarse: coarse))
                try backend.accumulate(piece, labels: labels, into: sums, adding: first > 0)
            }
            try combine(sums)
            let ownMoved = try computing { () throws(ComputeError) in
                try backend.run(KmeansUpdate(centroids, from: sums, shifts: shifts))
                return isSpherical ? try scaleToUnitLength(&before) : sum(try backend.read(shifts))
            }
            try takeCentroidsOfFirstRank()
            let moved = try numberOfFirstRank(ownMoved)
            // Labels that stay give the same sums and so the same bits: no movement at all.
            if moved <= threshold { return iteration + 1 }
            if let keeper, iteration + 1 < limit { try pause(after: iteration + 1, keeper) }
        }
        return limit
    }

    /// Replaces the totals by those over the points of all ranks, which have the same bits on every rank.
    private func combine(_ sums: ClusterSums) throws(ClusteringError) {
        guard let communicator = source.spread?.communicator, communicator.size > 1 else { return }
        var totals = try computing { () throws(ComputeError) in
            try backend.read(sums.totals, count: sums.totalElements)
        }
        try acrossRanks { () throws(RanksError) in try communicator.sum(&totals) }
        try computing { () throws(ComputeError) in try backend.write(totals, to: sums.totals) }
    }

    /// If the devices of the ranks differ, replaces the centroids with those of rank 0; without this, they would drift apart.
    /// Collective.
    /// - Throws: ``ClusteringError/ranks(_:)`` and ``ClusteringError/compute(_:)``.
    func takeCentroidsOfFirstRank() throws(ClusteringError) {
        guard let communicator = source.spread?.communicator, !communicator.computesAlike else { return }
        var values = try computing { () throws(ComputeError) in try backend.read(centroids.values) }
        try acrossRanks { () throws(RanksError) in try communicator.broadcast(&values) }
        try computing { () throws(ComputeError) in try backend.write(values, to: centroids.values) }
    }

    /// The number of rank 0 if the devices of the ranks differ, otherwise `number`: ranks that stop after different numbers of
    /// iterations would wait for each other. Collective.
    /// - Throws: ``ClusteringError/ranks(_:)``.
    private func numberOfFirstRank(_ number: Double) throws(ClusteringError) -> Double {
        guard let communicator = source.spread?.communicator, !communicator.computesAlike else { return number }
        var numbers = [number]
        try acrossRanks { () throws(RanksError) in try communicator.broadcast(&numbers) }
        return numbers[0]
    }

    /// The sum over all ranks.
    func combined(_ total: ExactTotal) throws(ClusteringError) -> Double {
        guard let communicator = source.spread?.communicator, communicator.size > 1 else { return total.value }
        var total = total
        try acrossRanks { () throws(RanksError) in try total.combine(over: communicator) }
        return total.value
    }

    /// Brings the other forms of the centroids up to date.
    private func packCentroids() throws(ClusteringError) {
        try computing { () throws(ComputeError) in
            try backend.run(KmeansPanels(centroids))
            if let coarse { try backend.run(KmeansCoarse(centroids, into: coarse)) }
        }
    }

    /// Scales the centroids to unit length, on the host; those that are zero become what they were `before`. Returns the
    /// squared movement of all, and what they are now in `before`.
    private func scaleToUnitLength(_ before: inout [Float]) throws(ComputeError) -> Double {
        let dimensions = centroids.dimensions
        let means = try backend.read(centroids.values)
        var moved = 0.0
        for centroid in 0..<k {
            let range = centroid * dimensions..<(centroid + 1) * dimensions
            let length = means[range].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard length > 0 else { continue }
            for element in range {
                let scaled = Float(Double(means[element]) / length)
                let difference = Double(scaled) - Double(before[element])
                moved += difference * difference
                before[element] = scaled
            }
        }
        try backend.write(before, to: centroids.values)
        return moved
    }

    /// The mean over the coordinates of their variance (divisor count), from blocks and units like those of `sums`.
    private func meanVariance(like sums: ClusterSums) throws(ClusteringError) -> Double {
        let (mean, meanSums) = try computing { () throws(ComputeError) in
            try backend.fill(labels, with: 0)
            let mean = try backend.makeCentroids(count: 1, dimensions: source.dimensions)
            try backend.fill(mean.values, with: 0)
            return (
                mean,
                try backend.makeClusterSums(
                    count: 1, dimensions: source.dimensions, points: source.total, exponent: sums.exponent,
                    blockPoints: sums.blockPoints, compensated: source.isDirect)
            )
        }
        try source.forEachPiece(on: backend) { piece, first throws(ComputeError) in
            try backend.accumulate(piece, labels: labels, into: meanSums, adding: first > 0)
        }
        try combine(meanSums)
        try computing { () throws(ComputeError) in
            try backend.run(KmeansUpdate(mean, from: meanSums, shifts: shifts))
            try backend.run(KmeansPanels(mean))
        }
        var squares = ExactTotal()
        try source.forEachPiece(on: backend) { piece, _ throws(ComputeError) in
            try backend.run(KmeansAssign(piece, to: mean, labels: labels, distances: distances))
            squares.add(try backend.read(distances, count: piece.count))
        }
        return try combined(squares) / Double(source.total) / Double(source.dimensions)
    }

    /// Mini-batch k-means; returns how many batches were run.
    ///
    /// Some steps are queued together, up to the next one at which starved centroids are looked for, so that the device
    /// does not wait for the host after each. The stopping rule is asked behind them, once for each of their batches.
    func miniBatch(_ settings: KMeans.MiniBatch, _ random: inout RandomStream) throws(ClusteringError) -> Int {
        guard let memory = batches else { return 0 }
        let size = memory.batch.count
        var hasZeroWeights = true
        var sinceReassignment = 0
        var progress = MiniBatchProgress(batch: size, count: source.count, patience: settings.patience)
        let steps = settings.passes * source.count / size
        try computing { () throws(ComputeError) in try backend.run(KmeansPanels(centroids)) }
        var done = 0
        while done < steps {
            let untilReassignment = hasZeroWeights ? 1 : max(1, (10 * k - sinceReassignment + size - 1) / size)
            let together = min(KMeans.stepsAtOnce, untilReassignment, steps - done)
            let drawn = drawAny(together * size, below: source.count, &random)
            let rows = try bringRows(drawn, memory)
            let squares = try computing { () throws(ComputeError) in
                for first in stride(from: 0, to: drawn.count, by: size) {
                    let batch = SampledRows(rows, at: memory.indices, from: first)
                    try backend.run(
                        KmeansAssign(
                            memory.batch, to: centroids, direct: source.isDirect, labels: labels,
                            distances: distances, gathering: batch))
                    try backend.run(
                        KmeansAccumulateUpdate(
                            centroids, from: batch, labels: labels, count: size, sums: memory.sums,
                            weights: memory.weights))
                }
                return try backend.read(distances, count: drawn.count)
            }
            done += together
            sinceReassignment += together * size
            var isStuck = false
            for first in stride(from: 0, to: squares.count, by: size) {
                let inertia = sum(squares, in: first..<first + size) / Double(size)
                isStuck = progress.isStuck(after: inertia) || isStuck
            }
            if isStuck { return done }
            // Weights only grow, so that without a zero among them they need not be looked at until one is due.
            guard hasZeroWeights || sinceReassignment >= 10 * k else { continue }
            sinceReassignment = 0
            try computing { () throws(ComputeError) in
                var values = try backend.read(memory.weights)
                try reseed(&values, from: memory.batch, memory.weights, settings, &random)
                hasZeroWeights = values.contains(0)
            }
        }
        return done
    }

    /// The rows that the points of some batches are gathered from, and their places among those in `memory.indices`.
    private func bringRows(_ drawn: [Int32], _ memory: MiniBatchMemory) throws(ClusteringError) -> DeviceBuffer<Float> {
        if source.isStreamed {
            let points = try source.points(at: drawn, on: backend)
            return try computing { () throws(ComputeError) in
                let rows = try backend.makeBuffer(
                    of: Float.self, count: points.count * points.dimensions, label: "batches as rows")
                try backend.run(PointsUnpack(points, into: rows))
                try backend.write((0..<Int32(drawn.count)).map { $0 }, to: memory.indices)
                return rows
            }
        }
        try computing { () throws(ComputeError) in try backend.write(drawn, to: memory.indices) }
        return memory.rows
    }

    /// Moves starved centroids to random points of the batch, as scikit-learn does: those whose weight is below a share
    /// of the largest, half a batch of them at most (the lightest). Their weight becomes the least of the others', so
    /// that they aren't starved again at once.
    private func reseed(
        _ values: inout [Float], from batch: Points, _ weights: DeviceBuffer<Float>, _ settings: KMeans.MiniBatch,
        _ random: inout RandomStream
    ) throws(ComputeError) {
        let starved = starvedCentroids(values, ratio: settings.reassignmentRatio, limit: batch.count / 2)
        guard !starved.isEmpty else { return }
        let chosen = drawDistinct(starved.count, below: batch.count, &random)
        try backend.run(
            CentroidsGather(
                backend.makeBuffer(chosen, label: "new centroids"), of: batch, into: centroids,
                slots: backend.makeBuffer(starved.map { Int32($0) }, label: "starved centroids")))
        try backend.run(KmeansPanels(centroids))
        let taken = Set(starved)
        var least = Float.infinity
        for (index, weight) in values.enumerated() where !taken.contains(index) { least = min(least, weight) }
        for index in starved { values[index] = least }
        try backend.write(values, to: weights)
    }

    /// The last assignment, and everything about it.
    func result(_ iterations: Int, startSeconds: Double, seconds: () -> Double) throws(ClusteringError)
        -> KMeansClustering
    {
        try packCentroids()
        var clusters = [Int32](repeating: 0, count: source.count)
        var squares = [Float](repeating: 0, count: source.count)
        try source.forEachPiece(on: backend) { piece, first throws(ComputeError) in
            try backend.run(
                KmeansAssign(
                    piece, to: centroids, direct: source.isDirect, labels: labels, distances: distances, coarse: coarse)
            )
            let range = first..<first + piece.count
            try clusters.withUnsafeMutableBufferPointer { clusters throws(ComputeError) in
                try backend.read(labels, at: 0, into: UnsafeMutableBufferPointer(rebasing: clusters[range]))
            }
            try squares.withUnsafeMutableBufferPointer { squares throws(ComputeError) in
                try backend.read(distances, at: 0, into: UnsafeMutableBufferPointer(rebasing: squares[range]))
            }
        }
        try computing { () throws(ComputeError) in
            if let stray = clusters.first(where: { !(0..<Int32(k)).contains($0) }) {
                throw .nonsense(device: backend.device.name, what: "cluster \(stray) of \(k) for a sample")
            }
            if let stray = squares.first(where: { !($0 >= 0) }) {
                throw .nonsense(device: backend.device.name, what: "a squared distance of \(stray)")
            }
        }
        var total = ExactTotal()
        total.add(squares)
        let inertia = try combined(total)
        return KMeansClustering(
            labels: clusters, distances: squares,
            centroids: try computing { () throws(ComputeError) in try backend.read(centroids.values) },
            shift: source.shift, k: k, dimensions: source.dimensions, inertia: inertia, iterations: iterations,
            startSeconds: startSeconds, seconds: seconds())
    }
}

/// Indices of centroids whose weight is below `ratio` times the largest; the lightest `limit` of them, in order of index.
func starvedCentroids(_ weights: [Float], ratio: Double, limit: Int) -> [Int] {
    let threshold = ratio * Double(weights.max() ?? 0)
    let starved = weights.indices.filter { Double(weights[$0]) < threshold }
    guard starved.count > limit else { return starved }
    return starved.sorted { (weights[$0], $0) < (weights[$1], $1) }.prefix(limit).sorted()
}

/// The stopping rule of mini-batch k-means: an exponentially weighted average of the batches' inertia that has not come
/// down for `patience` batches. The first batch doesn't count, since its inertia is the start's.
struct MiniBatchProgress {
    private let share: Double
    private let patience: Int
    private var isFirst = true
    private var average: Double?
    private var least = Double.infinity
    private var without = 0

    init(batch: Int, count: Int, patience: Int) {
        share = min(1, 2 * Double(batch) / Double(count + 1))
        self.patience = patience
    }

    /// Takes in the mean squared distance of one more batch; true when it is time to stop.
    mutating func isStuck(after inertia: Double) -> Bool {
        if isFirst {
            isFirst = false
            return false
        }
        let smoothed = average.map { $0 * (1 - share) + inertia * share } ?? inertia
        average = smoothed
        if smoothed < least {
            least = smoothed
            without = 0
        } else {
            without += 1
        }
        return without >= patience
    }
}

/// What mini-batch k-means keeps besides the centroids.
private struct MiniBatchMemory {
    /// All points as rows, of which batches are gathered sooner than of tiles; of no use where they are streamed.
    let rows: DeviceBuffer<Float>
    /// The rows of the batches that are queued together.
    let indices: DeviceBuffer<Int32>
    let batch: Points
    /// Points that every centroid has seen, [k].
    let weights: DeviceBuffer<Float>
    let sums: BatchSums

    init(size: Int, k: Int, source: PointSource, on backend: any Backend) throws(ComputeError) {
        batch = try backend.makePoints(count: size, dimensions: source.dimensions)
        indices = try backend.makeBuffer(of: Int32.self, count: KMeans.stepsAtOnce * size, label: "batches")
        weights = try backend.makeBuffer([Float](repeating: 0, count: k), label: "centroid weights")
        sums = try backend.makeBatchSums(count: k, dimensions: source.dimensions)
        let points = source.resident
        rows = try backend.makeBuffer(
            of: Float.self, count: (points?.count ?? 0) * source.dimensions, label: "points as rows")
        if let points { try backend.run(PointsUnpack(points, into: rows)) }
    }
}

/// The sum in double precision, value by value; of all values, or of those of a range.
func sum(_ values: [Float], in range: Range<Int>? = nil) -> Double {
    values.withUnsafeBufferPointer { values in
        var total = 0.0
        for index in range ?? 0..<values.count { total += Double(values[index]) }
        return total
    }
}
