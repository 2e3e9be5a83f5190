import Testing

@testable import Studies

/// Results of a study whose run i of experiment e has `correct(e, i)` right answers in 10,000.
private func results(_ yaml: String, correct: (Experiment, Int) -> Int?) throws -> StudyResults {
    let plan = try StudyPlan(
        StudyReader(file: "test.yaml").read(yaml), shapes: ["mnist": DatasetShape(count: 1000, featureCount: 16)])
    let records = plan.runs.compactMap { run -> RunRecord? in
        let experiment = plan.experiment(run.experimentID)
        return correct(experiment, run.run).map {
            record(run.experimentID, run.run, correct: $0, requested: experiment.size, kept: experiment.size)
        }
    }
    return StudyResults(plan: plan, records: records)
}

private func threeCases(runs: Int, more: String = "") -> String {
    """
    runs: \(runs)
    \(more)
    experiments:
      - {pruning_method: none}
      - {pruning_method: random, sizes: 100}
      - {pruning_method: cluster, sizes: 100, ks: 5, selection_strategies: furthest}
    """
}

@Suite struct ComparisonTests {
    /// A little noise that no two runs share.
    private func noise(_ run: Int) -> Int { [0, 3, -2, 5, -4, 1, 2, -1, 4, -3][run % 10] }

    @Test func clearDifferencesAreBetterAndWorse() throws {
        let results = try results(threeCases(runs: 10)) { experiment, run in
            switch experiment.selection {
            case .whole: 9800
            case .random: 9600 + noise(run)
            default: 9700 + noise(9 - run)
            }
        }
        let furthest = try #require(results.summaries.last)
        let (full, random) = (try #require(furthest.comparisons[.full]), try #require(furthest.comparisons[.random]))
        #expect(full.verdict == .worse && full.pairs == 10 && full.baselineID == 1 && full.runsToDecide == nil)
        #expect(random.verdict == .better && random.baselineID == 2)
        // 2 / 2^10, and two cases are compared with the whole set, one with random samples.
        #expect(full.p == 0.001953125 && full.pHolm == 0.00390625 && random.pHolm == random.p)
        #expect(abs((random.difference ?? .infinity) - 1) < 1e-12)
        #expect(results.summaries[0].comparisons.isEmpty && results.summaries[1].comparisons[.random] == nil)
        #expect(results.comparisonNotes.isEmpty)
    }

    @Test func fiveRunsCannotDecideAndSaySo() throws {
        let results = try results(threeCases(runs: 5)) { experiment, run in
            experiment.selection.isWhole ? 9800 : 9000 + 100 * experiment.id + noise(run)
        }
        let full = try #require(results.summaries.last?.comparisons[.full])
        #expect(full.p == 0.0625 && full.pHolm == 0.125 && full.verdict == .notDecided)
        // Far apart: what lacks is only the number of signs. 2 * 2 / 2^7 is the first below 0.05.
        #expect(full.runsToDecide == 7)
        let note = try #require(results.comparisonNotes.first)
        #expect(note.contains("5 runs cannot give a p-value below 0.0625 (0.125 after Holm's"))
        #expect(note.contains("7 runs could (6 for a single comparison)"))
        #expect(results.comparisonNotes.count == 2 && results.comparisonNotes[1].hasSuffix("6 runs could"))
    }

    /// Student's t at 1 - 0.025 / tests with 9 degrees, by scipy.
    @Test(arguments: [(1, 2.262157162798205), (2, 2.6850108468164575), (18, 4.075232646483265), (0, 2.262157162798205)])
    func intervalsOfManyComparisonsAreWider(tests: Int, quantile: Double) throws {
        let results = try results(threeCases(runs: 10)) { experiment, run in
            experiment.selection.isWhole ? 9800 : 9600 + noise(run)
        }
        let full = try #require(results.summaries.last?.comparisons[.full])
        var intervals = SimultaneousIntervals(tests: tests)
        let found = intervals.interval(of: full)
        let interval = try #require(found)
        let deviation = try #require(Statistics.standardDeviation((0..<10).map { Double(noise($0)) / 100 }))
        let reach = quantile * deviation / 10.0.squareRoot()
        #expect(abs((interval.high - interval.low) / 2 - reach) < 1e-9 * reach)
        #expect(abs((interval.high + interval.low) / 2 - (full.difference ?? .infinity)) < 1e-12)
        #expect(tests > 1 || abs(interval.low - (full.interval95?.low ?? .infinity)) < 1e-12)
    }

    @Test(arguments: [(0, 6), (1, 6), (2, 7), (18, 10), (42, 11)])
    func theFewestPairsOfSoManyComparisons(tests: Int, pairs: Int) {
        #expect(Comparison.fewestPairs(tests: tests) == pairs)
        #expect(WilcoxonSignedRank.leastP(count: pairs - 1) * Double(max(1, tests)) >= 0.05)
    }

    @Test func equalIsTheNinetyPercentIntervalWithinTheMargin() throws {
        // Differences of +2 and -2 right answers in 10,000: a deviation of about 0.02 points.
        func outcome(_ experiment: Experiment, _ run: Int) -> Int? {
            experiment.clustering != nil ? 9800 + (run % 2 == 0 ? 2 : -2) : 9800
        }
        let wide = try results(threeCases(runs: 6), correct: outcome)
        let interval = try #require(wide.summaries[2].comparisons[.full]?.interval90)
        #expect(wide.summaries[2].comparisons[.full]?.verdict == .equal && interval.high < 0.02)
        let narrow = try results(threeCases(runs: 6, more: "equal_within: 0.01"), correct: outcome)
        let comparison = try #require(narrow.summaries[2].comparisons[.full])
        #expect(comparison.verdict == .notDecided)
        // The t test never decides a mean of 0; the margin does: 0.0219 * t(n - 1) / sqrt(n) <= 0.01.
        #expect(comparison.runsToDecide == 15)
        #expect(try results(threeCases(runs: 6), correct: { _, _ in 9800 }).summaries[2].comparisons[.full]?.p == 1)
    }

    @Test func runsPairByNumberAndOnlyWhereBothAreFinished() throws {
        let results = try results(threeCases(runs: 4)) { experiment, run in
            if experiment.selection.isWhole && run == 0 { return nil }
            if experiment.clustering != nil && run == 3 { return nil }
            return experiment.selection.isWhole ? 9000 + 100 * run : 9010 + 100 * run
        }
        let full = try #require(results.summaries.last?.comparisons[.full])
        // Runs 1 and 2 pair; each differs by 10 of 10,000 although the runs themselves lie far apart.
        #expect(
            full.pairs == 2 && abs((full.difference ?? .infinity) - 0.1) < 1e-12
                && full.interval95?.low == full.interval95?.high)
    }

