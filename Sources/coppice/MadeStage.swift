import Clustering
import Compute
import Foundation
import KernelChecks
import Pruning
import Scoring
import Support

/// The size of made data, where the command line asks for one.
struct MadeSize {
    var rows: Int
    var dimensions: Int
    /// Clusters; nil where nothing is clustered.
    var k: Int?

    /// What `dedup` takes unless it is asked for another size.
    static let ofDedup = MadeSize(rows: 60_000, dimensions: 50, k: 500)
    /// Most rows, and most columns.
    static let (mostRows, mostColumns) = (Int(Int32.max), 1 << 15)
}

/// `coppice bench --stage lloyd`, `pca` or `dedup` on made float32 rows of any size.
struct MadeStage {
    private let size: MadeSize
    private let backend: any Backend
    private let seed: UInt64

    private static let (iterations, components) = (20, 50)
    /// Seconds beyond which a run is not repeated.
    private static let longest = 4.0

    private var k: Int { size.k ?? 1 }
    private var components: Int { min(Self.components, size.dimensions, size.rows) }
    private var kmeans: KMeans { lloyd(iterations: Self.iterations) }

    /// The stage on `backend`; nothing is made yet.
    /// - Throws: ``Failure`` where the host has too little memory for the rows.
    init(_ size: MadeSize, on backend: any Backend, seed: UInt64) throws {
        self.size = size
        self.backend = backend
        self.seed = seed
        try checkMemory()
    }

    /// Makes the rows and times `stage`; `limits` are the device's.
    /// - Parameter goOn: looks for an interrupt between runs.
    func time(_ stage: BenchStage, limits: Roofline, goOn: () throws -> Void) throws -> [StageTiming] {
        if stage == .dedup { return try dedup(limits: limits, goOn: goOn) }
        let matrix = try FeatureMatrix(
            floats: MadeRows.floats(count: size.rows, dimensions: size.dimensions, seed: seed), count: size.rows,
            dimensions: size.dimensions)
        try goOn()
        return [size.k == nil ? try pca(matrix, limits, goOn) : try lloyd(matrix, limits, goOn)]
    }

    /// The clustering of `coppice dedup`, and what it does then: every tenth row is nearly one of the others.
    func dedup(limits: Roofline, goOn: () throws -> Void = {}) throws -> [StageTiming] {
        let dimensions = size.dimensions
        var values = MadeRows.floats(count: size.rows, dimensions: dimensions, seed: seed)
        for row in stride(from: 9, to: size.rows, by: 10) {
            for element in row * dimensions..<(row + 1) * dimensions {
                values[element] = values[element - dimensions] + 0.01 * values[element]
            }
        }
        let matrix = try FeatureMatrix(floats: values, count: size.rows, dimensions: dimensions)
        try goOn()
        let kmeans = KMeans(k: k, kind: .miniBatch(), seed: seed)
        let source = try kmeans.source(of: matrix, on: backend)
        var found: KMeansClustering?
        let (clustering, batches) = try median(goOn) {
            let fitted = try kmeans.fit(source, on: backend)
            found = fitted
            return (fitted.startSeconds + fitted.seconds, fitted.iterations)
        }
        guard let found else { return [] }
        let assignment = ClusterAssignment(labels: found.labels, squaredDistances: found.distances, k: k)
        let (comparing, dropped) = try median(goOn) {
            let start = ContinuousClock.now
            let deduplication = try Deduplication(of: source, clustering: assignment, on: backend)
            let redundancy = try deduplication.compare()
            let dropped = try deduplication.dropped(by: redundancy, keeping: redundancy.kept(eps: 0.05))
            return ((ContinuousClock.now - start) / .seconds(1), dropped.count)
        }
        var counts = [Double](repeating: 0, count: k)
        for label in found.labels { counts[Int(label)] += 1 }
        let pairs = counts.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
        let bytes = Double(size.rows * dimensions * MemoryLayout<Float>.stride)
        let shape = "\(size.rows)x\(dimensions), k \(k)"
        return [
            timing("\(shape), clustering, \(batches) batches", clustering, work: [], limits, iterations: batches),
            timing(
                "\(shape), comparing, \(dropped) dropped", comparing,
                work: [(OperationCost(operations: 2 * pairs * Double(dimensions), bytes: bytes), times: 1)], limits),
        ]
    }

