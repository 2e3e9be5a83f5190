import Foundation
import Studies
import Testing

@Suite struct StudyContinuationTests {
    private func text(runs: Int, seeds: Int? = nil, strategies: String = "[closest, random]") -> String {
        """
        runs: \(runs)
        experiments:
          - {pruning_method: random, sizes: 10}
          - {pruning_method: cluster, sizes: 10, ks: 3, selection_strategies: \(strategies)}
        """ + (seeds.map { "\nclustering_seeds: \($0)" } ?? "")
    }

    @discardableResult
    private func run(
        _ yaml: String, _ executor: FakeExecutor = FakeExecutor(), in path: String,
        notices: @escaping (String) -> Void = { _ in }
    ) throws -> StudyResults {
        try StudyRunner(
            study(yaml), directory: path, executor: executor,
            report: { if case .notice(let notice) = $0 { notices(notice) } }
        ).run()
    }

    @Test(
        arguments: [(nil, nil), (1, 1), (3, 3), (2, 9), (9, 2), (nil, 2)] as [(Int?, Int?)])
    func raisingTheRunsKeepsThoseThereAre(before: Int?, after: Int?) throws {
        let temporary = try TemporaryDirectory()
        let first = try run(text(runs: 2, seeds: before), in: temporary.results)
        let executor = FakeExecutor()
        var notices: [String] = []
        let more = try run(text(runs: 5, seeds: after), executor, in: temporary.results) { notices.append($0) }
        #expect(executor.batches.flatMap { $0 }.allSatisfy { $0.run >= 2 })
        #expect(executor.batches.reduce(0) { $0 + $1.count } == 9)
        #expect(more.records.filter { $0.runID <= 2 } == first.records)
        #expect(notices.count == 1)
        // As if there had always been so many.
        let elsewhere = try TemporaryDirectory()
        defer { withExtendedLifetime(elsewhere) {} }
        let fresh = try run(text(runs: 5, seeds: after), in: elsewhere.results)
        #expect(essence(more.records) == essence(fresh.records))
        #expect(try study(temporary.text("study.yaml")) == study(text(runs: 5, seeds: after)).resolved)
        #expect(try StoredStudy(reading: temporary.results).results.records == more.records)
        // And not fewer again.
        let error = studyError { try run(text(runs: 2, seeds: before), in: temporary.results) }
        #expect(error?.category == .cannotCreate)
        #expect(error?.description.contains("runs is 5 there and 2 here") == true)
    }

    @Test(
        arguments: [
            (text: (5, 1, "[closest, random]"), says: "clustering_seeds is 2 there and 1 here"),
            (text: (5, nil, "[closest, hybrid]"), says: "selection_strategies is [closest, random] there"),
        ] as [(text: (Int, Int?, String), says: String)])
    func raisingTheRunsAndMoreIsRefused(text: (Int, Int?, String), says: String) throws {
        let temporary = try TemporaryDirectory()
        try run(self.text(runs: 2), in: temporary.results)
        let yaml = try temporary.text("study.yaml")
        let error = studyError {
            try run(self.text(runs: text.0, seeds: text.1, strategies: text.2), in: temporary.results)
        }
        #expect(error?.category == .cannotCreate)
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "no error")")
        #expect(try temporary.text("study.yaml") == yaml)
    }

    /// Clusterings that each run had alone cannot become one for all, nor the other way round.
    @Test func aRunKeepsItsClustering() throws {
        let temporary = try TemporaryDirectory()
        try run(text(runs: 3, seeds: 1), in: temporary.results)
        let error = studyError { try run(text(runs: 5), in: temporary.results) }
        #expect(error?.description.contains("clustering_seeds is 1 there and 5 here") == true)
    }

    @Test func theMarginOfEqualityMayChange() throws {
        let temporary = try TemporaryDirectory()
        let first = try run(text(runs: 3), in: temporary.results)
        let executor = FakeExecutor()
        let again = try run("equal_within: 0.5\n" + text(runs: 3), executor, in: temporary.results)
        #expect(executor.batches.isEmpty && again.records == first.records)
        #expect(again.summaries.allSatisfy { $0.experiment.equalWithin == 0.5 })
        #expect(try temporary.text("study.yaml").contains("equal_within: 0.5"))
    }
}
