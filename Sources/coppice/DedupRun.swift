import Clustering
import Compute
import Datasets
import Pruning
import Ranks
import Scoring
import Support

/// New rows, after those of an old set where there is one.
struct DedupRows {
    /// All rows, old ones first.
    let matrix: FeatureMatrix
    /// How many are of the old set.
    let old: Int
    /// What names the old set; empty where there is none.
    let against: [String]
    /// What a user should know of the old set's files.
    private(set) var notes: [String] = []

    /// - Parameters:
    ///   - new: the new samples, of `features` where they are of some.
    ///   - against: what names the old set.
    ///   - opened: the old set; nil if it is to be opened here.
    ///   - isProjected: whether PCA is to follow.
    ///   - ranks: the ranks that check the rows together; nil for a single process. Collective if given.
    /// - Throws: ``Failure`` with the file and the row of what is wrong.
    init(
        _ new: Samples, _ features: FeatureOptions, against: [String], _ opened: Features?, isProjected: Bool,
        over ranks: Communicator?
    ) throws {
        self.against = against
        guard !against.isEmpty else {
            (matrix, old) = (new.matrix, 0)
            return
        }
        let rows = try opened ?? Features.open(against)
        notes = rows.notes
        guard rows.values.columnCount == new.matrix.dimensions else {
            throw Failure(
                "\(rows.name): its rows have \(rows.values.columnCount) columns; \(new.matrix.dimensions) are needed, as the new "
                    + "rows have", exitCode: 65)
        }
        // Both sets are scaled alike, by the figures of the new one.
        let scaled = try rows.scaled(by: new.scaling)
        do {
            let earlier = try FeatureMatrix(scaled.samples, forComponents: isProjected)
            old = earlier.count
            let joined = try SampleSet.joining([scaled.samples, new.samples])
            let spread = try ranks.map { try RowSpread(joined.count, over: $0) }
            do throws(ClusteringError) {
                if let spread {
                    matrix = try FeatureMatrix(
                        joined, named: "the rows of both sets", forComponents: isProjected, spread: spread)
                } else {
                    matrix = try FeatureMatrix(joined, forComponents: isProjected)
                }
            } catch {
                // What is far from the middle of both sets was near that of its own.
                guard case .tooLarge(let row, let column, let value, let limit) = error, row >= earlier.count else {
                    throw error
                }
                throw Failure(
                    "\(features.name ?? "the data set"): "
                        + ClusteringError.tooLarge(
                            row: row - earlier.count, column: column, value: value, limit: limit
                        ).description, category: error.category)
            }
        } catch let error as ClusteringError {
            throw Failure(error, in: scaled)
        }
    }
}

/// A clustering and the comparisons within it.
struct DedupRun {
    let rows: DedupRows
    let k: Int
    let plan: ClusteringPlan
    let compute: ComputeOptions
    let backend: any Backend
    /// The ranks that share the work; nil for a single process.
    var ranks: Communicator?

    /// A clustering, and the points that it is of.
    struct Clustered {
        var source: PointSource
        /// The labels and distances may cover this rank's rows only.
        var clustering: KMeansClustering
        /// The cluster and the distance of every row.
        var assignment: ClusterAssignment
        var pcaSeconds: Double
        /// Whether the clustering brought the rows to the device piece by piece.
        var isStreamed: Bool
    }

    /// What was found.
    struct Result {
        /// New rows that stay, the least redundant first.
        var kept: [Int]
        var dropped: [DroppedPoint]
        var redundancy: Redundancy
        /// The cluster of each row, old ones first.
        var labels: [Int32]
        var old: Int
        var zeros: Int
        var rowsAtOnce: Int
        /// Bytes that these rows take.
        var memory: Int
        var seconds: Double
    }

    private var dimensions: Int { plan.pca ?? rows.matrix.dimensions }

    /// Bytes that comparing takes at least, the points themselves apart.
    var reserve: Int {
        Deduplication.bytes(points: rows.matrix.count)
            + Deduplication.leastMemory(
                points: rows.matrix.count, columns: rows.matrix.dimensions, dimensions: dimensions)
    }

