import Compute
import Testing

@testable import Clustering
import Support
import TestSupport

/// The k-means|| start. tools/check-mpi has it on several ranks.
@Suite struct ParallelStartTests {
    /// Whole numbers, whose distances and sums are exact: groups of several sizes, some of them equal points.
    private struct WholePoints {
        let values: [Float]
        let count: Int
        let dimensions: Int

        init(_ count: Int, _ dimensions: Int, groups: Int, seed: UInt64) {
            var random = RandomStream(seed: seed, run: 0, purpose: .testing)
            var values: [Float] = []
            for point in 0..<count {
                let group = point * point % groups
                for column in 0..<dimensions {
                    let centre = 20 + 13 * (group * (column + 3) % 7)
                    values.append(Float(centre + random.nextIndex(below: group % 3 == 0 ? 1 : 8)))
                }
            }
            self.values = values
            self.count = count
            self.dimensions = dimensions
        }

        func square(_ one: Int, _ other: Int) -> Double {
            var sum = 0.0
            for column in 0..<dimensions {
                let difference = Double(values[one * dimensions + column] - values[other * dimensions + column])
                sum += difference * difference
            }
            return sum
        }

        func matrix(isOfBytes: Bool) throws -> FeatureMatrix {
            isOfBytes
                ? try FeatureMatrix(bytes: values.map { UInt8($0) }, count: count, dimensions: dimensions)
                : try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
        }
    }

    /// k-means|| as in the paper, in plain loops; returns the chosen points and the number of candidates.
    private func plainStart(_ points: WholePoints, _ kmeans: KMeans, _ settings: KMeans.ParallelStartSettings) -> (
        chosen: [Int], candidates: Int
    ) {
        var random = kmeans.random
        let generator = Philox4x32(key: random.next())
        var candidates: [Int] = []
        var squares = [Double](repeating: .infinity, count: points.count)
        var nearest = [Int](repeating: 0, count: points.count)
        func add(_ new: [Int]) {
            for candidate in new {
                for point in 0..<points.count {
                    let square = points.square(point, candidate)
                    if square < squares[point] { (squares[point], nearest[point]) = (square, candidates.count) }
                }
                candidates.append(candidate)
            }
        }
        add([random.nextIndex(below: points.count)])
        var round = 0
        while true {
            let cost = squares.reduce(0, +)
            guard cost > 0, round < settings.rounds || candidates.count < kmeans.k else { break }
            let missing = round < settings.rounds ? 0 : Double(kmeans.k - candidates.count)
            let wanted = max(settings.oversampling * Double(kmeans.k), missing)
            let drawn = (0..<points.count).filter { point in
                let words = generator.block(SIMD4(UInt32(point), UInt32(round), 0, 0))
                let uniform = Double((UInt64(words.x) | UInt64(words.y) << 32) >> 11) * 0x1p-53
                return uniform * cost < wanted * squares[point]
            }
            add(drawn)
            round += 1
        }
        var choices = RandomStream(seed: random.next(), run: 0, purpose: .clustering)
        var weights = [Double](repeating: 0, count: candidates.count)
        for candidate in nearest { weights[candidate] += 1 }
        let chosen = plainPlusPlus(
            centres: kmeans.k, weights: weights, trials: kmeans.startCandidates,
            square: { points.square(candidates[$0], candidates[$1]) }, uniform: { choices.nextUnit() })
        return (chosen.map { candidates[Int($0)] }, candidates.count)
    }

    @Test(arguments: TestBackends.names) func choosesWhatPlainLoopsChoose(name: String) throws {
        let backend = try TestBackends.make(name)
        // The last shape has enough candidates per round for a coarse search.
        for (seed, shape) in [(700, 3, 7), (1, 5, 1), (61, 2, 30), (2000, 17, 150), (1200, 40, 600)].enumerated() {
            let (count, dimensions, k) = shape
            let points = WholePoints(count, dimensions, groups: 23, seed: UInt64(seed))
            var settings = KMeans.ParallelStartSettings()
            if seed == 0 { settings.oversampling = 2 }
            let kmeans = KMeans(k: k, kind: .lloyd(iterations: 0), start: .parallel(settings), seed: UInt64(seed) + 40)
            let (chosen, candidates) = plainStart(points, kmeans, settings)
            #expect(candidates <= settings.mostCandidates(k: k))
            let expected = chosen.flatMap { row in
                points.values[row * dimensions..<(row + 1) * dimensions].map { Double($0) }
            }
            for isOfBytes in [false, true] {
                let source = try kmeans.source(of: points.matrix(isOfBytes: isOfBytes), on: backend)
                let found = try kmeans.fit(source, on: backend)
                #expect(found.absoluteCentroids == expected, "\(shape), bytes \(isOfBytes)")
            }
        }
    }

