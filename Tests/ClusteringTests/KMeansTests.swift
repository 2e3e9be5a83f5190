import Compute
import Testing

@testable import Clustering
import Support
import TestSupport

/// What k-means must do whatever the data.
@Suite struct KMeansTests {
    /// Tests take both on one backend, which builds each program once.
    private static let kinds: [(name: String, kind: KMeans.Kind)] = [
        ("lloyd", .lloyd(iterations: 20)), ("mini-batch", .miniBatch()),
    ]

    private func uniformPoints(_ count: Int, _ dimensions: Int, seed: UInt64) -> [Float] {
        var random = RandomStream(seed: seed, run: 1, purpose: .testing)
        return (0..<count * dimensions).map { _ in Float(random.nextUniform(-1, 1)) }
    }

    private func points(_ values: [Float], _ dimensions: Int, on backend: any Backend) throws -> Points {
        try FeatureMatrix(floats: values, count: values.count / dimensions, dimensions: dimensions)
            .points(on: backend)
    }

    @Test(arguments: TestBackends.names) func labelsAreNearestAndInertiaIsTheirSum(name: String) throws {
        let backend = try TestBackends.make(name)
        for (seed, shape) in [(300, 7, 10), (257, 3, 61), (65, 33, 7), (17, 5, 16)].enumerated() {
            let (count, d, k) = shape
            let values = uniformPoints(count, d, seed: UInt64(seed))
            for (kindName, kind) in Self.kinds {
                let found = try KMeans(k: k, kind: kind, seed: UInt64(seed))
                    .fit(points(values, d, on: backend), on: backend)
                #expect(found.labels.count == count && found.distances.count == count)
                var wrong: [Int] = []
                for point in 0..<count {
                    let row = values[point * d..<(point + 1) * d]
                    let squares = (0..<k).map { squaredDistance(row, found.centroids[$0 * d..<($0 + 1) * d]) }
                    let mine = squares[Int(found.labels[point])]
                    let isNearest = mine <= (squares.min() ?? 0) + 1e-5
                    let isExact = abs(Double(found.distances[point]) - mine) <= 1e-5 * mine + 1e-12
                    if !isNearest || !isExact { wrong.append(point) }
                }
                #expect(wrong.isEmpty, "\(kindName), points of \(shape)")
                let total = found.distances.reduce(0) { $0 + Double($1) }
                #expect(abs(found.inertia - total) <= 1e-9 * total, "\(kindName), points of \(shape)")
            }
        }
    }

    @Test(arguments: TestBackends.names) func lloydNeverRaisesTheInertiaAndEndsAtMeans(name: String) throws {
        let backend = try TestBackends.make(name)
        let (count, d, k) = (500, 5, 13)
        let values = uniformPoints(count, d, seed: 9)
        let points = try points(values, d, on: backend)
        var before = Double.infinity
        for iterations in [0, 1, 2, 3, 5, 8, 13, 300] {
            let found = try KMeans(k: k, kind: .lloyd(iterations: iterations, tolerance: 0), start: .random, seed: 4)
                .fit(points, on: backend)
            #expect(found.iterations <= iterations)
            #expect(found.inertia <= before * (1 + 1e-6), "after \(iterations) iterations")
            before = found.inertia
            guard iterations == 300 else { continue }
            #expect(found.iterations < 300)
            for cluster in 0..<k {
                let members = (0..<count).filter { found.labels[$0] == cluster }
                for dimension in 0..<d where !members.isEmpty {
                    let mean =
                        members.reduce(0) { $0 + Double(values[$1 * d + dimension]) } / Double(members.count)
                    #expect(abs(Double(found.centroids[cluster * d + dimension]) - mean) < 1e-6)
                }
            }
        }
    }

    @Test(arguments: TestBackends.names) func sphericalCentroidsAreUnitMeansOfTheNearestDirections(name: String) throws
    {
        let backend = try TestBackends.make(name)
        let (count, d, k) = (300, 4, 9)
        var values = uniformPoints(count, d, seed: 8)
        for point in 0..<count {
            let length = values[point * d..<(point + 1) * d].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            for element in point * d..<(point + 1) * d { values[element] = Float(Double(values[element]) / length) }
        }
        let found = try KMeans(k: k, kind: .spherical(iterations: 300, tolerance: 0), seed: 4)
            .fit(points(values, d, on: backend), on: backend)
        #expect(found.iterations > 1 && found.iterations < 300)
        func cosine(_ point: Int, _ centroid: Int) -> Double {
            (0..<d).reduce(0) { $0 + Double(values[point * d + $1]) * Double(found.centroids[centroid * d + $1]) }
        }
        for point in 0..<count {
            let cosines = (0..<k).map { cosine(point, $0) }
            #expect(cosines[Int(found.labels[point])] >= (cosines.max() ?? 0) - 1e-6)
        }
        for cluster in 0..<k {
            let members = (0..<count).filter { found.labels[$0] == cluster }
            let sums = (0..<d).map { dimension in members.reduce(0) { $0 + Double(values[$1 * d + dimension]) } }
            let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for dimension in 0..<d {
                #expect(abs(Double(found.centroids[cluster * d + dimension]) - sums[dimension] / length) < 1e-6)
            }
        }
    }

