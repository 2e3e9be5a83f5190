import Compute
import Datasets
import Testing

@testable import Clustering
import Support
import TestSupport

/// k-means of values that lie far from the origin or in groups far from each other, against k-means in double precision.
@Suite struct FarFromOriginTests {
    /// Groups of uniform values, point i being of group i mod 4: `spread` around centres that are some spreads apart, all of
    /// it `offset` spreads from the origin.
    private struct Planted {
        static let (count, dimensions, groups) = (600, 3, 4)
        /// The values as the type rounds them.
        let values: [Double]
        let reader: StoredArray
        let spread: Double

        init(type: ValueType, offset: Double) {
            var random = RandomStream(seed: 21, run: 0, purpose: .testing)
            // Whole numbers need a spread that they can tell.
            let spread = type == .int64 ? 1e5 : 1
            self.spread = spread
            let exact = (0..<Self.count * Self.dimensions).map { element -> Double in
                let (point, column) = element.quotientAndRemainder(dividingBy: Self.dimensions)
                let centre = column == point % Self.groups % Self.dimensions ? 8.0 * Double(1 + point % Self.groups) : 0
                return spread * (offset * Double(column + 1) + centre + random.nextUniform(-1, 1))
            }
            switch type {
            case .float32:
                let floats = exact.map { Float($0) }
                values = floats.map { Double($0) }
                reader = StoredArray(floats, dimensions: Self.dimensions)
            case .int64:
                values = exact.map { $0.rounded() }
                reader = StoredArray(values.map { Int64($0) }, dimensions: Self.dimensions)
            default:
                values = exact
                reader = StoredArray(exact, dimensions: Self.dimensions)
            }
        }

        /// Lloyd's iterations in double precision from the first points of the groups.
        func lloyd() -> (labels: [Int32], distances: [Double], centroids: [Double]) {
            var centroids = start
            var labels = [Int32](repeating: -1, count: Self.count)
            var distances = [Double](repeating: 0, count: Self.count)
            for _ in 0..<20 {
                for point in 0..<Self.count {
                    let squares = (0..<Self.groups).map { square(point, Array(centroids[row($0)])) }
                    let nearest = squares.indices.min { squares[$0] < squares[$1] } ?? 0
                    (labels[point], distances[point]) = (Int32(nearest), squares[nearest])
                }
                for group in 0..<Self.groups {
                    let members = (0..<Self.count).filter { labels[$0] == group }
                    for column in 0..<Self.dimensions {
                        // From the first member on, so that the truth loses nothing itself.
                        let first = values[members[0] * Self.dimensions + column]
                        let rest = members.reduce(0.0) { $0 + (values[$1 * Self.dimensions + column] - first) }
                        centroids[group * Self.dimensions + column] = first + rest / Double(members.count)
                    }
                }
            }
            return (labels, distances, centroids)
        }

        var start: [Double] { Array(values[..<(Self.groups * Self.dimensions)]) }

        func square(_ point: Int, _ centroid: [Double]) -> Double {
            zip(values[row(point)], centroid).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }

        func row(_ index: Int) -> Range<Int> { index * Self.dimensions..<(index + 1) * Self.dimensions }
    }

    private static let types: [ValueType] = [.float32, .float64, .int64]

    @Test(arguments: TestBackends.names, types) func agreesWithDoublePrecision(name: String, type: ValueType) throws {
        let backend = try TestBackends.make(name)
        for offset in [0, 1e3, 1e6] {
            let data = Planted(type: type, offset: offset)
            let matrix = try FeatureMatrix(reader: data.reader, count: Planted.count, dimensions: Planted.dimensions)
            let due = data.lloyd()
            let kmeans = KMeans(
                k: Planted.groups, kind: .lloyd(iterations: 20, tolerance: 0), start: .given(data.start))
            let unit = ClusteringMemory(matrix: matrix, components: nil, kmeans: kmeans).pieceUnit
            let resident = try kmeans.source(of: matrix, on: backend)
            let streamed = PointSource(streaming: matrix, through: nil, pieceCount: unit)
            #expect(!resident.isStreamed && resident.isDirect && streamed.isDirect)
            for source in [resident, streamed] {
                let found = try kmeans.fit(source, on: backend)
                #expect(found.labels == due.labels, "offset \(offset)")
                #expect(relative(found.distances.map { Double($0) }, due.distances) < 1e-4, "offset \(offset)")
                let inertia = due.distances.reduce(0, +)
                #expect(abs(found.inertia - inertia) < 1e-4 * inertia)
                for (value, truth) in zip(found.absoluteCentroids, due.centroids) {
                    #expect(abs(value - truth) < 2e-6 * 40 * data.spread, "offset \(offset)")
                }
            }
        }
    }

    @Test(arguments: TestBackends.names, types) func miniBatchFindsTheGroups(name: String, type: ValueType) throws {
        let backend = try TestBackends.make(name)
        for offset in [0, 1e3, 1e6] {
            let data = Planted(type: type, offset: offset)
            let matrix = try FeatureMatrix(reader: data.reader, count: Planted.count, dimensions: Planted.dimensions)
            let kmeans = KMeans(k: Planted.groups, kind: .miniBatch(), seed: 3)
            let found = try kmeans.fit(kmeans.source(of: matrix, on: backend), on: backend)
            #expect(Set(found.labels[..<4]).count == 4, "offset \(offset)")
            #expect(found.labels.indices.allSatisfy { found.labels[$0] == found.labels[$0 % 4] }, "offset \(offset)")
            let squares = found.labels.indices.map {
                data.square($0, Array(found.absoluteCentroids[data.row(Int(found.labels[$0]))]))
            }
            #expect(relative(found.distances.map { Double($0) }, squares) < 1e-4, "offset \(offset)")
            let streamed = try kmeans.fit(PointSource(streaming: matrix, through: nil, pieceCount: 256), on: backend)
            #expect(streamed.labels == found.labels && streamed.centroids == found.centroids)
        }
    }