    private func timing(
        _ name: String, _ seconds: Double, work: [(OperationCost, times: Double)], _ limits: Roofline,
        iterations: Int? = nil
    ) -> StageTiming {
        var timing = StageTiming(.dedup, name, seconds: seconds, work: work, limits: limits, samples: size.rows)
        (timing.rows, timing.dim, timing.k, timing.iterations) = (size.rows, size.dimensions, k, iterations)
        return timing
    }

    private func lloyd(iterations: Int) -> KMeans {
        KMeans(k: k, kind: .lloyd(iterations: iterations, tolerance: 0), start: .random, seed: seed)
    }

    /// Iterations from a random start, the last assignment included.
    private func lloyd(_ matrix: FeatureMatrix, _ limits: Roofline, _ goOn: () throws -> Void) throws -> StageTiming {
        let source = try kmeans.source(of: matrix, on: backend)
        _ = try lloyd(iterations: 1).fit(source, on: backend)
        let (seconds, iterations) = try median(goOn) {
            let fitted = try kmeans.fit(source, on: backend)
            return (fitted.startSeconds + fitted.seconds, fitted.iterations)
        }
        var timing = StageTiming(
            .lloyd,
            "\(size.rows)x\(size.dimensions), k \(k), \(iterations) iterations\(source.isStreamed ? ", streamed" : "")",
            seconds: seconds,
            work: LloydWork(rows: size.rows, k: k, dimensions: size.dimensions).fit(iterations: iterations),
            limits: limits, samples: size.rows)
        (timing.rows, timing.dim, timing.k, timing.iterations) = (size.rows, size.dimensions, k, iterations)
        return timing
    }

    /// Covariance, eigenvectors and projection, the rows' way to the device included.
    private func pca(_ matrix: FeatureMatrix, _ limits: Roofline, _ goOn: () throws -> Void) throws -> StageTiming {
        func run(_ matrix: FeatureMatrix) throws -> Double {
            let start = ContinuousClock.now
            _ = try PCA.fit(matrix, components: components, on: backend).project(matrix, on: backend)
            try backend.finish()
            return (ContinuousClock.now - start) / .seconds(1)
        }
        // A few rows compile the same kernels.
        let few = min(size.rows, max(1024, size.dimensions))
        _ = try run(
            FeatureMatrix(
                floats: MadeRows.floats(count: few, dimensions: size.dimensions, seed: seed), count: few,
                dimensions: size.dimensions))
        let (seconds, _) = try median(goOn) { (try run(matrix), 0) }
        var timing = StageTiming(
            .pca, "\(size.rows)x\(size.dimensions) to \(components), fit and projection", seconds: seconds,
            work: OperationCost.pca(size.rows, size.dimensions, components, bytes: false).map { ($0, times: 1) },
            limits: limits, samples: size.rows)
        (timing.rows, timing.dim, timing.components) = (size.rows, size.dimensions, components)
        return timing
    }

    /// The median of three runs, or a single one that takes long.
    private func median(_ goOn: () throws -> Void, _ run: () throws -> (seconds: Double, iterations: Int)) throws -> (
        Double, Int
    ) {
        var runs = [try run()]
        try goOn()
        while runs.count < 3, runs[0].seconds < Self.longest {
            runs.append(try run())
            try goOn()
        }
        return runs.sorted { $0.seconds < $1.seconds }[runs.count / 2]
    }

    /// Systems promise memory that they do not have, and end the process that uses it. What the stage needs besides is
    /// looked at by the clustering itself.
    private func checkMemory() throws {
        let bytes = size.rows * size.dimensions * MemoryLayout<Float>.stride
        guard let least = AvailableMemory.shortage(of: bytes) else { return }
        throw Failure(
            "\(size.rows) rows of \(size.dimensions) numbers need \(bytes >> 20) MiB, and \(least.source) has "
                + "\(least.bytes >> 20) MiB left; fewer --rows need less",
            exitCode: 69)
    }
}

extension OperationCost {
    /// Fit and projection. With fewer rows than columns the fit takes the products of rows.
    static func pca(_ rows: Int, _ columns: Int, _ components: Int, bytes: Bool) -> [OperationCost] {
        [
            Covariance.cost(rows: max(rows, columns), columns: min(rows, columns), bytes: bytes),
            PcaProject.cost(rows: rows, columns: columns, components: components, elementSize: bytes ? 1 : 4),
        ]
    }
}
