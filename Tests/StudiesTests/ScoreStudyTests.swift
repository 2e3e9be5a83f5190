import Datasets
import Foundation
import Pruning
import Scoring
import Studies
import Support
import Testing

private let shapes = ["mnist": DatasetShape(count: 200, featureCount: 64)]

/// Selections by scores in studies: words, plans, artifacts.
@Suite struct ScoreStudyTests {
    private func plan(_ entry: String, runs: Int = 2) throws -> StudyPlan {
        try StudyPlan(study("{runs: \(runs), experiments: [\(entry)]}"), shapes: shapes)
    }

    @Test func aScoreTakesTheListsThatItNeedsAndStandsOnceForEachOfTheOthers() throws {
        let plan = try plan(
            "{pruning_method: score, scores: [distance, mine.npy], sizes: [5, 9], ks: [3, 4], use_pca: [true, false]}")
        let cases = plan.experiments.map { experiment in
            [
                "\(experiment.size)", experiment.word(column: "selection_strategy") ?? "",
                experiment.word(column: "k") ?? "-", experiment.word(column: "apply_pca") ?? "-",
            ].joined(separator: " ")
        }
        #expect(
            cases == [
                "5 distance 3 True", "5 distance 3 False", "5 mine.npy - -", "5 distance 4 True", "5 distance 4 False",
                "9 distance 3 True", "9 distance 3 False", "9 mine.npy - -", "9 distance 4 True", "9 distance 4 False",
            ])
        #expect(plan.experiments.allSatisfy { $0.word(column: "pruning_method") == "score" })
        // The file is read once for all sizes and runs, and each clustering serves both sizes.
        #expect(plan.artifactUses.filter { $0.key.kind is ScoreKey }.map(\.value) == [4])
        #expect(plan.clusteringCount == 8)
    }

    @Test(arguments: [
        ("", "mine.npy"), (", keep: hard", "mine.npy hard"),
        (", keep: easy, within: class", "mine.npy easy within class"),
        (", within: none", "mine.npy within none"),
    ])
    func tablesNameWhatIsNotAsThePaperDoes(keys: String, name: String) throws {
        let plan = try plan("{pruning_method: score, scores: mine.npy, sizes: 5\(keys)}")
        #expect(plan.experiments.map { $0.word(column: "selection_strategy") } == [name])
    }

    @Test func aDrawThatLooksAtNoScoreTrainsNoNetworks() throws {
        let scored = try plan("{pruning_method: score, scores: [el2n, prototypes], sizes: 5, ks: 3, keep: hard}")
        let drawn = try plan("{pruning_method: score, scores: [el2n, prototypes], sizes: 5, ks: 3, keep: random}")
        #expect(scored.artifactUses.count == 4 && drawn.artifactUses.isEmpty)
        #expect(scored.scoreImages == 2 * 10 * 15 * 200 && drawn.scoreImages == 0)
    }

    @Test func distanceWithinClustersKeepsWhatFurthestKeeps() throws {
        let temporary = try TemporaryDirectory()
        let text = """
            runs: 2
            experiments:
              - {pruning_method: cluster, sizes: 40, ks: 5, selection_strategies: [furthest, closest]}
              - {pruning_method: score, scores: distance, sizes: 40, ks: 5}
              - {pruning_method: score, scores: distance, keep: easy, sizes: 40, ks: 5}
              - {pruning_method: score, scores: distance, within: none, sizes: 40, ks: 5}
            """
        let executor = FakeExecutor()
        let results = try StudyRunner(study(text), directory: temporary.results, executor: executor).run()
        let kept = Dictionary(grouping: executor.batches.flatMap { $0 }, by: \.experimentID)
            .mapValues { jobs in jobs.sorted { $0.run < $1.run }.map(\.indices) }
        #expect(results.records.count == 10 && executor.fits.count == 2)
        #expect(kept[3] == kept[1] && kept[4] == kept[2] && kept[5] != kept[1])
        // The words differ, so that tables keep them apart.
        #expect(results.plan.experiment(3).selection != results.plan.experiment(1).selection)
        #expect(try study(temporary.text("study.yaml")) == study(text).resolved)
    }

    @Test func aFileOfScoresIsReadFromTheStudysFolderAndCopied() throws {
        let temporary = try TemporaryDirectory()
        let folder = temporary.results + "-study"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var random = RandomStream(seed: 3, run: 0, purpose: .testing)
        var scores = (0..<200).map { _ in Float(random.nextUnit()) }
        scores[17] = .infinity
        let text = """
            runs: 1
            experiments:
              - {pruning_method: score, scores: mine.npy, sizes: [7, 20]}
              - {pruning_method: score, scores: mine.npy, keep: easy, within: class, sizes: 20}
            """
        func run(runs: Int = 1) throws -> [TrainingJob] {
            let executor = FakeExecutor()
            executor.makesScores = true
            let study = try StudyReader(file: "\(folder)/study.yaml").read(text).overriding(runs: runs)
            _ = try StudyRunner(study, directory: temporary.results, executor: executor).run()
            return executor.batches.flatMap { $0 }
        }
        // Found missing before anything is computed or claimed.
        #expect(throws: (any Error).self) { try run() }
        #expect(!FileManager.default.fileExists(atPath: temporary.results))
        try NumPy.write(scores, shape: [200], to: "\(folder)/mine.npy")
        let jobs = try run().sorted { $0.experimentID < $1.experimentID }
        let falling = (0..<200).sorted { (scores[$1], $0) < (scores[$0], $1) }
        #expect(jobs.map(\.indices)[0] == Array(falling.prefix(7)) && jobs[1].indices == Array(falling.prefix(20)))
        for label in 0..<10 {
            let rising = (0..<20).map { 10 * $0 + label }.sorted { scores[$0] < scores[$1] }
            #expect(Set(jobs[2].indices.filter { $0 % 10 == label }) == Set(rising.prefix(2)))
        }
        // The copy serves where the file is gone, and a file that has changed is refused.
        try FileManager.default.moveItem(atPath: "\(folder)/mine.npy", toPath: "\(folder)/away.npy")
        #expect(try run(runs: 2).count == 3)
        let before = scores[3]
        scores[3] = 7
        try NumPy.write(scores, shape: [200], to: "\(folder)/mine.npy")
        func expectRefusal(runs: Int) {
            let error = #expect(throws: StudyError.self) { try run(runs: runs) }
            #expect(error?.description.contains("other scores than mine.npy has now") == true)
        }
        expectRefusal(runs: 3)
        // A finished study too, and one whose copies are gone.
        expectRefusal(runs: 2)
        try FileManager.default.removeItem(atPath: temporary.results + "/scores")
        expectRefusal(runs: 3)
        scores[3] = before
        try NumPy.write(scores, shape: [200], to: "\(folder)/mine.npy")
        #expect(try run(runs: 3).count == 3)
        #expect(try temporary.text("environment.json").contains("\"mine.npy\" : \""))
    }

    @Test func wholeNumbersBeyondDoublePrecisionKeepTheirOrder() throws {
        let temporary = try TemporaryDirectory()
        let path = temporary.path + "/s.npy"
        for second in [2, 1 + 1e-12] {
            try NumPy.write([1, second, 1e39], shape: [3], to: path)
            #expect(throws: ScoringError.tooLarge(score: path, index: 2)) { try ScoreFile.scores(path) }
        }
        let offsets: [Int64] = [5, 3, 3, 9, 1, 7]
        for base in [1 << 60, (1 << 53) - 2, Int64.max - 9, Int64.min] as [Int64] {
            try NumPy.write(offsets.map { base + $0 }, shape: [6], to: path)
            let scores = try ScoreFile.scores(path)
            for one in 0..<6 {
                for other in 0..<6 {
                    #expect((scores[one] < scores[other]) == (offsets[one] < offsets[other]), "\(base)")
                }
            }
        }
    }

    @Test func whatStandsAtTheTopForScoresAloneIsTheSameStudyAgain() throws {
        let temporary = try TemporaryDirectory()
        let text = """
            {runs: 2, score_epochs: 5, networks: 3, score_seeds: 1, beta: 0.2, strata: 7, gamma: 0.5, experiments: [
            {pruning_method: random, sizes: 20},
            {pruning_method: score, scores: distance, keep: stratified, ks: 3, sizes: 20}]}
            """
        for _ in 1...2 {
            let executor = FakeExecutor()
            _ = try StudyRunner(study(text), directory: temporary.results, executor: executor).run()
            #expect(try study(temporary.text("study.yaml")) == study(text).resolved)
        }
    }

    @Test(arguments: [
        ("{pruning_method: score, sizes: 5}", "scores"),
        ("{pruning_method: score, scores: distanec, sizes: 5}", "distance"),
        ("{pruning_method: score, scores: distance, sizes: 5}", "ks"),
        ("{pruning_method: score, scores: a.npy}", "sizes"),
        ("{pruning_method: score, scores: a.npy, keep: most, sizes: 5}", "hard"),
        ("{pruning_method: score, scores: a.npy, keep: beta, sizes: 5}", "probability"),
        ("{pruning_method: score, scores: a.npy, within: cluster, sizes: 5}", "ks"),
        ("{pruning_method: score, scores: a.npy, within: clas, sizes: 5}", "class"),
        ("{pruning_method: score, scores: a.npy, keep: stratified, beta: 1, sizes: 5}", "beta"),
        ("{pruning_method: score, scores: a.npy, keep: stratified, beta: 0.5, sizes: 101}", "leaves 100 samples"),
        ("{pruning_method: score, scores: margin, keep: beta, sizes: 5}", "whose high end is hard"),
        ("{pruning_method: score, scores: a.npy, within: class, quota: article, balance: class, sizes: 5}", "conflict"),
        ("{pruning_method: score, scores: dual, score_epochs: 4, sizes: 5}", "window"),
        ("{pruning_method: score, scores: k-center, keep: hard, sizes: 5}", "greedy"),
        ("{pruning_method: score, scores: d2, neighbors: 1001, sizes: 5}", "1000"),
        ("{pruning_method: score, scores: a.npy, strata: 0, sizes: 5}", "strata"),
        ("{pruning_method: score, scores: a.npy, networks: 1001, sizes: 5}", "1000"),
        ("{pruning_method: score, scores: a.npy, window: 1, sizes: 5}", "window"),
        ("{pruning_method: score, scores: a.npy, c_d: -1, sizes: 5}", "c_d"),
        ("{pruning_method: score, scores: a.npy, gamma: .inf, sizes: 5}", "gamma"),
    ])
    func whatDoesNotFitIsRefusedByName(entry: String, word: String) throws {
        let error = #expect(throws: StudyError.self) { try plan(entry) }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }

    @Test func keysOfScoresHaveNoEffectElsewhere() throws {
        let study = try study(
            "experiments: [{pruning_method: random, sizes: 5, scores: distance, keep: hard, within: class},"
                + " {pruning_method: score, scores: a.npy, sizes: 5, ks: 3, use_pca: true, selection_strategies: closest}]"
        )
        let idle = try StudiesTests.study(
            "experiments: [{pruning_method: score, scores: a.npy, sizes: 5, beta: 0.1, window: 3, networks: 2, gamma: 1}]"
        )
        #expect(!idle.yaml.contains("window") && !idle.yaml.contains("beta"))
        #expect(try StudyReader(file: "again").read(idle.yaml).notices.isEmpty)
        #expect(idle.notices.count == 4 && idle.notices.allSatisfy { $0.contains("has no effect with these scores") })
        #expect(
            study.notices.count == 6 && study.notices.contains { $0.contains("ks has no effect with these scores") })
    }

    @Test func moreRunsMayFollowWhereOldOnesKeepTheirScores() throws {
        func study(_ runs: Int, seeds: Int?) throws -> Study {
            let line = seeds.map { ", score_seeds: \($0)" } ?? ""
            return try StudiesTests.study(
                "{runs: \(runs)\(line), experiments: [{pruning_method: score, scores: el2n, networks: 1, score_epochs: 2, sizes: 5}]}"
            )
        }
        #expect(try !StudiesTests.study("experiments: [{pruning_method: none}]").yaml.contains("score_"))
        for (before, after, isRefused) in [(nil, nil, false), (1, 1, false), (1, nil, true), (1, 2, true)]
            as [(Int?, Int?, Bool)]
        {
            let temporary = try TemporaryDirectory()
            var announced: [Int] = []
            var made: [Int] = []
            func run(_ runs: Int, _ seeds: Int?) throws {
                let runner = try StudyRunner(
                    study(runs, seeds: seeds), directory: temporary.results, executor: FakeExecutor(),
                    report: { event in
                        if case .began(_, _, _, let images) = event { announced.append(images) }
                        if case .making(_, let images) = event { made.append(images) }
                    })
                _ = try runner.run()
            }
            try run(2, before)
            // Every set is one network that sees 200 samples in two epochs.
            let sets = before ?? 2
            #expect(announced == [400 * sets] && made == [Int](repeating: 400, count: sets))
            #expect(try study(2, seeds: before).resolved == StudiesTests.study(temporary.text("study.yaml")))
            if isRefused {
                #expect(throws: StudyError.self) { try run(4, after) }
            } else {
                try run(4, after)
                // What is stored is not trained again.
                #expect(announced.last == (after == nil ? 800 : 0) && made.count == (after == nil ? 4 : sets))
            }
        }
    }
}
