import Compute
import Foundation

/// ⌊ln value⌋.
func naturalLogarithm(of value: Int) -> Int { Int(log(Double(value))) }

/// One k-means at work: the buffers it keeps, and its two ways to iterate.
final class KMeansRun {
    let backend: any ClusteringOperations
    let points: Points
    let centroids: Centroids
    private let k: Int
    private let labels: DeviceBuffer<Int32>
    private let distances: DeviceBuffer<Float>
    private let shifts: DeviceBuffer<Float>

    init(k: Int, points: Points, backend: any ClusteringOperations) throws(ComputeError) {
        self.k = k
        self.points = points
        self.backend = backend
        centroids = try backend.makeCentroids(count: k, dimensions: points.dimensions)
        labels = try backend.makeBuffer(of: Int32.self, count: points.count, label: "labels")
        distances = try backend.makeBuffer(of: Float.self, count: points.count, label: "distances")
        shifts = try backend.makeBuffer(of: Float.self, count: k, label: "centroid movements")
    }

    /// Makes k points the centroids.
    func takePoints(_ indices: [Int32], of source: Points) throws(ComputeError) {
        try takePoints(backend.makeBuffer(indices, label: "centres"), of: source)
    }

    /// Makes k points the centroids.
    func takePoints(_ indices: DeviceBuffer<Int32>, of source: Points) throws(ComputeError) {
        let slots = try backend.makeBuffer((0..<Int32(k)).map { $0 }, label: "centroid slots")
        try backend.gatherCentroids(indices, of: source, into: centroids, slots: slots)
    }

    /// batch[i] = points[indices[i]].
    func gather(_ indices: [Int32], into batch: Points) throws(ComputeError) {
        try backend.gatherPoints(backend.makeBuffer(indices, label: "indices"), of: points, into: batch)
    }

    /// Lloyd's iterations; returns how many were run.
    func lloyd(_ limit: Int, _ tolerance: Double) throws(ComputeError) -> Int {
        let sums = try backend.makeClusterSums(count: k, dimensions: points.dimensions, points: points.count)
        let threshold = tolerance > 0 && limit > 0 ? tolerance * (try meanVariance()) : 0
        for iteration in 0..<limit {
            try backend.packCentroids(centroids)
            try backend.assign(points, to: centroids, labels: labels, distances: nil)
            try backend.accumulate(points, labels: labels, into: sums)
            try backend.updateCentroids(centroids, from: sums, weights: nil, shifts: shifts)
            // Labels that stay give the same sums and so the same bits: no movement at all.
            if sum(try backend.read(shifts)) <= threshold { return iteration + 1 }
        }
        return limit
    }

    /// Mean over the coordinates of their variance (divisor count).
    private func meanVariance() throws(ComputeError) -> Double {
        let mean = try backend.makeCentroids(count: 1, dimensions: points.dimensions)
        let sums = try backend.makeClusterSums(count: 1, dimensions: points.dimensions, points: points.count)
        try backend.fill(mean.values, with: 0)
        try backend.fill(labels, with: 0)
        try backend.accumulate(points, labels: labels, into: sums)
        try backend.updateCentroids(mean, from: sums, weights: nil, shifts: shifts)
        try backend.packCentroids(mean)
        try backend.assign(points, to: mean, labels: labels, distances: distances)
        return sum(try backend.read(distances)) / Double(points.count) / Double(points.dimensions)
    }

    /// Mini-batch k-means; returns how many batches were run.
    func miniBatch(_ settings: KMeans.MiniBatch, _ random: inout RandomStream) throws(ComputeError) -> Int {
        let size = min(settings.batch, points.count)
        let batch = try backend.makePoints(count: size, dimensions: points.dimensions)
        let indices = try backend.makeBuffer(of: Int32.self, count: size, label: "batch")
        let sums = try backend.makeClusterSums(count: k, dimensions: points.dimensions, points: size)
        let weights = try backend.makeBuffer([Float](repeating: 0, count: k), label: "centroid weights")
        var weightValues = [Float](repeating: 0, count: k)
        var sinceReassignment = 0
        var progress = MiniBatchProgress(batch: size, count: points.count, patience: settings.patience)
        let steps = settings.passes * points.count / size
        for step in 0..<steps {
            try backend.write(drawAny(size, below: points.count, &random), to: indices)
            try backend.gatherPoints(indices, of: points, into: batch)
            sinceReassignment += size
            let reassign = weightValues.contains(0) || sinceReassignment >= 10 * k
            if reassign { sinceReassignment = 0 }
            try backend.packCentroids(centroids)
            try backend.assign(batch, to: centroids, labels: labels, distances: distances)
            try backend.accumulate(batch, labels: labels, into: sums)
            try backend.updateCentroids(centroids, from: sums, weights: weights, shifts: shifts)
            let inertia = sum(try backend.read(distances, count: size)) / Double(size)
            weightValues = try backend.read(weights)
            if reassign {
                try reseed(&weightValues, from: batch, settings, &random)
                try backend.write(weightValues, to: weights)
            }
            if progress.isStuck(after: inertia) { return step + 1 }
        }
        return steps
    }

    /// Moves starved centroids to random points of the batch, as scikit-learn does: those whose weight is below a share
    /// of the largest, half a batch of them at most (the lightest). Their weight becomes the least of the others', so
    /// that they aren't starved again at once.
    private func reseed(
        _ weights: inout [Float], from batch: Points, _ settings: KMeans.MiniBatch, _ random: inout RandomStream
    ) throws(ComputeError) {
        let starved = starvedCentroids(weights, ratio: settings.reassignmentRatio, limit: batch.count / 2)
        guard !starved.isEmpty else { return }
        let chosen = drawDistinct(starved.count, below: batch.count, &random)
        try backend.gatherCentroids(
            backend.makeBuffer(chosen, label: "new centroids"), of: batch, into: centroids,
            slots: backend.makeBuffer(starved.map { Int32($0) }, label: "starved centroids"))
        let taken = Set(starved)
        var least = Float.infinity
        for (index, weight) in weights.enumerated() where !taken.contains(index) { least = min(least, weight) }
        for index in starved { weights[index] = least }
    }

    /// The last assignment, and everything about it.
    func result(_ iterations: Int, startSeconds: Double, seconds: () -> Double) throws(ComputeError)
        -> KMeansClustering
    {
        try backend.packCentroids(centroids)
        try backend.assign(points, to: centroids, labels: labels, distances: distances)
        let squares = try backend.read(distances)
        let clusters = try backend.read(labels)
        if let stray = clusters.first(where: { !(0..<Int32(k)).contains($0) }) {
            throw .nonsense(device: backend.device.name, what: "cluster \(stray) of \(k) for a sample")
        }
        if let stray = squares.first(where: { !($0 >= 0) }) {
            throw .nonsense(device: backend.device.name, what: "a squared distance of \(stray)")
        }
        return KMeansClustering(
            labels: clusters, distances: squares, centroids: try backend.read(centroids.values), k: k,
            dimensions: points.dimensions, inertia: sum(squares), iterations: iterations, startSeconds: startSeconds,
            seconds: seconds())
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

/// The sum in double precision.
func sum(_ values: [Float]) -> Double {
    values.withUnsafeBufferPointer { values in
        var total = 0.0
        for value in values { total += Double(value) }
        return total
    }
}
