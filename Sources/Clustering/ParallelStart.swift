import Compute
import Ranks
import Support

extension KMeans {
    /// The settings of a k-means|| start.
    package struct ParallelStartSettings: Sendable {
        /// Rounds of sampling. More follow only while there are fewer candidates than clusters.
        package var rounds = 5
        /// The most points that a round is expected to draw, as a multiple of k.
        package var oversampling = 0.5

        /// Half of k in each of five rounds: of the settings in the experiments of the paper, k / 2 and 2k, the one with fewer
        /// candidates. The paper finds that five rounds suffice, and that the start is no worse once all rounds together draw k
        /// points or more. Choosing k of the candidates takes time in proportion to k times their number.
        package init() {}

        /// The most points that a round is expected to draw: the l of ``ParallelStart``.
        func wanted(k: Int) -> Double { oversampling * Double(k) }

        /// The numbers of candidates that each search is expected to compare with all of `total` points: one point first, then
        /// the points that each round draws, until there are k. A round draws fewer if some points are sure to be drawn.
        package func expectedSearches(k: Int, of total: Int) -> [Int] {
            let ends = (0...rounds).map { min(total, 1 + Int((Double($0) * wanted(k: k)).rounded())) }
            let drawn = zip(ends, ends.dropFirst()).map { $1 - $0 }
            let missing = min(k, total) - (ends.last ?? 1)
            return ([1] + drawn + [missing]).filter { $0 > 0 }
        }

        /// The most points that one round draws; it draws more with a probability below 1e-9.
        func mostDrawn(k: Int) -> Int { Self.atMost(max(wanted(k: k), Double(k))) }

        /// The same for all candidates.
        func mostCandidates(k: Int) -> Int { Self.atMost(max(Double(rounds) * wanted(k: k), Double(k))) }

        /// The expectation and six standard deviations.
        private static func atMost(_ expected: Double) -> Int { Int(expected + 6 * expected.squareRoot()) + 16 }
    }
}

/// Computes a k-means|| start: k-means++ with few passes over the points (Bahmani, Moseley, Vattani, Kumar and Vassilvitskii,
/// "Scalable k-means++", PVLDB 5(7), 2012).
///
/// The first candidate is a random point. In each round every point is drawn independently with probability min(1, l d² / φ):
/// d² is its squared distance to the nearest candidate so far, φ is the sum of these over all points, and l is the number of
/// points wanted. All drawn points become candidates, in the order of their numbers. In the end the weight of a candidate is
/// the number of points nearest to it, where the earlier candidate wins a tie, and a weighted k-means++ chooses k of the
/// candidates.
///
/// While there are fewer than k candidates, more rounds follow, in which l is at least the number that is missing; each draws
/// at least one point in expectation, as k-means++ does. If φ becomes 0, there are fewer than k different points. Some
/// centroids then coincide; they are drawn in proportion to the weights, as k-means++ does as well.
///
/// The result has the same bits for any number of ranks, streamed or not: φ is an exact sum, and whether a point is drawn
/// depends on its number among the points of all ranks, the round, and the seed.
struct ParallelStart {
    private let run: KMeansRun
    private let kmeans: KMeans
    private let settings: KMeans.ParallelStartSettings
    /// The nearest candidates of this rank's points.
    private var nearest: NearestCandidates
    /// The candidates' coordinates, [candidates][dimensions], on every rank.
    private var coordinates: [Float] = []
    private var candidateCount = 0
    /// φ, over the points of all ranks.
    private var cost = Double.infinity

    private var source: PointSource { run.source }
    private var backend: any Backend { run.backend }

    private init(
        _ kmeans: KMeans, _ settings: KMeans.ParallelStartSettings, for run: KMeansRun, _ random: inout RandomStream
    ) {
        self.run = run
        self.kmeans = kmeans
        self.settings = settings
        nearest = NearestCandidates(
            count: run.source.count, from: run.source.spread?.rows.lowerBound ?? 0, key: random.next())
        let most = min(run.source.total, settings.mostCandidates(k: kmeans.k))
        coordinates.reserveCapacity(most * run.source.dimensions)
    }

