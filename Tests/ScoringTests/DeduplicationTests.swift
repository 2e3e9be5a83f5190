import Compute
import Foundation
import Pruning
import Support
import TestSupport
import Testing

@testable import Clustering
@testable import Scoring

@Suite struct DeduplicationTests {
    /// Rows with planted copies, near-copies and rows of zeros, in clusters at random: the first `old` are the old set.
    private struct Planted {
        let dimensions: Int
        let old: Int
        let values: [Float]
        let clustering: ClusterAssignment
        /// Numbers with ties, one per new row.
        let scores: [Float]

        var count: Int { clustering.labels.count }

        init(_ count: Int, _ dimensions: Int, k: Int, old: Int, seed: UInt64) {
            var random = RandomStream(seed: seed, run: 0, purpose: .testing)
            var values = (0..<count * dimensions).map { _ in Float(random.nextUniform(-1, 1)) }
            // A third is near another row: a copy, twice its length, or a little off.
            for row in 1..<max(1, count) where row % 3 == 0 {
                let (from, kind) = (random.nextIndex(below: row), random.nextIndex(below: 3))
                for column in 0..<dimensions {
                    let value = values[from * dimensions + column]
                    values[row * dimensions + column] =
                        kind == 0 ? value : kind == 1 ? 2 * value : value + Float(random.nextUniform(-1e-3, 1e-3))
                }
            }
            for row in 0..<count where row % 29 == 5 {
                for column in 0..<dimensions { values[row * dimensions + column] = 0 }
            }
            self.dimensions = dimensions
            self.old = old
            self.values = values
            clustering = ClusterAssignment(
                labels: (0..<count).map { k == count ? Int32($0) : Int32(random.nextIndex(below: k)) },
                squaredDistances: (0..<count).map { _ in Float(random.nextIndex(below: 20)) }, k: k)
            scores = (0..<count - old).map { _ in Float(random.nextIndex(below: 10)) }
        }

        func source(on backend: any Backend, streamed: Bool = false) throws -> PointSource {
            let matrix = try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
            return streamed
                ? PointSource(streaming: matrix, through: nil, pieceCount: ClusteringShape.blockUnit)
                : PointSource(try matrix.points(on: backend), isDirect: true)
        }

        func isZero(_ row: Int) -> Bool {
            values[row * dimensions..<(row + 1) * dimensions].allSatisfy { $0 == 0 }
        }

        /// 1 - the cosine of two rows, in double precision; 1 where one is zeros.
        func gap(_ one: Int, _ other: Int) -> Double {
            func unit(_ row: Int) -> [Double] {
                let own = values[row * dimensions..<(row + 1) * dimensions].map { Double($0) }
                let length = own.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return own.map { $0 / length }
            }
            if isZero(one) || isZero(other) { return 1 }
            return zip(unit(one), unit(other)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 2
        }

        /// The members of a row's cluster that come before it.
        func earlier(than row: Int, _ order: Deduplication.Order) -> [Int] {
            func isBefore(_ one: Int, _ other: Int) -> Bool {
                if (one < old) != (other < old) || other < old { return one < other }
                let keys: (Float, Float)
                switch order {
                case .furthest:
                    keys = (-clustering.squaredDistances[one], -clustering.squaredDistances[other])
                case .closest: keys = (clustering.squaredDistances[one], clustering.squaredDistances[other])
                case .first: keys = (0, 0)
                case .score(let scores): keys = (-scores[one - old], -scores[other - old])
                }
                return keys.0 != keys.1 ? keys.0 < keys.1 : one < other
            }
            return (0..<count).filter { clustering.labels[$0] == clustering.labels[row] && isBefore($0, row) }
        }

        /// 1 - the largest cosine of each new row to an earlier one, in the plainest way.
        func gaps(_ order: Deduplication.Order) -> [Double] {
            (old..<count).map { row in
                isZero(row) ? .infinity : earlier(than: row, order).map { gap(row, $0) }.min() ?? .infinity
            }
        }
    }

