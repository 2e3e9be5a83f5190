import Compute
import Datasets
import Ranks
import Testing

@testable import Clustering
import Support
import TestSupport

/// Rows of several ranks in one process; tools/check-mpi has several processes.
@Suite struct RowSpreadTests {
    @Test(arguments: [1, 2, 3, 4, 7, 64]) func rangesAreOfWholeChunksAndCoverAllRows(ranks: Int) {
        let chunk = RowSpread.chunkRows
        for total in [64 * chunk, 64 * chunk + 1, 100 * chunk - 1, 1000 * chunk + 77] {
            let ranges = (0..<ranks).map { RowSpread.rows(ofRank: $0, of: ranks, total: total) }
            #expect(ranges[0].lowerBound == 0 && ranges[ranks - 1].upperBound == total)
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            #expect(ranges.allSatisfy { $0.lowerBound % chunk == 0 && !$0.isEmpty })
            let sizes = ranges.map { ($0.count + chunk - 1) / chunk }
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        }
    }

    @Test func everyBlockSizeDividesAChunk() {
        for clusters in [1, 50, 500, 5000, 50_000] {
            for points in [1, 1000, 60_000, 10_000_000] {
                let blockPoints = ClusteringShape.blocks(clusters: clusters, dimensions: 50, points: points).blockPoints
                #expect(RowSpread.chunkRows % blockPoints == 0 && blockPoints % ClusteringShape.blockUnit == 0)
            }
        }
    }

    /// Exact totals of parts add up to those of all points, whatever the parts are.
    @Test(arguments: TestBackends.names, [false, true]) func sumsOfPartsAreThoseOfTheWhole(
        name: String, isCompensated: Bool
    ) throws {
        let backend = try TestBackends.make(name)
        let (count, dimensions, k) = (5 * RowSpread.chunkRows + 77, 5, 13)
        let blobs = Blobs(count: count, dimensions: dimensions, groups: k, seed: 4)
        let labels = (0..<count).map { Int32($0 * 7 % k) }
        let matrix = try FeatureMatrix(floats: blobs.values, count: count, dimensions: dimensions)
        func totals(_ rows: Range<Int>) throws -> [Int64] {
            let sums = try backend.makeClusterSums(
                count: k, dimensions: dimensions, points: count, exponent: 30, compensated: isCompensated)
            try backend.accumulate(
                matrix.part(rows).points(on: backend),
                labels: backend.makeBuffer(Array(labels[rows]), label: "labels"), into: sums, adding: false)
            return try backend.read(sums.totals, count: sums.totalElements)
        }
        let whole = try totals(0..<count)
        for ranks in [2, 3, 5] {
            var sum = [Int64](repeating: 0, count: whole.count)
            for rank in (0..<ranks).reversed() {
                let part = try totals(RowSpread.rows(ofRank: rank, of: ranks, total: count))
                for element in sum.indices { sum[element] += part[element] }
            }
            #expect(sum == whole, "\(ranks) ranks")
        }
        #expect(whole.suffix(k).reduce(0, +) == Int64(count))
    }

    @Test func partsAreRowsOfTheWhole() throws {
        let (count, dimensions) = (50, 3)
        let values = (0..<count * dimensions).map { Float($0 * 37 % 101) - 400 }
        let bytes = values.map { UInt8(clamping: Int($0) + 500) }
        let matrices = [
            try FeatureMatrix(floats: values, count: count, dimensions: dimensions),
            try FeatureMatrix(bytes: bytes, count: count, dimensions: dimensions),
            try FeatureMatrix(
                reader: StoredArray(values, dimensions: dimensions), count: count, dimensions: dimensions),
        ]
        let backend = CPUBackend()
        for matrix in matrices {
            let all = try plain(matrix.points(on: backend), on: backend)
            for rows in [0..<50, 0..<7, 13..<40, 49..<50] {
                let part = matrix.part(rows)
                #expect(part.count == rows.count && part.bound == matrix.bound && part.shift == matrix.shift)
                let found = try plain(part.points(on: backend), on: backend)
                #expect(found == Array(all[rows.lowerBound * dimensions..<rows.upperBound * dimensions]))
                let picked = try part.rows(at: [0, Int32(rows.count - 1)]).points(on: backend)
                #expect(try plain(picked, on: backend) == Array(found.prefix(dimensions) + found.suffix(dimensions)))
            }
        }
    }

    /// Exact integers of bytes, wide sums of floats.
    @Test(arguments: [false, true]) func componentsOfOneRankAreThoseOfAPlainRun(isOfBytes: Bool) throws {
        let (count, dimensions) = (2 * RowSpread.chunkRows + 100, 6)
        var random = RandomStream(seed: 15, run: 0, purpose: .testing)
        let values = (0..<count * dimensions).map { Float(random.nextUniform(0, 200)) * Float($0 % dimensions + 1) / 6 }
        let matrix =
            isOfBytes
            ? try FeatureMatrix(bytes: values.map { UInt8($0) }, count: count, dimensions: dimensions)
            : try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
        let backend = CPUBackend()
        let expected = try PCA.fit(matrix, components: 3, on: backend)
        let found = try PCA.fit(matrix, components: 3, spread: RowSpread(count, over: Communicator()), on: backend)
        #expect(found.components == expected.components && found.mean == expected.mean)
        #expect(found.explainedVariance == expected.explainedVariance)
    }