    private func relative(_ found: [Double], _ due: [Double]) -> Double {
        zip(found, due).reduce(0) { max($0, abs($1.0 - $1.1) / max($1.1, .leastNormalMagnitude)) }
    }

    /// One shift brings no more than one of the groups near the origin: in the others distances decide, and sums keep what
    /// float32 drops.
    @Test(arguments: TestBackends.names, [1e3, 1e5]) func groupsFarApartKeepWhatIsInside(
        name: String, distance: Double
    ) throws {
        let backend = try TestBackends.make(name)
        // Three places, four groups at each, ten apart; point i is of group i mod 12.
        var random = RandomStream(seed: 5, run: 0, purpose: .testing)
        let (count, groups) = (3600, 12)
        let values = (0..<count).flatMap { point -> [Double] in
            let (place, inner) = (Double(point % 3 - 1) * distance, Double(point % groups / 3))
            return [place + 10 * inner + random.nextUniform(-1, 1), -place + random.nextUniform(-1, 1)]
        }
        let matrix = try FeatureMatrix(reader: StoredArray(values, dimensions: 2), count: count, dimensions: 2)
        let kmeans = KMeans(
            k: groups, kind: .lloyd(iterations: 5, tolerance: 0), start: .given(Array(values[..<(2 * groups)])))
        for source in [
            try kmeans.source(of: matrix, on: backend), PointSource(streaming: matrix, through: nil, pieceCount: 256),
        ] {
            let found = try kmeans.fit(source, on: backend)
            #expect(found.labels == (0..<count).map { Int32($0 % groups) })
            for group in 0..<groups {
                let members = stride(from: group, to: count, by: groups)
                let mean = members.reduce(0) { $0 + values[2 * $1] } / Double(count / groups)
                #expect(abs(found.absoluteCentroids[2 * group] - mean) < 2e-7 * distance + 1e-5)
            }
        }
    }

    /// A value far away moves a mean, and with it everything else away from the origin.
    @Test(arguments: TestBackends.names) func oneValueFarAwayLeavesTheOthers(name: String) throws {
        let backend = try TestBackends.make(name)
        let values: [Double] = [0, 1, 0, 1, 0.25, 0.75, 1e12]
        let matrix = try FeatureMatrix(reader: StoredArray(values, dimensions: 1), count: 7, dimensions: 1)
        let kmeans = KMeans(k: 3, kind: .lloyd(iterations: 20), start: .given([0, 1, 1e12]))
        let found = try kmeans.fit(kmeans.source(of: matrix, on: backend), on: backend)
        #expect(found.labels == [0, 1, 0, 1, 0, 1, 2])
        for (value, due) in zip(found.absoluteCentroids, [0.25 / 3, 2.75 / 3, 1e12]) {
            #expect(abs(value - due) < 1e-7 * max(due, 1))
        }
    }

    /// Whole numbers beyond 2^53, such as times in nanoseconds.
    @Test func wholeNumbersBeyondDoublePrecision() throws {
        let base: Int64 = 1_700_000_000_000_000_000
        let values = (0..<40).map { base + Int64($0 % 2) * 1000 + Int64($0 / 2) }
        let matrix = try FeatureMatrix(reader: StoredArray(values, dimensions: 1), count: 40, dimensions: 1)
        let kmeans = KMeans(k: 2, kind: .lloyd(iterations: 20), seed: 1)
        let found = try kmeans.fit(kmeans.source(of: matrix, on: CPUBackend()), on: CPUBackend())
        #expect(found.labels[0] != found.labels[1])
        #expect(found.labels.indices.allSatisfy { found.labels[$0] == found.labels[$0 % 2] })
        // 2 · Σ (i - 9.5)² for i from 0 to 19.
        #expect(abs(found.inertia - 1330) < 0.01)
    }

    /// The projection starts from the values as they are stored, and the mean is that of the values.
    @Test(arguments: TestBackends.names, [40, 2]) func principalComponentsFarFromTheOrigin(
        name: String, count: Int
    ) throws {
        let backend = try TestBackends.make(name)
        var random = RandomStream(seed: 8, run: 0, purpose: .testing)
        let near = (0..<count * 3).map { Double($0 % 3 + 1) * random.nextUniform(-1, 1) }
        func fit(offset: Double) throws -> (PCA, [Float]) {
            let values = near.enumerated().map { $1 + offset * Double($0 % 3 + 1) }
            let matrix = try FeatureMatrix(
                reader: StoredArray(values, dimensions: 3), count: count, dimensions: 3)
            let pca = try PCA.fit(matrix, components: 2, on: backend)
            return (pca, try plain(pca.project(matrix, on: backend), on: backend))
        }
        let (here, herePoints) = try fit(offset: 0)
        let (there, therePoints) = try fit(offset: 1e6)
        for column in 0..<3 { #expect(abs(there.mean[column] - here.mean[column] - 1e6 * Double(column + 1)) < 1e-6) }
        #expect(relativeError(therePoints, herePoints) < 1e-5)
        #expect(abs(there.explainedVariance[0] / here.explainedVariance[0] - 1) < 1e-6)
    }
}