    /// Holds what is dropped for what against brute force.
    private func check(
        _ dropped: [DroppedPoint], of planted: Planted, keeping kept: [Int], _ comment: String
    ) {
        let stays = Set(0..<planted.old).union(kept.map { $0 + planted.old })
        #expect(
            dropped.map { Int($0.point) }
                == (0..<planted.count - planted.old).filter { !stays.contains($0 + planted.old) })
        for row in dropped {
            let point = Int(row.point) + planted.old
            let gaps = stays.filter { planted.clustering.labels[$0] == planted.clustering.labels[point] }
                .map { planted.gap(point, $0) }
            guard let least = gaps.min() else {
                #expect(row.kept == -1 && row.gap == .infinity, "\(comment)")
                continue
            }
            guard row.kept >= 0 else {
                Issue.record("row \(row.point) is dropped for none: \(comment)")
                continue
            }
            #expect(stays.contains(Int(row.kept)), "\(comment)")
            #expect(planted.clustering.labels[Int(row.kept)] == planted.clustering.labels[point], "\(comment)")
            #expect(abs(row.gap - least) <= 1e-13, "\(comment)")
            #expect(abs(planted.gap(point, Int(row.kept)) - least) <= 1e-13, "\(comment)")
        }
    }

    private static let shapes: [(count: Int, dimensions: Int, k: Int, old: Int)] = [
        (1, 1, 1, 0), (2, 1, 1, 0), (2, 3, 1, 1), (7, 2, 1, 3), (7, 4, 7, 2), (7, 5, 2, 6), (47, 3, 1, 0),
        (49, 16, 1, 20), (191, 3, 1, 0), (193, 7, 2, 0), (193, 5, 1, 100), (210, 17, 9, 30),
    ]

    @Test(arguments: shapes, [1, 2] as [UInt64])
    func whatIsDroppedIsWhatBruteForceDrops(
        _ shape: (count: Int, dimensions: Int, k: Int, old: Int), _ seed: UInt64
    ) throws {
        let backend = CPUBackend()
        let planted = Planted(shape.count, shape.dimensions, k: shape.k, old: shape.old, seed: seed)
        for order in [Deduplication.Order.furthest, .closest, .first, .score(planted.scores)] {
            let truth = planted.gaps(order)
            var whole: Redundancy?
            for rowsAtOnce in [1000, 2, 5, 48, 97] {
                let comment = "\(shape), \(order), \(rowsAtOnce) rows at once"
                let deduplication = try Deduplication(
                    of: planted.source(on: backend, streamed: rowsAtOnce == 48), clustering: planted.clustering,
                    old: planted.old, order: order, rowsAtOnce: rowsAtOnce, on: backend)
                let found = try deduplication.compare()
                for (gap, expected) in zip(found.gaps, truth) {
                    #expect(gap == expected || abs(gap - expected) <= 1e-13, "\(comment)")
                }
                #expect(found.zeroCount == (planted.old..<planted.count).count { planted.isZero($0) }, "\(comment)")
                // However few rows are in memory.
                if let whole { #expect(found.gaps == whole.gaps && found.nearest == whole.nearest, "\(comment)") }
                whole = whole ?? found
                for eps in [1e-9, 1e-3, 0.3, 1] {
                    let kept = try found.kept(eps: eps)
                    // None of these gaps is within rounding of eps.
                    #expect(
                        kept.sorted() == truth.indices.filter { truth[$0] >= eps - 1e-12 }, "\(comment), eps \(eps)")
                    #expect(found.dropped(at: [eps]) == [truth.count - kept.count])
                    check(try deduplication.dropped(by: found, keeping: kept), of: planted, keeping: kept, comment)
                }
                for size in Set([1, truth.count / 2, truth.count - 1, truth.count]) where size > 0 {
                    let kept = found.kept(size: size)
                    #expect(kept.count == size && Set(kept).count == size)
                    let outside = Set(truth.indices).subtracting(kept)
                    let least = kept.map { truth[$0] }.min() ?? 0
                    #expect(outside.allSatisfy { truth[$0] <= least + 1e-12 }, "\(comment), size \(size)")
                    check(try deduplication.dropped(by: found, keeping: kept), of: planted, keeping: kept, comment)
                }
            }
        }
    }

    @Test(arguments: TestBackends.names) func furthestFirstDropsWhatTheScoreDrops(name: String) throws {
        let backend = try TestBackends.make(name)
        let planted = Planted(400, 9, k: 3, old: 0, seed: 7)
        let matrix = try FeatureMatrix(floats: planted.values, count: planted.count, dimensions: planted.dimensions)
        var input = ScoreInput(count: planted.count, points: try matrix.points(on: backend), backend: backend)
        input.clustering = planted.clustering
        let scores = try Score.semdedup.values(input)
        let redundancy = try Deduplication(
            of: planted.source(on: backend), clustering: planted.clustering, on: backend
        ).compare()
        for (row, score) in scores.enumerated() where !planted.isZero(row) {
            #expect(score == 0 - Float(min(2, redundancy.gaps[row])))
        }
        for eps in [1e-7, 1e-4, 0.05, 0.5] {
            let kept = try redundancy.kept(eps: eps)
            #expect(Set(kept) == Set(scores.indices.filter { Double(scores[$0]) <= -eps }))
            #expect(kept.count == (try Score.semdedupCount(scores, eps: eps)))
        }
        // Exactly at a threshold, where float32 decides.
        let gap = try #require(redundancy.gaps.first { $0 > 1e-7 && $0 < 1 })
        let eps = Double(Float(gap))
        #expect(Set(try redundancy.kept(eps: eps)) == Set(scores.indices.filter { Double(scores[$0]) <= -eps }))
    }