    @Test func oneRunHasNoIntervalAndDecidesNothing() throws {
        let results = try results(threeCases(runs: 1)) { _, _ in 9000 }
        let full = try #require(results.summaries.last?.comparisons[.full])
        #expect(full.interval95 == nil && full.verdict == .notDecided && full.runsToDecide == nil && full.p == 1)
        #expect(results.comparisonNotes.first?.contains("one run cannot") == true)
    }

    @Test func baselinesShareTrainingAndSeed() throws {
        let yaml = """
            runs: 2
            experiments:
              - {pruning_method: none, epochs: 1}
              - {pruning_method: none}
              - {pruning_method: random, sizes: [50, 100]}
              - {pruning_method: random, sizes: 100, balance: class}
              - {pruning_method: random, sizes: 100, batch_size: 32}
              - {pruning_method: cluster, sizes: [100, 200], ks: 5, selection_strategies: closest, balance: class}
              - {pruning_method: cluster, sizes: 100, ks: 5, selection_strategies: closest, batch_size: 32}
              - {pruning_method: cluster, sizes: 100, ks: 5, selection_strategies: closest, seed: 9}
            """
        let results = try results(yaml) { experiment, run in 9000 + experiment.id + run }
        func baselines(_ id: Int) -> [Int?] {
            Baseline.allCases.map { results.summaries[id - 1].comparisons[$0]?.baselineID }
        }
        #expect(baselines(1) == [nil, nil] && baselines(2) == [nil, nil])
        #expect(baselines(3) == [2, nil] && baselines(6) == [nil, nil])
        // Balanced random samples are a baseline, and are compared with plain ones themselves.
        #expect(baselines(4) == [2, nil] && baselines(5) == [2, 4])
        #expect(baselines(7) == [2, 5] && baselines(8) == [2, nil])
        #expect(baselines(9) == [nil, 6] && baselines(10) == [nil, nil])
        let notes = results.comparisonNotes
        #expect(notes.contains("3 cases have no finished run of the whole set with the same settings to compare with"))
        #expect(
            notes.contains(
                "2 cases have no finished run of random samples of the same size with the same settings to compare with"
            ))
    }

    @Test func largeDifferencesOfOneSignDoNotOutvoteTheRanks() {
        // Mean and ranks point apart: nothing is decided whatever the p-value.
        let records = (0..<10).map { record(1, $0, correct: $0 == 0 ? 9900 : 9000) }
        let others = (0..<10).map { record(2, $0, correct: 9001 + $0) }
        let paired = PairedDifferences(records, against: others, baseline: .random)
        var quantiles = QuantileCache()
        let comparison = paired?.comparison(pHolm: 0.01, tests: 1, equalWithin: 0.1, quantiles: &quantiles)
        #expect(comparison.map { ($0.difference ?? 0) > 0 && $0.verdict == .notDecided } == true)
    }

    @Test func sharedClusteringsAndMissingSamplesAreSaid() throws {
        let plan = try StudyPlan(
            StudyReader(file: "test.yaml").read(threeCases(runs: 8, more: "clustering_seeds: 1\nquota: article")),
            shapes: ["mnist": DatasetShape(count: 1000, featureCount: 16)])
        let records = plan.runs.map { run in
            record(
                run.experimentID, run.run, correct: 9000 + run.run, requested: 100,
                kept: run.experimentID == 3 ? 97 : 100)
        }
        let notes = StudyResults(plan: plan, records: records).comparisonNotes
        #expect(notes.contains { $0.hasPrefix("runs share one clustering (clustering_seeds)") })
        #expect(notes.contains { $0.hasPrefix("one case kept fewer samples than requested") })
    }
}
