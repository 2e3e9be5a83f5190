import Datasets
import Foundation
import Pruning
import Studies
import Testing

/// Validation splits: what they set aside, and what is decided by them.
@Suite struct ValidationTests {
    private func labels(_ sizes: [Int]) -> ClassLabels {
        ClassLabels(
            labels: sizes.enumerated().flatMap { [UInt8](repeating: UInt8($0), count: $1) }, count: sizes.count)
    }

    private func perClass(_ indices: [Int], _ classes: ClassLabels) -> [Int] {
        indices.reduce(into: [Int](repeating: 0, count: classes.count)) { $0[Int(classes.labels[$1])] += 1 }
    }

    @Test func classesGiveEqualSharesAndKeepASample() {
        for (sizes, count, shares) in [
            ([40, 40, 40], 30, [10, 10, 10]), ([40, 50, 40], 31, [10, 11, 10]), ([3, 50, 50], 30, [2, 14, 14]),
            ([1, 0, 30], 9, [0, 0, 9]), ([5, 5], 8, [4, 4]),
        ] {
            let classes = labels(sizes)
            let (rest, validation, perClass) = ValidationSplit(count: count, seed: 3).split(classes)
            #expect(perClass == shares && self.perClass(validation, classes) == shares)
            #expect((rest + validation).sorted() == Array(classes.labels.indices))
            #expect(rest == rest.sorted() && validation == validation.sorted())
        }
        let classes = labels([100, 100])
        let splits = (1...4).map { ValidationSplit(count: 20, seed: $0).split(classes).validation }
        #expect(Set(splits).count == 4 && splits[0] == ValidationSplit(count: 20, seed: 1).split(classes).validation)
        // A smaller split is a part of a larger one.
        #expect(Set(ValidationSplit(count: 10, seed: 1).split(classes).validation).isSubset(of: splits[0]))
    }

    @Test func everyCaseIsOfTheRest() throws {
        let executor = FakeExecutor()
        let temporary = try TemporaryDirectory()
        let text = "validation: 40\nseed: 5\n" + everything
        let results = try StudyRunner(study(text), directory: temporary.results, executor: executor).run()
        let whole = try executor.dataset(TrainingSet("mnist")).classes
        let (rest, _, _) = ValidationSplit(count: 40, seed: 5).split(whole)
        #expect(results.plan.experiments.map(\.size).prefix(3) == [160, 20, 80])
        let stored = try StoredStudy(reading: temporary.results)
        var jobs: [[Int]: TrainingJob] = [:]
        for job in executor.batches.joined() { jobs[[job.experimentID, job.run]] = job }
        #expect(jobs.count == results.records.count)
        for record in results.records {
            let job = try #require(jobs[[record.experimentID, record.runID - 1]])
            #expect(job.evaluatedOn == .test && job.indices.allSatisfy { (0..<160).contains($0) })
            // Files have the indices of the data set.
            #expect(stored.selection(of: record.plannedRun) == job.indices.map { rest[$0] })
            #expect(record.perClass == perClass(job.indices.map { rest[$0] }, whole))
        }
        #expect(executor.fits.allSatisfy { $0.validation == 40 })
        // What is there is not made again.
        let again = FakeExecutor()
        _ = try StudyRunner(study(text), directory: temporary.results, executor: again).run()
        #expect(again.batches.isEmpty && again.fits.isEmpty)
    }

    @Test func sharesFollowTheRecallOfScoreNetworks() throws {
        let executor = FakeExecutor()
        let temporary = try TemporaryDirectory()
        let results = try StudyRunner(
            study(
                """
                {validation: 50, runs: 2, networks: 2, score_epochs: 3, score_seeds: 1, experiments: [
                {pruning_method: none}, {pruning_method: random, sizes: 30},
                {pruning_method: random, sizes: 30, balance: recall}]}
                """), directory: temporary.results, executor: executor
        ).run()
        // Of 15 samples a class, means of the recalls 0.05 c and 0.05 c + 0.01.
        let weights = (0..<10).map { 1 - (0.05 * Double($0) + 0.005) }
        let total = weights.reduce(0, +)
        let exact = weights.map { 30 * $0 / total }
        for record in results.records where record.experimentID == 3 {
            #expect(zip(record.perClass, exact).allSatisfy { abs(Double($0) - $1) < 1 }, "\(record.perClass)")
            #expect(record.perClass.reduce(0, +) == 30)
        }
        #expect(executor.trained.count == 1)
        // It is a method, not a baseline: compared with other random samples, which are not compared with it.
        #expect(results.summaries[2].comparisons[.random]?.baselineID == 2)
        #expect(results.summaries[1].comparisons[.random] == nil)
    }