    @Test func sphericalCentroidsOfPointsThatCancelStay() throws {
        let backend = CPUBackend()
        let found = try KMeans(k: 1, kind: .spherical(iterations: 5), start: .given([0, 1]), seed: 4)
            .fit(points([1, 0, -1, 0], 2, on: backend), on: backend)
        #expect(found.centroids == [0, 1] && found.distances == [2, 2])
    }

    @Test(arguments: TestBackends.names) func toleranceStopsEarlier(name: String) throws {
        let backend = try TestBackends.make(name)
        let points = try points(uniformPoints(800, 4, seed: 2), 4, on: backend)
        func iterations(_ tolerance: Double) throws -> Int {
            try KMeans(k: 20, kind: .lloyd(iterations: 300, tolerance: tolerance), seed: 1)
                .fit(points, on: backend).iterations
        }
        // The variance of a coordinate is 1/3; the first step moves by more than a thousandth of it.
        #expect(try iterations(1e-2) < iterations(0))
        #expect(try iterations(1e6) == 1)
        #expect(try iterations(1e-12) > 1)
    }

    @Test(arguments: TestBackends.names) func oneClusterIsTheMean(name: String) throws {
        let backend = try TestBackends.make(name)
        for (kind, count) in [(KMeans.Kind.lloyd(iterations: 5), 1), (.lloyd(iterations: 5), 61), (.miniBatch(), 1)] {
            let values = uniformPoints(count, 3, seed: 5)
            let found = try KMeans(k: 1, kind: kind).fit(points(values, 3, on: backend), on: backend)
            #expect(found.labels == [Int32](repeating: 0, count: count))
            for dimension in 0..<3 {
                let mean = (0..<count).reduce(0) { $0 + Double(values[$1 * 3 + dimension]) } / Double(count)
                #expect(abs(Double(found.centroids[dimension]) - mean) < 1e-6)
            }
        }
    }

    @Test(arguments: TestBackends.names) func asManyClustersAsPoints(name: String) throws {
        let backend = try TestBackends.make(name)
        for count in [1, 7, 65] {
            let points = try points(uniformPoints(count, 3, seed: 6), 3, on: backend)
            for start in [KMeans.Start.random, .plusPlus] {
                let found = try KMeans(k: count, kind: .lloyd(iterations: 20), start: start, seed: 3)
                    .fit(points, on: backend)
                #expect(found.inertia == 0)
                #expect(Set(found.labels).count == count)
            }
        }
    }

    @Test(arguments: TestBackends.names) func equalPoints(name: String) throws {
        let backend = try TestBackends.make(name)
        let values: [Float] = (0..<600).map { $0 % 2 == 0 ? 3 : -2 }
        for k in [1, 3, 300] {
            for (kindName, kind) in Self.kinds {
                let found = try KMeans(k: k, kind: kind, seed: 8).fit(points(values, 2, on: backend), on: backend)
                #expect(found.inertia == 0, "\(kindName), k \(k)")
                // All centroids are the same point: the lowest index wins.
                #expect(found.labels == [Int32](repeating: 0, count: 300), "\(kindName), k \(k)")
                #expect(found.centroids == Array(values[..<(2 * k)]), "\(kindName), k \(k)")
            }
        }
    }

    @Test(arguments: TestBackends.names) func aClusterWithoutPointsStays(name: String) throws {
        let backend = try TestBackends.make(name)
        let points = try points([0, 0, 0, 1, 9, 9, 9, 8], 2, on: backend)
        let found = try KMeans(
            k: 3, kind: .lloyd(iterations: 20), start: .given([1, 1, 500, -500, 8, 8])
        ).fit(points, on: backend)
        #expect(found.centroids == [0, 0.5, 500, -500, 9, 8.5])
        #expect(found.labels == [0, 0, 2, 2])
        #expect(found.inertia == 1)
    }