    /// Several processes that share the clusters find together what one process finds.
    @Test(arguments: [1, 2, 3, 7, 12]) func clustersOfSeveralProcessesAreThoseOfOne(ranks: Int) throws {
        let backend = CPUBackend()
        for (shape, seed) in zip(Self.shapes, UInt64(1)...) {
            let planted = Planted(shape.count, shape.dimensions, k: shape.k, old: shape.old, seed: seed)
            let deduplication = try Deduplication(
                of: planted.source(on: backend), clustering: planted.clustering, old: planted.old, order: .furthest,
                rowsAtOnce: 48, on: backend)
            let shared = (0..<ranks).map { deduplication.clusters(ofRank: $0, of: ranks) }
            #expect(shared.joined().sorted() == Array(deduplication.members.ranges.indices))
            #expect(shared.allSatisfy { $0 == $0.sorted() })
            let expected = try deduplication.compare()
            let findings = try shared.flatMap { try deduplication.compare(in: $0).findings }
            let found = Redundancy(count: deduplication.count, findings)
            #expect(found.gaps == expected.gaps && found.nearest == expected.nearest, "\(shape)")
            let kept = expected.kept(size: max(1, deduplication.count / 2))
            let dropped = try shared.flatMap { try deduplication.dropped(by: found, keeping: kept, in: $0) }
            #expect(
                dropped.sorted { $0.point < $1.point } == (try deduplication.dropped(by: expected, keeping: kept)),
                "\(shape)")
        }
    }

    /// No process has to compare much more than another.
    @Test func clustersAreSharedByTheirPairs() throws {
        let planted = Planted(300, 2, k: 40, old: 0, seed: 5)
        let deduplication = try Deduplication(
            of: planted.source(on: CPUBackend()), clustering: planted.clustering, on: CPUBackend())
        let work = (0..<3).map { rank in
            deduplication.clusters(ofRank: rank, of: 3).reduce(0) { sum, cluster in
                let count = deduplication.members.ranges[cluster].count
                return sum + count * (count + 1)
            }
        }
        #expect((work.max() ?? 0) - (work.min() ?? 0) < work.reduce(0, +) / 20)
    }

    @Test func aSmallerBudgetIsAPrefixAndTheCurveCountsAll() throws {
        let backend = CPUBackend()
        let planted = Planted(150, 6, k: 4, old: 0, seed: 3)
        let found = try Deduplication(
            of: planted.source(on: backend), clustering: planted.clustering, order: .closest, on: backend
        ).compare()
        #expect(found.kept(size: 40) == Array(found.kept(size: 90).prefix(40)))
        let curve = Redundancy.curve
        #expect(curve.first == 1e-4 && curve.last == 0.5 && curve.count == 75 && curve == curve.sorted())
        #expect(curve.contains(0.05) == false && curve.contains(0.0501) && curve.contains(0.001))
        let dropped = found.dropped(at: curve)
        for (eps, dropped) in zip(curve, dropped) { #expect(try found.kept(eps: eps).count == 150 - dropped) }
        for eps in [0, -1, 1.1, .nan, .infinity] {
            #expect(throws: ScoringError.self) { try found.kept(eps: eps) }
        }
    }

    @Test func whatDoesNotFitTogetherIsRefused() throws {
        let backend = CPUBackend()
        let planted = Planted(7, 2, k: 2, old: 2, seed: 1)
        let source = try planted.source(on: backend)
        let few = ClusterAssignment(labels: [0], squaredDistances: [0], k: 1)
        #expect(throws: ScoringError.self) { try Deduplication(of: source, clustering: few, on: backend) }
        #expect(throws: ScoringError.self) {
            try Deduplication(
                of: source, clustering: planted.clustering, old: 2, order: .score([1, 2]), on: backend)
        }
        let flag = CancellationFlag()
        flag.cancel()
        #expect(throws: CancellationError.self) {
            try Deduplication(of: source, clustering: planted.clustering, on: backend, cancellation: flag).compare()
        }
    }
}
