import Compute
import Datasets
import Testing

@testable import Clustering
import Support
import TestSupport

@Suite struct AdjustedRandIndexTests {
    /// scikit-learn's documented cases, and ones by hand: of 6 pairs, [0, 0, 1, 1] and [0, 1, 0, 1] have 2 and 2 together and
    /// none in common; 2/3 are expected: (0 - 2/3) / (2 - 2/3) = -1/2.
    @Test func knownCases() {
        let cases: [(one: [Int32], other: [Int32], expected: Double)] = [
            ([0, 0, 1, 1], [1, 1, 0, 0], 1), ([0, 0, 1, 1], [0, 0, 1, 2], 4.0 / 7),
            ([0, 0, 1, 2], [0, 0, 1, 1], 4.0 / 7), ([0, 0, 0, 0], [0, 1, 2, 3], 0),
            ([0, 0, 1, 1], [0, 1, 0, 1], -0.5),
            ([2, 2, 2], [0, 0, 0], 1), ([0], [3], 1), ([0, 1, 2, 3], [3, 2, 1, 0], 1), ([], [], 1),
        ]
        for entry in cases {
            let found = adjustedRandIndex(entry.one, entry.other, k: 4)
            #expect(abs(found - entry.expected) < 1e-12, "\(entry.one), \(entry.other)")
        }
    }

    @Test(arguments: ["pixels", "floats"]) func isScikitLearns(_ data: String) throws {
        let labels = try ["lloyd_labels", "labels"].map { part in
            try fixture("\(data)_\(part)").integers().map { Int32($0) }
        }
        let expected = try silhouetteFixture("\(data)_rand").doubles[0]
        let k = Int(labels.flatMap { $0 }.max() ?? 0) + 1
        #expect(abs(adjustedRandIndex(labels[0], labels[1], k: k) - expected) < 1e-12)
        #expect(expected < 0.99)
    }
}

@Suite struct SilhouetteTests {
    @Test(arguments: ["pixels", "floats"]) func areScikitLearns(_ data: String) throws {
        let points = try fixture("\(data)_points")
        let (count, dimensions) = (points.shape[0], points.shape[1])
        let sample = Silhouette(
            count: count, dimensions: dimensions, random: RandomStream(seed: 4, run: 2, purpose: .clustering))
        // Few points are all scored.
        #expect(sample.scored == count && Set(sample.points).count == count && sample.points != sample.points.sorted())
        let rows = HostRows(points.floats, count: count, dimensions: dimensions).gathered(sample.points.map(Int.init))
        let parts = [("lloyd_labels", "silhouettes"), ("labels", "start")]
        let labels = try parts.map { part, _ in
            sample.labels(of: try fixture("\(data)_\(part)").integers().map { Int32($0) })
        }
        let ks = labels.map { Int($0.max() ?? 0) + 1 }
        for ((_, part), found) in zip(parts, sample.values(of: rows, labels: labels, ks: ks)) {
            let expected = try silhouetteFixture("\(data)_\(part)").doubles
            #expect(found.count == count)
            let error = zip(sample.points, found).map { abs(expected[Int($0)] - Double($1)) }.max() ?? 1
            #expect(error < 2e-6, "\(part)")
        }
    }

    /// Of many points a part is scored against a larger part: the formula in double precision.
    @Test func ofASample() {
        let (count, dimensions, k) = (12_500, 2, 5)
        let values = uniform(count, dimensions, seed: 3)
        let all = (0..<count).map { point -> Int32 in
            if point % 97 == 0 { return 4 }
            return values[point * 2] < 0.2 ? 0 : Int32(1 + point % 3)
        }
        let sample = Silhouette(
            count: count, dimensions: dimensions, random: RandomStream(seed: 1, run: 2, purpose: .clustering))
        #expect(sample.scored == 2_000 && sample.compared == 10_000)
        let rows = HostRows(values, count: count, dimensions: dimensions).gathered(sample.points.map(Int.init))
        let labels = sample.labels(of: all)
        let found = sample.values(of: rows, labels: [labels], ks: [k])[0]
        for point in stride(from: 0, to: sample.scored, by: 137) {
            var sums = [Double](repeating: 0, count: k)
            var sizes = [Double](repeating: 0, count: k)
            for other in 0..<sample.compared where other != point {
                sums[Int(labels[other])] += squaredDistance(rows[point], rows[other]).squareRoot()
                sizes[Int(labels[other])] += 1
            }
            let own = Int(labels[point])
            let within = sums[own] / sizes[own]
            let nearest = (0..<k).filter { $0 != own }.map { sums[$0] / sizes[$0] }.min() ?? 0
            #expect(abs(Double(found[point]) - (nearest - within) / max(within, nearest)) < 1e-5)
        }
    }

    @Test func pointsAloneHaveNoneAndCopiesAreZero() {
        let sample = Silhouette(count: 4, dimensions: 1, random: RandomStream(seed: 1, run: 2, purpose: .clustering))
        let values: [Float] = [0, 1, 5, 5]
        let rows = HostRows(sample.points.map { values[Int($0)] }, count: 4, dimensions: 1)
        func silhouettes(_ labels: [Int32]) -> [Float] {
            let found = sample.values(of: rows, labels: [sample.labels(of: labels)], ks: [4])[0]
            if found.isEmpty { return [] }
            return (0..<4).map { point in found[sample.points.firstIndex(of: Int32(point)) ?? 0] }
        }
        // a = 1 and b = 5; a = 1 and b = 4; the copies have a = 0.
        #expect(silhouettes([0, 0, 1, 1]) == [0.8, 0.75, 1, 1])
        // The last two are the only points of their clusters.
        #expect(silhouettes([0, 0, 1, 3]) == [0.8, 0.75, 0, 0])
        #expect(silhouettes([2, 2, 2, 2]).isEmpty)
    }

    @Test func wideRowsAreCompared() {
        #expect(Silhouette.compared(of: 1 << 20, dimensions: 768) == 10_000)
        #expect(Silhouette.compared(of: 1 << 20, dimensions: 8192) == 4096)
        #expect(Silhouette.compared(of: 1 << 20, dimensions: 1 << 20) == 1000)
        #expect(Silhouette.compared(of: 7, dimensions: 1 << 20) == 7)
    }
}

private func silhouetteFixture(_ name: String) throws -> NumPyArray {
    try NumPyArray.read(Fixtures.path("silhouette/\(name).npy"))
}

/// Numbers from 0 to below 1.
func uniform(_ count: Int, _ dimensions: Int, seed: UInt64) -> [Float] {
    var random = RandomStream(seed: seed, run: 0, purpose: .testing)
    return (0..<count * dimensions).map { _ in Float(random.nextUnit()) }
}