    /// Chooses the centroids' first values. Collective.
    /// - Returns: [k][dimensions].
    /// - Throws: ``ClusteringError/compute(_:)``, ``ClusteringError/unreadable(reason:category:)``,
    ///   ``ClusteringError/ranks(_:)``.
    static func centroids(
        _ kmeans: KMeans, _ settings: KMeans.ParallelStartSettings, for run: KMeansRun, _ random: inout RandomStream
    ) throws(ClusteringError) -> [Float] {
        var start = ParallelStart(kmeans, settings, for: run, &random)
        try start.add([Int32(random.nextIndex(below: run.source.total))])
        var round = 0
        while start.cost > 0, round < settings.rounds || start.candidateCount < kmeans.k {
            try start.add(start.draw(in: round))
            round += 1
        }
        // A separate stream, because only rank 0 takes numbers from it.
        var choices = RandomStream(seed: random.next(), run: 0, purpose: .clustering)
        return try start.chosen(&choices)
    }

    /// The points of all ranks that a round draws, in rising order.
    private func draw(in round: Int) throws(ClusteringError) -> [Int32] {
        let missing = round < settings.rounds ? 0 : kmeans.k - candidateCount
        let own = nearest.drawn(
            in: round, wanted: max(settings.wanted(k: kmeans.k), Double(missing)), cost: cost)
        guard let communicator = source.spread?.communicator, communicator.size > 1 else { return own }
        return try acrossRanks { () throws(RanksError) in try communicator.gather(own).values }
    }

    /// Makes points candidates and updates the distances.
    /// - Parameter points: numbers among the points of all ranks, the same on every rank.
    private mutating func add(_ points: [Int32]) throws(ClusteringError) {
        guard !points.isEmpty else { return }
        let candidates = try source.points(at: points, on: backend)
        let (centroids, coarse) = try computing { () throws(ComputeError) in
            let rows = try HostRows(candidates, on: backend)
            coordinates += rows.values
            let centroids = try backend.makeCentroids(count: points.count, dimensions: source.dimensions)
            try backend.write(rows.values, to: centroids.values)
            try backend.run(KmeansPanels(centroids))
            let coarse = try backend.makeCoarsePanelsIfUseful(of: centroids)
            if let coarse { try backend.run(KmeansCoarse(centroids, into: coarse)) }
            return (centroids, coarse)
        }
        try source.forEachPiece(on: backend) { piece, first throws(ComputeError) in
            try backend.run(
                KmeansAssign(
                    piece, to: centroids, direct: source.isDirect, labels: run.labels, distances: run.distances,
                    coarse: coarse))
            try nearest.take(
                piece.count, from: first, labels: run.labels, distances: run.distances, after: candidateCount,
                on: backend)
        }
        // A candidate is nearest to itself, even if rounding found another one as near, so it is never drawn again.
        let own = source.spread?.rows ?? 0..<source.count
        for (place, point) in points.enumerated() where own.contains(Int(point)) {
            nearest.take(candidate: candidateCount + place, at: Int(point) - own.lowerBound)
        }
        candidateCount += points.count
        cost = try run.combined(nearest.total)
        guard cost.isFinite else {
            throw .compute(.nonsense(device: backend.device.name, what: "a squared distance that is no number"))
        }
    }

    /// The coordinates of k candidates, chosen on rank 0.
    private func chosen(_ random: inout RandomStream) throws(ClusteringError) -> [Float] {
        var weights = [Int64](repeating: 0, count: candidateCount)
        for candidate in nearest.numbers {
            guard weights.indices.contains(Int(candidate)) else {
                let what = "candidate \(candidate) of \(candidateCount) for a sample"
                throw .compute(.nonsense(device: backend.device.name, what: what))
            }
            weights[Int(candidate)] += 1
        }
        let communicator = source.spread?.communicator
        if let communicator { try acrossRanks { () throws(RanksError) in try communicator.sum(&weights) } }
        var centres = [Int32](repeating: 0, count: kmeans.k)
        if communicator?.rank ?? 0 == 0 {
            let candidates = HostRows(coordinates, count: candidateCount, dimensions: source.dimensions)
            centres = candidates.plusPlus(
                centres: kmeans.k, weights: weights.map { Double($0) }, trials: kmeans.startCandidates, random: &random)
        }
        if let communicator { try acrossRanks { () throws(RanksError) in try communicator.broadcast(&centres) } }
        let dimensions = source.dimensions
        var values: [Float] = []
        values.reserveCapacity(kmeans.k * dimensions)
        for centre in centres { values += coordinates[Int(centre) * dimensions..<(Int(centre) + 1) * dimensions] }
        return values
    }
}