    @Test func searchesAreExpectedAsTheSettingsSay() {
        var settings = KMeans.ParallelStartSettings()
        #expect(settings.expectedSearches(k: 50_000, of: 1_000_000_000) == [1] + [Int](repeating: 25_000, count: 5))
        #expect(settings.expectedSearches(k: 8, of: 8192) == [1, 4, 4, 4, 4, 4])
        // Half a point, rounded up and down by turns.
        #expect(settings.expectedSearches(k: 3, of: 100) == [1, 2, 1, 2, 1, 2])
        // All points are candidates before the last rounds.
        #expect(settings.expectedSearches(k: 6, of: 6) == [1, 3, 2])
        #expect(settings.expectedSearches(k: 1, of: 1) == [1])
        // A round more for those that are missing.
        (settings.rounds, settings.oversampling) = (1, 0.25)
        #expect(settings.expectedSearches(k: 100, of: 1000) == [1, 25, 74])
    }

    /// As many candidates as expected, within six standard deviations, where no point is sure to be drawn.
    @Test func asManyCandidatesAsExpected() {
        let settings = KMeans.ParallelStartSettings()
        let points = WholePoints(4000, 4, groups: 23, seed: 9)
        for seed in 0..<3 as Range<UInt64> {
            let kmeans = KMeans(k: 60, kind: .lloyd(iterations: 0), start: .parallel(settings), seed: seed)
            let expected = settings.expectedSearches(k: 60, of: points.count).reduce(0, +)
            let (_, found) = plainStart(points, kmeans, settings)
            #expect(expected == 151 && abs(Double(found - expected)) < 6 * 150.0.squareRoot(), "\(found)")
        }
    }

    /// A subset of 16,384 points misses most of these groups; k-means|| finds all of them.
    @Test(arguments: TestBackends.names) func findsSmallGroups(name: String) throws {
        let backend = try TestBackends.make(name)
        let (count, dimensions, groups) = (60_000, 4, 40)
        for seed in 0..<3 as Range<UInt64> {
            var random = RandomStream(seed: seed, run: 0, purpose: .testing)
            var values = (0..<count * dimensions).map { _ in Float(random.nextUniform(-1, 1)) }
            for group in 1..<groups {
                // Two points each.
                for point in [group * 1471, group * 1471 + 1] {
                    values[point * dimensions + group % dimensions] += Float(1000 * group)
                }
            }
            let points = try FeatureMatrix(floats: values, count: count, dimensions: dimensions).points(on: backend)
            func inertia(_ start: KMeans.Start, iterations: Int) throws -> Double {
                try KMeans(k: groups, kind: .lloyd(iterations: iterations, tolerance: 0), start: start, seed: seed)
                    .fit(points, on: backend).inertia
            }
            // The sum over the large group is about count x dimensions / 3.
            #expect(try inertia(.parallel(), iterations: 2) < Double(count * dimensions))
            #expect(try inertia(.plusPlus, iterations: 2) > Double(count * dimensions))
        }
    }

    /// On groups of equal size it is no worse than k-means++ on a subset, over several seeds, before and after Lloyd's
    /// iterations.
    @Test func isAsGoodAsASubset() throws {
        let backend = CPUBackend()
        let blobs = Blobs(count: 24_000, dimensions: 6, groups: 60, seed: 2)
        let points = try blobs.points(on: backend)
        for iterations in [0, 5] {
            func inertia(_ start: KMeans.Start) throws -> Double {
                try (0..<5 as Range<UInt64>).reduce(0) { sum, seed in
                    try sum
                        + KMeans(k: 60, kind: .lloyd(iterations: iterations, tolerance: 0), start: start, seed: seed)
                        .fit(points, on: backend).inertia
                }
            }
            let (parallel, subset) = (try inertia(.parallel()), try inertia(.plusPlus))
            // If both find all groups, the centroids are random points of these at first (one standard deviation of the ratio
            // is 1.5%), and their means after Lloyd's iterations.
            #expect(parallel <= (iterations == 0 ? 1.1 : 1.001) * subset, "after \(iterations) iterations")
        }
    }

    @Test(arguments: TestBackends.names) func equalPoints(name: String) throws {
        let backend = try TestBackends.make(name)
        let values: [Float] = (0..<600).map { $0 % 2 == 0 ? 3 : -2 }
        let points = try FeatureMatrix(floats: values, count: 300, dimensions: 2).points(on: backend)
        for k in [1, 3, 300] {
            let found = try KMeans(k: k, kind: .lloyd(iterations: 20), start: .parallel(), seed: 8)
                .fit(points, on: backend)
            #expect(found.inertia == 0)
            #expect(found.labels == [Int32](repeating: 0, count: 300))
            #expect(found.centroids == Array(values[..<(2 * k)]))
        }
    }