    private static let tuned = """
        {validation: 50, runs: 4, networks: 2, score_epochs: 3, experiments: [
        {pruning_method: score, scores: el2n, keep: stratified, sizes: [30, 40], beta: [0.2, 0, 0.1], strata: [4, 50]},
        {pruning_method: score, scores: dyn-unc, keep: hard, window: [2, 3], sizes: 30},
        {pruning_method: score, scores: el2n, networks: [1, 2], score_seeds: 4, sizes: 30},
        {pruning_method: score, scores: aum, sizes: 30}]}
        """

    @Test func theBestOfThreeRunsOnTheValidationSplitIsUsed() throws {
        let executor = FakeExecutor()
        executor.fitSeconds = 0.002
        let temporary = try TemporaryDirectory()
        let clock = ContinuousClock()
        let start = clock.now
        let results = try StudyRunner(study(Self.tuned), directory: temporary.results, executor: executor).run()
        let seconds = (clock.now - start) / .seconds(1)
        let plan = results.plan
        #expect(plan.experiments.map { $0.candidates.count } == [6, 6, 2, 2, 0])
        // In each of the three runs one job per candidate is evaluated on the validation split, in the candidates' order.
        let jobs: [TrainingJob] = executor.batches.flatMap { $0 }
        let trials = jobs.filter { $0.evaluatedOn == .validation }
        #expect(trials.count == 48)
        for (experiment, candidates) in plan.experiments.map({ ($0, $0.candidates) }) where !candidates.isEmpty {
            let mine = trials.filter { $0.experimentID == experiment.id }
            #expect(mine.map(\.run) == (0..<3).flatMap { [Int](repeating: $0, count: candidates.count) })
            let accuracies: [Double] = try FakeExecutor().train(mine, cancellation: .init()).map { $0.accuracy ?? 0 }
            let medians: [Double] = candidates.indices.map { place in
                let three: [Double] = (0..<3).map { accuracies[$0 * candidates.count + place] }
                return three.sorted()[1]
            }
            let best = try #require(medians.indices.max { (medians[$0], $1) < (medians[$1], $0) })
            let expected = candidates[best].values.map { ($0.setting.rawValue, $0.value) }
            let records = results.records.filter { $0.experimentID == experiment.id }
            #expect(records.count == 4)
            for record in records { #expect(record.tuned == Dictionary(uniqueKeysWithValues: expected)) }
            // What is tested is what was decided on.
            let firsts = jobs.filter { $0.experimentID == experiment.id && $0.run == 0 }
            let tested = try #require(firsts.first { $0.evaluatedOn == .test })
            #expect(tested.indices == mine[best].indices)
        }
        // Every second of training and testing is someone's cost: half a second and a quarter a network here.
        let tuning = Double(trials.count) * 0.75
        let selection = results.records.map(\.selectionSeconds).reduce(0, +)
        #expect(selection > tuning && selection < tuning + seconds, "\(selection) of \(tuning) + \(seconds)")
        let made = Double(executor.trained.count) * 0.002
        #expect(selection > tuning + made)
        #expect(results.comparisonNotes.contains { $0.hasPrefix("tuned on the validation split") })
        #expect(try temporary.text("runs.jsonl").contains(#""tuned":{"beta":"#))
    }

    @Test func whatWasDecidedStands() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        // After the first decision, before the first run.
        executor.beforeTraining = { _, jobs, _ in if jobs[0].evaluatedOn == .test { throw DeviceLost() } }
        #expect(throws: DeviceLost.self) {
            try StudyRunner(
                study(Self.tuned), directory: temporary.results, executor: executor
            ).run()
        }
        let trials: [TrainingJob] = executor.batches.flatMap { $0 }.filter { $0.evaluatedOn == .validation }
        #expect(trials.count == 18)
        let again = FakeExecutor()
        let results = try StudyRunner(study(Self.tuned), directory: temporary.results, executor: again).run()
        let rest: [TrainingJob] = again.batches.flatMap { $0 }
        #expect(rest.count { $0.evaluatedOn == .validation } == 30)
        let whole = try TemporaryDirectory()
        let other = try StudyRunner(study(Self.tuned), directory: whole.results, executor: FakeExecutor()).run()
        #expect(results.records.map(\.tuned) == other.records.map(\.tuned))
        #expect(results.records.map(\.correct) == other.records.map(\.correct))
        // Finished runs say what was chosen where the file does not. Added runs carry as large a share of the tuning as the
        // others, where it is still known, and a note says where it is not.
        try whole.write("{", to: "tuning/experiment1.json")
        let more = FakeExecutor()
        var notices: [String] = []
        let longer = try StudyRunner(
            study(Self.tuned.replacing("runs: 4", with: "runs: 6, score_seeds: 4")), directory: whole.results,
            executor: more, report: { if case .notice(let line) = $0 { notices.append(line) } }
        ).run()
        #expect(notices.filter { $0.contains("tuning/ is gone") }.count == 1)
        #expect(more.batches.joined().allSatisfy { $0.evaluatedOn == .test })
        for id in 1...5 {
            let records = longer.records.filter { $0.experimentID == id }
            #expect(records.count == 6 && Set(records.map(\.tuned)).count == 1)
            #expect(records[4...].allSatisfy { ($0.selectionSeconds > 0.75) == (2...4).contains(id) })
        }
    }

    @Test func otherCandidatesAreTunedAnew() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.beforeTraining = { _, jobs, _ in if jobs[0].evaluatedOn == .test { throw DeviceLost() } }
        // Nothing is finished, so that the study may change.
        for window in [2, 3, 3] {
            let text = """
                {validation: 50, score_epochs: 4, networks: 2, window: \(window), experiments: [
                {pruning_method: score, scores: dual, c_d: [1, 4], sizes: 30}]}
                """
            #expect(throws: DeviceLost.self) {
                try StudyRunner(study(text), directory: temporary.results, executor: executor).run()
            }
            // Nor does a file count that says otherwise than it was written.
            let file = try temporary.text("tuning/experiment1.json")
            try temporary.write(file.replacing(#""runs" : 5"#, with: #""runs" : 4"#), to: "tuning/experiment1.json")
        }
        #expect(executor.batches.joined().count { $0.evaluatedOn == .validation } == 18)
    }

    @Test func aTunedStudyReadsBackAsItIs() throws {
        let study = try study(Self.tuned)
        #expect(try StudyReader(file: "x.yaml").read(study.yaml) == study.resolved)
        #expect(study.yaml.contains("beta: [0.2, 0.0, 0.1]") && study.yaml.contains("strata: [4, 50]"))
        #expect(study.yaml.contains("validation: 50"))
    }

    @Test(arguments: [
        ("validation: 191", "pruning_method: none", "validation is 191"),
        ("validation: 0", "pruning_method: none", "validation is 0"),
        ("balance: recall", "pruning_method: random, sizes: 5", "validation"),
        ("validation: 50", "pruning_method: random, sizes: 151", "150 samples besides the 50 for validation"),
        (
            "runs: 1", "pruning_method: score, scores: el2n, keep: stratified, beta: [0, 0.1], sizes: 5",
            "validation: N"
        ),
        (
            "validation: 50", "pruning_method: score, scores: el2n, keep: stratified, beta: [0, 0.9], sizes: 50",
            "beta is 0.9, which leaves 15"
        ),
        (
            "validation: 50", "pruning_method: score, scores: dual, window: [2, 9], score_epochs: [5, 10], sizes: 50",
            "window is 9 and score_epochs 5"
        ),
        (
            "validation: 50",
            "pruning_method: score, scores: d2, neighbors: [1, 2, 3, 4, 5, 6, 7, 8, 9], gamma: [1, 2, 3, 4, 5, 6, 7, 8], sizes: 5",
            "neighbors, gamma come to 72 combinations; at most 64"
        ),
        ("beta: [0.1, 0.1]", "pruning_method: none", "0.1 stands twice in beta"),
    ])
    func whatCannotBeDecidedIsRefused(top: String, entry: String, words: String) throws {
        let error = studyError {
            _ = try StudyPlan(
                study("{\(top), experiments: [{\(entry)}]}"),
                shapes: ["mnist": DatasetShape(count: 200, featureCount: 16, classCount: 10)])
        }
        guard case .invalid(_, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(words), "\(reason)")
    }
}