    /// A column that is far smaller than another keeps its digits.
    @Test func smallColumnsKeepTheirVariance() throws {
        let (count, dimensions) = (10_000, 2)
        var random = RandomStream(seed: 16, run: 0, purpose: .testing)
        let values = (0..<count * dimensions).map { Float(random.nextUniform(-1, 1)) * ($0 % 2 == 0 ? 1e4 : 1e-2) }
        let matrix = try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
        let pca = try PCA.fit(matrix, components: 2, on: CPUBackend())
        for column in 0..<2 {
            let own = stride(from: column, to: values.count, by: dimensions).map { Double(values[$0]) }
            let mean = own.reduce(0, +) / Double(count)
            let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
            // The eigenproblem is solved to its precision times the largest eigenvalue, 2^-53 x 3e7.
            #expect(abs(pca.explainedVariance[column] / variance - 1) < (column == 0 ? 1e-5 : 1e-2))
        }
    }

    /// One rank gives the same result as a plain run.
    @Test func oneRankChangesNoBit() throws {
        let backend = CPUBackend()
        let blobs = Blobs(count: 6000, dimensions: 4, groups: 9, seed: 2)
        let matrix = try FeatureMatrix(floats: blobs.values, count: blobs.count, dimensions: blobs.dimensions)
        let spread = try RowSpread(blobs.count, over: Communicator())
        for (kind, start) in [
            (KMeans.Kind.lloyd(iterations: 5), KMeans.Start.plusPlus), (.spherical(iterations: 5), .plusPlus),
            (.miniBatch(), .plusPlus), (.lloyd(iterations: 5), .parallel()),
        ] {
            let kmeans = KMeans(k: 9, kind: kind, start: start, seed: 6)
            let expected = try kmeans.fit(kmeans.source(of: matrix, on: backend), on: backend)
            let found = try kmeans.fit(kmeans.source(of: matrix, spread: spread, on: backend), on: backend)
            #expect(found.labels == expected.labels && found.distances == expected.distances)
            #expect(found.centroids == expected.centroids && found.inertia == expected.inertia)
        }
    }

    /// No coordinate exceeds the bound that determines the units, also after PCA.
    @Test func boundsHold() throws {
        let backend = CPUBackend()
        let (count, dimensions) = (300, 20)
        var random = RandomStream(seed: 12, run: 0, purpose: .testing)
        let floats = (0..<count * dimensions).map { _ in Float(random.nextUniform(90, 100)) }
        let bytes = (0..<count).flatMap { [UInt8](repeating: $0 % 2 == 0 ? 0 : 255, count: dimensions) }
        for matrix in [
            try FeatureMatrix(floats: floats, count: count, dimensions: dimensions),
            try FeatureMatrix(bytes: bytes, count: count, dimensions: dimensions),
        ] {
            for components in [nil, 1, 20] as [Int?] {
                let pca = try components.map { try PCA.fit(matrix, components: $0, on: backend) }
                let points = try matrix.points(through: pca, atMost: 4096, on: backend)
                let largest = try plain(points, on: backend).reduce(0) { max($0, abs($1)) }
                #expect(Double(largest) <= matrix.bound(through: pca))
                let bounded = try PointSource(points, isDirect: false).bounded(on: backend)
                #expect(bounded.bound == Double(largest))
            }
        }
    }

    /// One rank checks samples with the same result as a plain run.
    @Test func samplesOfOneRankAreThoseOfAPlainRun() throws {
        let (count, dimensions) = (5000, 3)
        var values = (0..<count * dimensions).map { Float($0 * 37 % 101) - 40 }
        values[777 * dimensions + 1] = -99
        let spread = try RowSpread(count, over: Communicator())
        func ofRank(_ samples: SampleSet) throws(ClusteringError) -> FeatureMatrix {
            try FeatureMatrix(samples, named: "the samples", forComponents: false, spread: spread)
        }
        let folder = try TemporaryFolder()
        func stored() throws -> SampleSet {
            try NumPy.write(values, shape: [count, dimensions], to: folder / "X.npy")
            return SampleSet(try Features.open([folder / "X.npy"]))
        }
        let floats = try stored()
        let bytes = try SampleSet(
            pixels: values.map { UInt8(clamping: Int($0) + 50) }, labels: [UInt8](repeating: 0, count: count),
            height: 1, width: dimensions)
        for samples in [floats, bytes] {
            let (plain, found) = (try FeatureMatrix(samples), try ofRank(samples))
            #expect(found.shift == plain.shift && found.largest == plain.largest && found.bound == plain.bound)
        }
        #expect(try ofRank(floats).largest.row == 777)
        values[4999 * dimensions] = .nan
        let damaged = try stored()
        let error = #expect(throws: ClusteringError.self) { try ofRank(damaged) }
        #expect(error.map { "\($0)" } == "\(ClusteringError.notFinite(row: 4999, column: 0))")
    }

    @Test func moreRanksThanChunksAreRefusedInASentence() {
        let error = ClusteringError.tooManyRanks(ranks: 9, rows: 10_000, accepted: 3)
        #expect(error.category == .usage && error.isShared)
        #expect(
            error.description
                == "9 ranks are too many for 10000 rows, which are spread in chunks of 4096; 1 to 3 are accepted")
        let difference = ClusteringError.differentRows(
            name: "the samples of X.npy", rows: 4096..<8192, owner: 1, other: 0)
        #expect(difference.category == .badData && difference.isShared)
        #expect(
            difference.description
                == "the ranks differ in the samples of X.npy: rank 1 has other values in rows 4096 to 8191 (counted from 0) "
                + "than rank 0; all ranks must have the same")
    }
}