    /// With fewer different points than clusters, all of them are centroids, some more than once.
    @Test func fewDifferentPoints() throws {
        let backend = CPUBackend()
        let points = try FeatureMatrix(floats: (0..<700).map { Float($0 % 7) }, count: 700, dimensions: 1)
            .points(on: backend)
        let found = try KMeans(k: 20, kind: .lloyd(iterations: 5), start: .parallel(), seed: 2).fit(points, on: backend)
        #expect(found.inertia == 0 && Set(found.centroids) == Set((0..<7).map { Float($0) }))
    }

    /// Every round draws only the furthest point, so there are as many rounds as needed.
    @Test(arguments: [1, 7, 40]) func moreRoundsWhereAFewPointsHaveAllTheCost(count: Int) throws {
        let backend = CPUBackend()
        var values = [Float](repeating: 0, count: count)
        for point in 1..<max(1, count) { values[point] = 2.5 * values[point - 1] + 1 }
        let points = try FeatureMatrix(floats: values, count: count, dimensions: 1).points(on: backend)
        let found = try KMeans(k: count, kind: .lloyd(iterations: 0), start: .parallel(), seed: 4)
            .fit(points, on: backend)
        #expect(Set(found.labels).count == count && found.inertia == 0)
    }

    @Test(arguments: TestBackends.names) func theSameSeedGivesTheSameBits(name: String) throws {
        let backend = try TestBackends.make(name)
        let points = try Blobs(count: 3000, dimensions: 6, groups: 50, seed: 3).points(on: backend)
        for kind in [KMeans.Kind.lloyd(iterations: 3), .miniBatch(), .spherical(iterations: 3)] {
            func fit(seed: UInt64, run: Int = 0) throws -> [Float] {
                try KMeans(k: 20, kind: kind, start: .parallel(), seed: seed, run: run).fit(points, on: backend)
                    .centroids
            }
            let first = try fit(seed: 1)
            #expect(try fit(seed: 1) == first)
            #expect(try fit(seed: 2) != first)
            #expect(try fit(seed: 1, run: 1) != first)
        }
    }

    @Test func startsOfManyClustersAreParallelUnlessGiven() {
        func name(_ kmeans: KMeans) -> String { String("\(kmeans.start)".prefix { $0 != "(" }) }
        #expect(name(KMeans(k: 10_000, kind: .lloyd(iterations: 1))) == "plusPlus")
        #expect(name(KMeans(k: 10_001, kind: .lloyd(iterations: 1))) == "parallel")
        #expect(name(KMeans(k: 10_001, kind: .spherical(iterations: 1))) == "parallel")
        #expect(name(KMeans(k: 10_001, kind: .miniBatch())) == "plusPlus")
        #expect(name(KMeans(k: 10_001, kind: .lloyd(iterations: 1), start: .plusPlus)) == "plusPlus")
        #expect(name(KMeans(k: 10_001, kind: .lloyd(iterations: 1), start: .random)) == "random")
    }

    @Test func settingsOutOfRangeAreRefused() throws {
        let points = try Blobs(count: 10, dimensions: 2, groups: 2, seed: 3).points(on: CPUBackend())
        for (rounds, oversampling) in [(0, 0.5), (5, 0), (5, -1), (5, .nan), (5, 1000)] {
            var settings = KMeans.ParallelStartSettings()
            (settings.rounds, settings.oversampling) = (rounds, oversampling)
            let kmeans = KMeans(k: 2, kind: .lloyd(iterations: 1), start: .parallel(settings))
            #expect { try kmeans.fit(points, on: CPUBackend()) } throws: {
                ($0 as? ClusteringError)?.category == .usage && "\($0)".contains("oversampling")
            }
        }
    }

    /// The memory includes the candidates: 2.5k of them, and those of a round.
    @Test func memoryHasTheCandidates() throws {
        let (count, dimensions, k) = (200_000, 8, 20_000)
        let matrix = try FeatureMatrix(
            bytes: [UInt8](repeating: 0, count: count * dimensions), count: count, dimensions: dimensions)
        func need(_ start: KMeans.Start) -> (streamed: Int, host: Int) {
            let memory = ClusteringMemory(
                matrix: matrix, components: nil, kmeans: KMeans(k: k, kind: .lloyd(iterations: 1), start: start))
            return (memory.streamed(pieceCount: memory.pieceUnit), memory.hostResident)
        }
        let (parallel, random) = (need(.parallel()), need(.random))
        let candidates = k * 5 / 2 * 4 * dimensions
        #expect(parallel.streamed > random.streamed + candidates && parallel.host > random.host + candidates)
        #expect(parallel.streamed < random.streamed + 20 * candidates)
    }
}