    /// Clusters all rows, in memory that leaves room for comparing them.
    func cluster() throws -> Clustered {
        if let ranks { return try cluster(over: ranks) }
        let clock = ContinuousClock()
        let begin = clock.now
        let matrix = rows.matrix
        let kmeans = KMeans(k: k, kind: plan.kind, start: plan.start, seed: compute.seed)
        if let pca = plan.pca {
            Terminal.note(
                "projecting \(matrix.count) samples of \(matrix.dimensions) features onto \(pca) components",
                quiet: compute.quiet)
        }
        do {
            let source = try source(of: matrix, for: kmeans)
            try backend.finish()
            let seconds = (clock.now - begin) / .seconds(1)
            Terminal.note(
                "clustering \(source.count) samples of \(source.dimensions) numbers, k \(k)"
                    + (source.isStreamed ? ", streamed" : ""), quiet: compute.quiet)
            let clustering = try kmeans.fit(source, on: backend)
            plan.noteTinyClusters(clustering, quiet: compute.quiet)
            return Clustered(
                source: source, clustering: clustering,
                assignment: ClusterAssignment(
                    labels: clustering.labels, squaredDistances: clustering.distances, k: clustering.k),
                pcaSeconds: plan.pca == nil ? 0 : seconds, isStreamed: source.isStreamed)
        } catch let error as ClusteringError {
            guard let features = plan.features, rows.old == 0, error.category == .badData else { throw error }
            throw Failure("\(features): \(error)", category: error.category)
        }
    }

    private func source(of matrix: FeatureMatrix, for kmeans: KMeans) throws(ClusteringError) -> PointSource {
        do throws(ClusteringError) {
            return try kmeans.source(
                of: matrix, components: plan.pca, memory: plan.memory.map { max(0, $0 - reserve) }, on: backend)
        } catch {
            guard case .memory(_, let needed, _) = error, let memory = plan.memory else { throw error }
            throw .memory(
                what: "deduplicating \(matrix.count) rows of \(matrix.dimensions) features, k \(k),",
                needed: needed + reserve, allowed: memory)
        }
    }

    /// Compares the rows within clusters, and decides which stay: by `eps`, otherwise `size` of them. Every rank compares the
    /// rows of its own clusters, and all get the same result, except for the dropped rows, which only rank 0 has.
    func compare(_ clustered: Clustered, order: Deduplication.Order, eps: Double?, size: Int?) throws -> Result {
        let begin = ContinuousClock.now
        let (source, found) = (clustered.source, clustered.assignment)
        let taken = Deduplication.bytes(points: source.count)
        // Ranks of one process share its memory.
        let sharers = ranks?.ranksInProcess ?? 1
        let shortage = AvailableMemory.shortage(of: sharers * reserve)
        let left =
            min(plan.memory.map { $0 - ProcessMemory.resident } ?? .max, AvailableMemory.now?.bytes ?? .max) / sharers
            - taken
        // They also see what the others take, so all look before any takes memory.
        if sharers > 1 { try ranks?.barrier() }
        if let shortage {
            throw ClusteringError.noMemory(
                what: "comparing \(source.count) rows of \(source.dimensions) numbers", needed: sharers * reserve,
                least: shortage)
        }
        let deduplication = try Deduplication(
            of: source, clustering: found, old: rows.old, order: order,
            memory: min(left, Deduplication.usualMemory), on: backend)
        let most = min(deduplication.rowsAtOnce, source.count)
        Terminal.note(
            "comparing \(deduplication.count) rows within clusters, at most \(most) in memory at once, "
                + "in \(mebibytes(deduplication.memory))",
            quiet: compute.quiet)
        let own = ranks.map { deduplication.clusters(ofRank: $0.rank, of: $0.size) }
        var redundancy = try deduplication.compare(in: own)
        if let ranks {
            redundancy = Redundancy(count: deduplication.count, try ranks.gather(redundancy.findings).values)
        }
        let kept =
            try eps.map { eps throws(ScoringError) in try redundancy.kept(eps: eps) }
            ?? redundancy.kept(size: size ?? 0)
        var dropped = try deduplication.dropped(by: redundancy, keeping: kept, in: own)
        if let ranks {
            dropped = try ranks.gather(dropped, to: 0)?.values.sorted { $0.point < $1.point } ?? []
        }
        return Result(
            kept: kept, dropped: dropped, redundancy: redundancy,
            labels: found.labels, old: rows.old, zeros: redundancy.zeroCount, rowsAtOnce: most,
            memory: deduplication.memory,
            seconds: (ContinuousClock.now - begin) / .seconds(1))
    }
}

/// Bytes in MiB, rounded up: what `--memory` takes, with an M after it.
func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20)M" }