    @Test(arguments: TestBackends.names) func theSameSeedGivesTheSameBits(name: String) throws {
        let backend = try TestBackends.make(name)
        let points = try points(uniformPoints(3000, 6, seed: 12), 6, on: backend)
        for (kindName, kind) in Self.kinds {
            func fit(seed: UInt64, run: Int = 0) throws -> KMeansClustering {
                try KMeans(k: 20, kind: kind, seed: seed, run: run).fit(points, on: backend)
            }
            let (first, second) = (try fit(seed: 1), try fit(seed: 1))
            #expect(first.centroids == second.centroids, "\(kindName)")
            #expect(first.labels == second.labels, "\(kindName)")
            #expect(first.distances == second.distances, "\(kindName)")
            #expect(first.iterations == second.iterations, "\(kindName)")
            #expect(try fit(seed: 2).centroids != first.centroids, "\(kindName)")
            #expect(try fit(seed: 1, run: 1).centroids != first.centroids, "\(kindName)")
        }
    }

    @Test(arguments: TestBackends.names) func plusPlusFindsOneCentreABlob(name: String) throws {
        let backend = try TestBackends.make(name)
        for seed in 0..<5 as Range<UInt64> {
            let blobs = Blobs(count: 700, dimensions: 5, groups: 11, seed: seed)
            let points = try blobs.points(on: backend)
            let start = try KMeans(k: 11, kind: .lloyd(iterations: 0), seed: seed).fit(points, on: backend)
            let groups = (0..<11).map { centroid in
                blobs.group(of: start.centroids[(centroid * 5)..<(centroid * 5 + 5)])
            }
            #expect(Set(groups).count == 11)
            for (kindName, kind) in Self.kinds {
                let found = try KMeans(k: 11, kind: kind, seed: seed).fit(points, on: backend)
                // The variance of uniform numbers in -1...1 is a third.
                #expect(found.inertia < 1.1 * 700 * 5 / 3, "\(kindName), seed \(seed)")
                #expect(Set(found.labels[..<11]).count == 11, "\(kindName), seed \(seed)")
                #expect(
                    (0..<700).allSatisfy { found.labels[$0] == found.labels[$0 % 11] }, "\(kindName), seed \(seed)")
            }
        }
    }

    @Test func starvedCentroidsAreTheLightestAndHalfABatchAtMost() {
        #expect(starvedCentroids([0, 100, 0.5, 1, 2], ratio: 0.01, limit: 10) == [0, 2])
        #expect(starvedCentroids([0, 100, 0.5, 0, 2], ratio: 0.5, limit: 3) == [0, 2, 3])
        #expect(starvedCentroids([5, 5], ratio: 0.01, limit: 3).isEmpty)
        #expect(starvedCentroids([0, 0], ratio: 0.01, limit: 3).isEmpty)
        #expect(starvedCentroids([0, 9, 0], ratio: 0.01, limit: 0).isEmpty)
    }

    @Test func miniBatchStopsAfterBatchesWithoutImprovement() {
        // A share of 1: the average is the last batch's inertia. The first batch never counts.
        var progress = MiniBatchProgress(batch: 100, count: 100, patience: 2)
        let stuck = [1.0, 9, 8, 8.5, 7, 7, 7.5].map { progress.isStuck(after: $0) }
        #expect(stuck == [false, false, false, false, false, false, true])
        // 2 · 10 / (99 + 1) of each batch goes into the average.
        var smooth = MiniBatchProgress(batch: 10, count: 99, patience: 1)
        let smoothed = [5.0, 10, 0, 7.9, 8.1].map { smooth.isStuck(after: $0) }
        #expect(smoothed == [false, false, false, false, true])
    }

    /// Starved centroids are placed anew: started beyond everything, they would never get a point otherwise.
    @Test(arguments: TestBackends.names) func miniBatchReseedsStarvedCentroids(name: String) throws {
        let backend = try TestBackends.make(name)
        let blobs = Blobs(count: 2000, dimensions: 4, groups: 4, seed: 3)
        let far = (0..<4).flatMap { centroid in (0..<4).map { _ in centroid == 0 ? 0 : 1e6 } }
        var settings = KMeans.MiniBatch()
        settings.batch = 100
        let found = try KMeans(k: 4, kind: .miniBatch(settings), start: .given(far), seed: 1)
            .fit(blobs.points(on: backend), on: backend)
        #expect(Set(found.labels).count > 1)
        #expect(found.centroids.allSatisfy { abs($0) < 1000 })
    }
}
