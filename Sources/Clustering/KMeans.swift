import Compute
import Ranks
import Support

/// What k-means found.
package struct KMeansClustering: Sendable {
    /// The cluster of every point of this rank, [count], 0 to k - 1.
    package let labels: [Int32]
    /// Squared distance of every point of this rank to its centroid, [count].
    package let distances: [Float]
    /// The centroids, [k][dimensions], less the shift.
    package let centroids: [Float]
    /// What was subtracted from every coordinate of the points, [dimensions]; nil where nothing was.
    package let shift: [Double]?
    /// The centroids, [k][dimensions], the shift added in double precision.
    package var absoluteCentroids: [Double] {
        centroids.enumerated().map { Double($1) + (shift?[$0 % dimensions] ?? 0) }
    }
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int
    /// Sum of all squared distances, over all ranks.
    package let inertia: Double
    /// Lloyd iterations or mini-batches that were run.
    package let iterations: Int
    /// Seconds that choosing the start took.
    package let startSeconds: Double
    /// Seconds that the iterations and the last assignment took.
    package let seconds: Double
}

/// k-means: k centroids that make the sum of squared distances (inertia) small.
package struct KMeans: Sendable {
    /// How centroids are improved.
    package enum Kind: Sendable {
        /// All points in every iteration (Lloyd, "Least squares quantization in PCM", 1982), until the centroids'
        /// squared movement is at most `tolerance` times the mean variance of the coordinates, or `iterations` are
        /// done. A cluster that loses all its points keeps its centroid.
        case lloyd(iterations: Int, tolerance: Double = 1e-4)
        /// Lloyd's iterations with centroids that are scaled to unit length after each (Dhillon and Modha, "Concept
        /// decompositions for large sparse text data using clustering", 2001): for points of unit length, whose nearest
        /// centroid then has the largest cosine. A cluster that loses all its points, or whose points cancel, keeps its centroid.
        case spherical(iterations: Int, tolerance: Double = 1e-4)
        /// Random batches and running means (Sculley, "Web-scale k-means clustering", WWW 2010).
        case miniBatch(MiniBatch = MiniBatch())
    }

    /// The settings of mini-batch k-means; they mean what scikit-learn's MiniBatchKMeans documents.
    package struct MiniBatch: Sendable {
        /// Points a batch, drawn with replacement.
        package var batch = 1024
        /// Most passes over as many points as there are.
        package var passes = 20
        /// Batches without improvement of the smoothed inertia after which to stop. Up to seven more are run where
        /// they were queued before that showed.
        package var patience = 5
        /// A centroid with fewer than this share of the largest centroid's points moves to a random point of the batch.
        package var reassignmentRatio = 0.01

        /// The article's settings, which are scikit-learn's defaults but for `passes`.
        package init() {}
    }

    /// Where the centroids start.
    package enum Start: Sendable {
        /// k-means++ on a random subset of 3k points or of three batches (mini-batch) or 16,384 (Lloyd),
        /// whichever is more: beyond, each of the k passes over the points costs more than it finds. It is
        /// greedy, as scikit-learn's is (of 2 + ⌊ln k⌋ candidates for each centre the best is kept), up to k = 1000: above,
        /// its better start is no longer seen after a few iterations.
        case plusPlus
        /// k-means||: k-means++ on candidates that a few passes over all points draw, see ``ParallelStart``. Unlike the random
        /// subset of ``plusPlus``, the candidates favour points that are far from each other.
        case parallel(ParallelStartSettings = ParallelStartSettings())
        /// k different points.
        case random
        /// These centroids, [k][dimensions], from which the points' shift is subtracted.
        case given([Double])
    }

    /// Number of clusters.
    package let k: Int
    /// How centroids are improved.
    package let kind: Kind
    /// Where they start.
    package let start: Start
    /// Where random numbers come from: the stream of purpose `clustering`.
    package let random: RandomStream

    /// A k-means whose random numbers are those of `run` under `seed`.
    /// - Parameter start: if nil, ``Start/plusPlus``, or ``Start/parallel(_:)`` above ``mostSubsetClusters`` clusters.
    ///   Mini-batches always default to ``Start/plusPlus``, since they take less time than passes over all points.
    package init(k: Int, kind: Kind, start: Start? = nil, seed: UInt64 = 0, run: Int = 0) {
        self.k = k
        self.kind = kind
        if let start {
            self.start = start
        } else if case .miniBatch = kind {
            self.start = .plusPlus
        } else {
            self.start = k > Self.mostSubsetClusters ? .parallel() : .plusPlus
        }
        random = RandomStream(seed: seed, run: run, purpose: .clustering)
    }

    /// Clusters `points`, whose products do not cancel: see ``PointSource/isDirect``.
    /// - Throws: ``ClusteringError/badSetting(name:value:accepted:)``,
    ///   ``ClusteringError/tooManyClusters(k:count:)``, ``ClusteringError/badMatrix(elements:count:dimensions:)`` and
    ///   ``ClusteringError/notFinite(row:column:)`` for a start that does not fit, ``ClusteringError/compute(_:)``.
    package func fit(_ points: Points, on backend: any Backend) throws(ClusteringError) -> KMeansClustering {
        try fit(PointSource(points, isDirect: false), on: backend)
    }

    /// Clusters the points of `source`. Neither streaming nor the number of ranks changes any bit of the result. Collective if
    /// the points are spread over ranks, which must have the same settings and, unless `Communicator.computesAlike` is false, the
    /// same device.
    /// - Parameter keeper: keeps the state of Lloyd's iterations and may stop them; without effect on mini-batches.
    /// - Throws: the same, and ``ClusteringError/unreadable(reason:category:)``, ``ClusteringError/ranks(_:)``; with a keeper
    ///   ``ClusteringError/interrupted(iterations:)`` and ``ClusteringError/file(_:)``.
    package func fit(
        _ source: PointSource, on backend: any Backend, keeper: (any LloydKeeper)? = nil
    ) throws(ClusteringError) -> KMeansClustering {
        // This comes before anything that only some ranks could refuse.
        try agree(on: source, backend)
        try checkSettings(source)
        var random = self.random
        let clock = ContinuousClock()
        let begin = clock.now
        let largestBatch = batch(of: source.total)
        let exponent = try largestBatch > 0 ? nil : KMeansRun.exponent(of: source, on: backend)
        let run = try computing { () throws(ComputeError) in
            try KMeansRun(k: k, source: source, largestBatch: largestBatch, exponent: exponent, backend: backend)
        }
        if let state = keeper?.resumed { try run.take(state) } else { try place(run, &random) }
        try run.takeCentroidsOfFirstRank()
        try computing { () throws(ComputeError) in try backend.finish() }
        let started = clock.now
        let iterations =
            switch kind {
            case .lloyd(let iterations, let tolerance): try run.lloyd(iterations, tolerance, keeper)
            case .spherical(let iterations, let tolerance):
                try run.lloyd(iterations, tolerance, isSpherical: true, keeper)
            case .miniBatch(let settings): try run.miniBatch(settings, &random)
            }
        return try run.result(iterations, startSeconds: (started - begin).inSeconds) {
            (clock.now - started).inSeconds
        }
    }

    /// Points a mini-batch of `count` points has; 0 where all points are taken at once.
    func batch(of count: Int) -> Int {
        if case .miniBatch(let settings) = kind { min(settings.batch, count) } else { 0 }
    }

    /// The most clusters that start from k-means++ on a subset by default.
    static let mostSubsetClusters = 10_000

    /// Steps of mini-batch k-means that are queued at most before the host looks at what came of them.
    static let stepsAtOnce = 8

    /// The most clusters for a number of coordinates: kernels number the sums of all centroids, their corrections and their
    /// counts in an int.
    package static func mostClusters(dimensions: Int) -> Int { Int(Int32.max) / (2 * (dimensions + 1)) }

    /// How many of `count` points a k-means++ start chooses from.
    package func startCount(of count: Int) -> Int {
        let batch = batch(of: count)
        return min(count, max(batch > 0 ? 3 * batch : 1 << 14, 3 * k))
    }

    /// Candidates for each centre of a k-means++ start.
    package var startCandidates: Int { k > 1000 ? 1 : 2 + flooredLogarithm(of: k) }

    /// Refuses ranks whose clusterings differ.
    private func agree(on source: PointSource, _ backend: any Backend) throws(ClusteringError) {
        guard let communicator = source.spread?.communicator, communicator.size > 1 else { return }
        var numbers = random
        var agreements = [
            Agreement("the number of samples", "\(source.total)"),
            Agreement("the numbers per sample", "\(source.dimensions)"), Agreement("k", "\(k)"),
            Agreement("the kind of k-means", "\(kind)"), Agreement("the start", startText),
            Agreement("the first random number, which follows from the seed", "\(numbers.nextWord())"),
        ]
        if communicator.computesAlike {
            agreements.append(Agreement("the device", "\(backend.device.name) \(backend.device.driver)"))
        }
        try acrossRanks { () throws(RanksError) in try communicator.agree(on: agreements) }
    }

    /// The start in a few words; for given centroids a sum of their bits.
    package var startText: String {
        switch start {
        case .plusPlus: "k-means++"
        case .parallel(let settings): "k-means||, \(settings.rounds) rounds of \(settings.oversampling) k"
        case .random: "random"
        case .given(let values):
            "centroids with the sum of bits \(values.reduce(UInt64(0)) { $0 &* 31 &+ $1.bitPattern })"
        }
    }

    private func checkSettings(_ points: PointSource) throws(ClusteringError) {
        guard k >= 1 else { throw .badSetting(name: "k", value: "\(k)", accepted: "1 to \(points.total)") }
        let most = Self.mostClusters(dimensions: points.dimensions)
        guard k <= most else {
            throw .badSetting(
                name: "k", value: "\(k)", accepted: "for points of \(points.dimensions) numbers 1 to \(most)")
        }
        guard k <= points.total else { throw .tooManyClusters(k: k, count: points.total) }
        switch kind {
        case .lloyd(let iterations, let tolerance), .spherical(let iterations, let tolerance):
            guard iterations >= 0 else {
                throw .badSetting(name: "iterations", value: "\(iterations)", accepted: "0 or more")
            }
            guard tolerance >= 0 else {
                throw .badSetting(name: "tolerance", value: "\(tolerance)", accepted: "0 or more")
            }
        case .miniBatch(let settings):
            if let ranks = points.spread?.communicator.size, ranks > 1 {
                throw .badSetting(name: "k-means", value: "mini-batch on \(ranks) ranks", accepted: "lloyd")
            }
            guard settings.batch >= 1, settings.passes >= 1, settings.patience >= 1 else {
                throw .badSetting(
                    name: "batch, passes or patience",
                    value: "\(settings.batch), \(settings.passes), \(settings.patience)", accepted: "1 or more")
            }
            guard settings.reassignmentRatio >= 0, settings.reassignmentRatio <= 1 else {
                throw .badSetting(
                    name: "reassignment ratio", value: "\(settings.reassignmentRatio)", accepted: "0 to 1")
            }
        }
        if case .parallel(let settings) = start {
            guard settings.rounds >= 1, settings.oversampling > 0, settings.oversampling <= 100 else {
                throw .badSetting(
                    name: "rounds or oversampling", value: "\(settings.rounds), \(settings.oversampling)",
                    accepted: "1 or more, up to 100")
            }
        }
        if case .given(let values) = start {
            guard values.count == k * points.dimensions else {
                throw .badMatrix(elements: values.count, count: k, dimensions: points.dimensions)
            }
            let limit = FeatureMatrix.limit(points.dimensions)
            for (index, value) in values.enumerated() {
                let (row, column) = index.quotientAndRemainder(dividingBy: points.dimensions)
                guard value.isFinite else { throw .notFinite(row: row, column: column) }
                guard abs(value - (points.shift?[column] ?? 0)) <= Double(limit) else {
                    throw .tooLarge(row: row, column: column, value: value, limit: limit)
                }
            }
        }
    }

    private func place(_ run: KMeansRun, _ random: inout RandomStream) throws(ClusteringError) {
        let backend = run.backend
        let source = run.source
        switch start {
        case .given(let values):
            let shifted = values.enumerated().map {
                Float($1 - (source.shift?[$0 % source.dimensions] ?? 0))
            }
            try computing { () throws(ComputeError) in try backend.write(shifted, to: run.centroids.values) }
        case .parallel(let settings):
            let values = try ParallelStart.centroids(self, settings, for: run, &random)
            try computing { () throws(ComputeError) in try backend.write(values, to: run.centroids.values) }
        case .random: try run.takePoints(drawDistinct(k, below: source.total, &random))
        case .plusPlus:
            let wanted = startCount(of: source.total)
            let subset: Points
            if wanted == source.total, source.count == wanted, let resident = source.resident {
                subset = resident
            } else if wanted == source.total {
                subset = try source.points(at: (0..<Int32(wanted)).map { $0 }, on: backend)
            } else {
                subset = try source.points(at: drawAny(wanted, below: source.total, &random), on: backend)
            }
            let trials = startCandidates
            let uniforms = (0..<k * trials).map { _ in Float(random.nextWord() >> 8) * 0x1p-24 }
            let first = random.nextIndex(below: subset.count)
            try computing { () throws(ComputeError) in
                let memory = try backend.makePlusPlusStart(
                    count: k, trials: trials, points: subset, uniforms: uniforms)
                try backend.runPlusPlus(memory, of: subset, first: first)
                try run.takePoints(memory.chosen, of: subset)
            }
        }
    }
}

/// `count` indices below `bound`, drawn with replacement.
func drawAny(_ count: Int, below bound: Int, _ random: inout RandomStream) -> [Int32] {
    (0..<count).map { _ in Int32(random.nextIndex(below: bound)) }
}

/// `count` different indices below `bound`, in random order: the first steps of a shuffle of all of them, of which only
/// the places that changed are kept.
func drawDistinct(_ count: Int, below bound: Int, _ random: inout RandomStream) -> [Int32] {
    var moved: [Int: Int32] = [:]
    return (0..<count).map { place in
        let other = place + random.nextIndex(below: bound - place)
        let drawn = moved[other] ?? Int32(other)
        moved[other] = moved[place] ?? Int32(place)
        return drawn
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
