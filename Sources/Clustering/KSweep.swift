import Compute
import Support

/// k-means at several numbers of clusters, each from two starts, and what tells these numbers apart.
package struct KSweep: Sendable {
    /// A number of clusters.
    package struct Step: Sendable {
        /// The number.
        package let k: Int
        /// The sum of squared distances to the centroids.
        package let inertia: Double
        /// The silhouettes of the sample, [scored]; empty where all of it is in one cluster.
        package fileprivate(set) var silhouettes: [Float] = []
        /// The adjusted Rand index of the clusterings from the two starts.
        package let stability: Double
        /// Clusters without points.
        package let emptyClusters: Int
        /// Iterations or mini-batches of the first clustering.
        package let iterations: Int
        /// Seconds that both clusterings took.
        package let seconds: Double

        /// The mean of the silhouettes; nil where there are none.
        package var silhouette: Double? {
            silhouettes.isEmpty ? nil : sum(silhouettes) / Double(silhouettes.count)
        }
    }

    /// The numbers that were tried, rising.
    package let steps: [Step]
    /// Points whose silhouettes were taken, and points that they were compared with.
    package let (scored, compared): (Int, Int)
    /// Seconds of the whole sweep.
    package let seconds: Double

    // MARK: - The numbers that are tried

    /// The largest number of clusters that is tried unless a range is given.
    package static let most = 1_000
    /// Ranges of no more numbers than this are tried whole.
    static let mostOfAll = 24
    /// Steps of about a quarter: the preferred numbers R10 (ISO 3).
    private static let preferred = [10, 12, 16, 20, 25, 32, 40, 50, 63, 80]

    /// What is tried of `count` points unless a range is given: 2 to their square root, a common rule of thumb (Bezdek and
    /// Pal, "Some new indexes of cluster validity", 1998, follow it), and at most to ``most``, for the cost of a clustering.
    package static func range(of count: Int) -> ClosedRange<Int> {
        2...max(2, min(most, Int(Double(count).squareRoot())))
    }

    /// The numbers of clusters that are tried of `range`: all where they are few; else 2 to 10 and then steps of about a
    /// quarter, and both ends where `withEnds` is true.
    package static func grid(_ range: ClosedRange<Int>, withEnds: Bool) -> [Int] {
        if range.count <= mostOfAll { return Array(range) }
        var ks = Set(2..<10)
        var power = 1
        while preferred[0] * power <= range.upperBound {
            ks.formUnion(preferred.map { $0 * power })
            power *= 10
        }
        if withEnds { ks.formUnion([range.lowerBound, range.upperBound]) }
        return ks.filter(range.contains).sorted()
    }

    // MARK: - The sweep

    /// Bytes that a sweep takes beside the clustering at hand, of `count` points of `dimensions` coordinates that come of
    /// `columns` columns: the labels of the other start, and what silhouettes take.
    package static func memory(count: Int, columns: Int, dimensions: Int, ks: Int) -> Int {
        4 * count * MemoryLayout<Int32>.stride + PointSource.bytesOnTheWay(columns: columns, dimensions: dimensions)
            + Silhouette.memory(count: count, dimensions: dimensions, clusterings: ks)
    }

    /// Clusters the points at every number of clusters.
    ///
    /// The first clustering of each number has the random numbers of run 0 under `seed`, as a clustering with that number
    /// alone has, the second one those of run 1. The sample of the silhouettes is drawn by run 2.
    /// - Parameters:
    ///   - ks: the numbers, rising, each from 2 to below the number of points.
    ///   - source: the points, made for the largest number.
    ///   - progress: takes the clusters that were fitted so far, of how many, and the number at hand.
    /// - Throws: what ``KMeans/fit(_:on:keeper:)`` throws.
    package static func run(
        ks: [Int], kind: KMeans.Kind, start: KMeans.Start?, seed: UInt64, source: PointSource, on backend: any Backend,
        progress: (_ done: Int, _ total: Int, _ k: Int) -> Void = { _, _, _ in }
    ) throws(ClusteringError) -> KSweep {
        let clock = ContinuousClock()
        let begin = clock.now
        let silhouette = Silhouette(
            count: source.count, dimensions: source.dimensions,
            random: RandomStream(seed: seed, run: 2, purpose: .clustering))
        let total = 2 * ks.reduce(0, +)
        var done = 0
        var steps: [Step] = []
        var labels: [[Int32]] = []
        for k in ks {
            progress(done, total, k)
            let start = (time: clock.now, kind: start)
            func fit(run: Int) throws(ClusteringError) -> KMeansClustering {
                let kmeans = KMeans(k: k, kind: kind, start: start.kind, seed: seed, run: run)
                let found = try kmeans.fit(source.pieces(for: kmeans), on: backend)
                done += k
                progress(done, total, k)
                return found
            }
            let first = try fit(run: 0)
            // Less than both clusterings at once.
            let (one, inertia, iterations) = (first.labels, first.inertia, first.iterations)
            let other = try fit(run: 1).labels
            steps.append(
                Step(
                    k: k, inertia: inertia, stability: adjustedRandIndex(one, other, k: k),
                    emptyClusters: k - Set(one).count, iterations: iterations,
                    seconds: (clock.now - start.time).inSeconds))
            labels.append(silhouette.labels(of: one))
        }
        let rows = try source.rows(at: silhouette.points, on: backend)
        for (place, values) in silhouette.values(of: rows, labels: labels, ks: ks).enumerated() {
            steps[place].silhouettes = values
        }
        return KSweep(
            steps: steps, scored: silhouette.scored, compared: silhouette.compared,
            seconds: (clock.now - begin).inSeconds)
    }
}
