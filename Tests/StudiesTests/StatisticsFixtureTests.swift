import Foundation
import Testing

@testable import Studies

/// What scipy and statsmodels found for the same samples (tools/fixtures statistics).
private struct Expected: Decodable {
    struct Wilcoxon: Decodable {
        var differences: [Int]
        var p: Double
    }
    struct Quantile: Decodable {
        var degrees: Int
        var tail: Double
        var t: Double
    }
    struct Correction: Decodable {
        var values: [Double]
        var corrected: [Double]
    }
    struct Bootstrap: Decodable {
        var values: [Double]
        var low: Double
        var high: Double
    }
    struct Mean: Decodable {
        var values: [Double]
        var mean: Double
        var low95: Double
        var high95: Double
        var low90: Double
        var high90: Double
    }
    var wilcoxon: [Wilcoxon]
    var t: [Quantile]
    var tails: [Quantile]
    var holm: [Correction]
    var bootstrap: [Bootstrap]
    var mean: [Mean]

    static func read() throws -> Expected {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/statistics/expected.json")
        return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
    }
}

private func isClose(_ value: Double, _ expected: Double, relative: Double) -> Bool {
    abs(value - expected) <= relative * max(abs(expected), 1e-300)
}

@Suite struct StatisticsFixtureTests {
    @Test func signedRanksAgreeWithScipy() throws {
        let samples = try Expected.read().wilcoxon
        #expect(samples.count >= 20 && samples.contains { $0.differences.count > WilcoxonSignedRank.mostEnumerated })
        for sample in samples {
            let test = WilcoxonSignedRank(sample.differences)
            #expect(isClose(test.p, sample.p, relative: 1e-10), "\(sample.differences): \(test.p), not \(sample.p)")
            let mirrored = WilcoxonSignedRank(sample.differences.map { -$0 })
            #expect(mirrored.p == test.p && mirrored.signedRanks == -test.signedRanks)
        }
    }

    @Test func studentsTAgreesWithScipy() throws {
        let expected = try Expected.read()
        #expect(expected.t.count >= 40 && expected.tails.count >= 40)
        for point in expected.t {
            let t = StudentT(degrees: point.degrees).quantile(upperTail: point.tail)
            #expect(isClose(t, point.t, relative: 1e-9), "\(point.degrees), \(point.tail): \(t), not \(point.t)")
        }
        for point in expected.tails {
            let tail = StudentT(degrees: point.degrees).upperTail(point.t)
            // The smallest are far below any level that is asked for.
            #expect(abs(tail - point.tail) <= 1e-10 * point.tail + 1e-15, "\(point.degrees), \(point.t): \(tail)")
        }
    }

    @Test func holmAgreesWithStatsmodels() throws {
        let corrections = try Expected.read().holm
        #expect(corrections.count >= 5)
        for correction in corrections {
            let corrected = holm(correction.values)
            #expect(corrected.count == correction.corrected.count)
            for (ours, theirs) in zip(corrected, correction.corrected) {
                #expect(isClose(ours, theirs, relative: 1e-12))
            }
        }
        #expect(holm([]) == [])
    }

    @Test(arguments: [1, 2, 77] as [UInt64])
    func theBootstrapOfTheMedianAgreesWithScipy(seed: UInt64) throws {
        for sample in try Expected.read().bootstrap {
            let interval = MedianBootstrap(count: sample.values.count, seed: seed).interval(of: sample.values)
            // Both are percentiles of draws: theirs of a million, ours of ten thousand, whose ends may fall on the next value.
            let spread = (sample.values.max() ?? 0) - (sample.values.min() ?? 0)
            let step = sample.values.count > 10 ? spread / 20 : 1e-9
            #expect(abs(interval.low - sample.low) <= step, "\(sample.values): \(interval), not \(sample.low)")
            #expect(abs(interval.high - sample.high) <= step, "\(sample.values): \(interval), not \(sample.high)")
            #expect(MedianBootstrap(count: sample.values.count, seed: seed).interval(of: sample.values) == interval)
        }
    }

    @Test func intervalsOfTheMeanAgreeWithScipy() throws {
        for sample in try Expected.read().mean {
            // As differences from a baseline of 50% with counts of 10,000 images.
            var quantiles = QuantileCache()
            let records = sample.values.enumerated().map {
                record(1, $0.offset, correct: Int(($0.element * 100).rounded()))
            }
            let others = sample.values.indices.map { record(2, $0, correct: 5000) }
            let paired = try #require(PairedDifferences(records, against: others, baseline: .full))
            let comparison = paired.comparison(pHolm: 1, tests: 1, equalWithin: 0.1, quantiles: &quantiles)
            let (wide, narrow) = (try #require(comparison.interval95), try #require(comparison.interval90))
            #expect(abs((comparison.difference ?? .infinity) + 50 - sample.mean) < 1e-9)
            #expect(abs(wide.low + 50 - sample.low95) < 1e-8 && abs(wide.high + 50 - sample.high95) < 1e-8)
            #expect(abs(narrow.low + 50 - sample.low90) < 1e-8 && abs(narrow.high + 50 - sample.high90) < 1e-8)
        }
    }

    @Test func anIntervalOfOneValueIsThatValue() {
        #expect(MedianBootstrap(count: 1, seed: 1).interval(of: [98.5]) == Interval(low: 98.5, high: 98.5))
    }
}

/// A finished run of `correct` right answers in 10,000.
func record(_ experiment: Int, _ run: Int, correct: Int, requested: Int = 100, kept: Int = 100) -> RunRecord {
    RunRecord(
        experimentID: experiment, runID: run + 1,
        outcome: TrainingOutcome(
            correct: correct, count: 10_000, trainingSeconds: 1, evaluationSeconds: 0, replicas: 1),
        selectionSeconds: 0, requested: requested, kept: kept, perClass: [kept], device: "device")
}
