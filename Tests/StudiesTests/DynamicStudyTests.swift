import Compute
import Datasets
import Networks
import Support
import TestSupport
import Testing

@testable import Studies

/// Studies whose epochs leave samples out.
@Suite struct DynamicStudyTests {
    /// Cases 1 and 2: the whole set; 3 and 4: 40 random samples; each plain and by infobatch.
    private static let yaml = """
        runs: 3
        epochs: 4
        batch_size: 16
        experiments:
          - {pruning_method: none}
          - {pruning_method: none, dynamic: infobatch}
          - {pruning_method: random, sizes: 40}
          - {pruning_method: random, sizes: 40, dynamic: infobatch}
        """

    private func study(_ yaml: String) throws -> Study {
        try StudyReader(file: "study.yaml", acceptsAnyDataset: true).read(yaml)
    }

    private func refusal(_ yaml: String) -> String {
        let error = #expect(throws: StudyError.self) { try study(yaml) }
        #expect(error?.category == .badData)
        return error?.description ?? ""
    }

    @Test func keysAreReadAtTheTopAndInAnEntry() throws {
        let study = try study(
            """
            dynamic: infobatch
            prune_share: 0.3
            experiments:
              - {pruning_method: none}
              - {pruning_method: none, dynamic: none}
              - {pruning_method: none, prune_share: 0.9, anneal: 0.5}
              - {pruning_method: none, dynamic: none, anneal: 0.5}
            """)
        let recipes = study.groups.map(\.settings.trainingRecipe)
        #expect(
            recipes.map(\.dynamic)
                == [
                    DynamicPruning(pruneShare: 0.3), nil, DynamicPruning(pruneShare: 0.9, anneal: 0.5), nil,
                ])
        #expect(
            study.notices == ["study.yaml:7:51: anneal has no effect without dynamic: infobatch; it is ignored"],
            "\(study.notices)")
        #expect(recipes[0].options(.epochs(3)).dynamic == DynamicPruning(pruneShare: 0.3))
        #expect(Set(recipes.map { LaunchGroup(recipe: $0, size: 1) }).count == 3)
        #expect(
            Set(recipes.map(\.dynamicWords)) == [
                ["dynamic infobatch", "prune_share 0.3", "anneal 0.125"], [],
                ["dynamic infobatch", "prune_share 0.9", "anneal 0.5"],
            ])
        // Score networks train on all samples whatever the networks of the study do.
        let keys = recipes.map { DynamicsKey($0, networks: 2, epochs: 3, seed: 1, index: 0) }
        #expect(Set(keys).count == 1 && keys[0].recipe.dynamic == nil)
    }

    /// A written study reads back unchanged; a study without these keys is written as before.
    @Test(arguments: [
        "{dynamic: infobatch, experiments: [{pruning_method: none}]}",
        "{dynamic: infobatch, prune_share: 0.25, experiments: [{pruning_method: none}, {pruning_method: none, anneal: 0}]}",
        "{prune_share: 0.25, anneal: 0, experiments: [{pruning_method: none}, {pruning_method: none, dynamic: infobatch}]}",
        "{dynamic: infobatch, experiments: [{pruning_method: none, dynamic: none}, {pruning_method: random, sizes: 5}]}",
    ]) func whatIsWrittenReadsBack(yaml: String) throws {
        let study = try study(yaml)
        let again = try self.study(study.yaml)
        #expect(again == study.resolved, "\(study.yaml)")
        #expect(again.yaml == study.yaml)
    }

    @Test func plainStudiesAreWrittenAsBefore() throws {
        let plain = try study("experiments: [{pruning_method: none}]")
        let idle = try study("{dynamic: none, prune_share: 0.3, anneal: 0, experiments: [{pruning_method: none}]}")
        #expect(plain.yaml == idle.yaml && plain.resolved == idle.resolved)
        for key in TrainingRecipe.dynamicColumns { #expect(!plain.yaml.contains(key)) }
        let other = try study("{dynamic: infobatch, experiments: [{pruning_method: none}]}")
        #expect(
            other.difference(from: plain)
                == "in entry 1 of experiments, dynamic is infobatch there and not given here")
    }

    @Test func epochsTooFewToPruneAreNoted() throws {
        let study = try study(
            "{epochs: 2, experiments: [{pruning_method: none, dynamic: infobatch}, {pruning_method: none, dynamic: infobatch, anneal: 0}]}"
        )
        #expect(
            study.notices.count == 1 && study.notices[0].hasPrefix("study.yaml:1:59: with 2 epochs and anneal 0.125"))
    }

    @Test func mistakesAreRefusedWithTheirPlace() {
        for (keys, words) in [
            ("dynamic: infobach", ":1:11: unknown dynamic infobach; the nearest known one is infobatch"),
            ("dynamic: infobatch, prune_share: 0", ":1:35: prune_share is 0; above 0 and below 1 is accepted"),
            ("dynamic: infobatch, prune_share: 1", "prune_share is 1; above 0"),
            ("dynamic: infobatch, anneal: -0.1", ":1:30: anneal is -0.1; from 0 to 1 is accepted"),
            ("dynamic: infobatch, anneal: 2", "anneal is 2; from 0 to 1"),
            ("prune_share: half", "prune_share"),
            ("dynamic: infobatch, epochs: 0", "epochs"),
        ] {
            let text = refusal("{\(keys), experiments: [{pruning_method: none}]}")
            #expect(text.hasPrefix("study.yaml:1:") && text.contains(words), "\(text)")
        }
        for (keys, words) in [
            (
                "dynamic: infobatch, steps: 50",
                "dynamic infobatch and steps 50 conflict: infobatch needs epochs, not steps"
            ),
            ("dynamic: infobatch, schedule: cosine", "dynamic infobatch and schedule cosine conflict"),
            ("dynamic: infobatch, resample: epoch", "dynamic infobatch and resample epoch conflict"),
        ] {
            let inEntry = refusal("{experiments: [{pruning_method: random, sizes: 5, \(keys)}]}")
            #expect(inEntry.hasPrefix("study.yaml:1:") && inEntry.contains(words), "\(inEntry)")
            let above = refusal("{\(keys), experiments: [{pruning_method: random, sizes: 5}]}")
            #expect(above.hasPrefix("study.yaml:1:") && above.contains(words), "\(above)")
        }
        #expect(
            refusal("{dynamic: infobatch, experiments: [{pruning_method: none, steps: 50}]}")
                .hasSuffix("dynamic: none, or epochs, is accepted"))
    }

    /// Runs train together, record their steps, and are compared with those that take all samples.
    @Test func recordsTellWhatWasTaken() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let results = try StudyRunner(
            study(Self.yaml), directory: temporary.results, executor: executor, replicas: 8
        ).run()
        #expect(executor.batches.allSatisfy { $0.count == 3 })
        for record in results.records {
            let isDynamic = record.experimentID % 2 == 0
            #expect((record.steps == nil) != isDynamic && (record.images == nil) != isDynamic)
            if record.experimentID == 2 {
                // 200 and three times 150, by 16.
                #expect(record.steps == 13 + 3 * 10 && record.images == 650 && record.replicas == 3)
            }
        }
        // Each whole set and each random one is compared with the one that takes all samples.
        let baselines = results.summaries.map { summary in
            Baseline.allCases.map { summary.comparisons[$0]?.baselineID }
        }
        #expect(baselines == [[nil, nil], [1, nil], [1, nil], [1, 3]])
        #expect(Set(results.plan.experiments.map(\.pairing)).count == 1)
        let stored = try StoredStudy(reading: temporary.results)
        #expect(stored.results.records == results.records && stored.notices.isEmpty)
    }

    /// A study whose cases all leave samples out compares them as any other does.
    @Test func aStudyOfNothingElseComparesAsOthersDo() throws {
        let temporary = try TemporaryDirectory()
        let results = try StudyRunner(
            study(
                """
                {runs: 3, dynamic: infobatch, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 40},
                 {pruning_method: cluster, sizes: 40, ks: 3, selection_strategies: closest}]}
                """), directory: temporary.results, executor: FakeExecutor()
        ).run()
        let baselines = results.summaries.map { summary in
            Baseline.allCases.map { summary.comparisons[$0]?.baselineID }
        }
        #expect(baselines == [[nil, nil], [1, nil], [1, 2]])
        #expect(!results.comparisonNotes.contains { $0.contains("no finished run") })
        #expect(results.plan.estimateNote?.contains("upper bounds") == true)
        #expect(results.plan.steps(replicas: 8).map(\.networks) == [3, 6])
    }

    /// A line without a run's steps and images, or with impossible numbers of them, is not a finished run.
    @Test(arguments: [
        ("\"steps\":43,", ""), ("\"images\":650,", ""), ("\"steps\":43,", "\"steps\":53,"),
        ("\"steps\":43,", "\"steps\":40,"),
        ("\"images\":650,", "\"images\":199,"), ("\"images\":650,", "\"images\":801,"),
        ("\"kept\":40,", "\"kept\":40,\"steps\":12,\"images\":160,"),
    ])
    func lossesAreFound(old: String, new: String) throws {
        let temporary = try TemporaryDirectory()
        let yaml = """
            {runs: 1, epochs: 4, batch_size: 16, experiments: [{pruning_method: random, sizes: 40},
             {pruning_method: none, dynamic: infobatch}]}
            """
        _ = try StudyRunner(study(yaml), directory: temporary.results, executor: FakeExecutor()).run()
        let log = try temporary.text("runs.jsonl")
        #expect(log.contains(old))
        try temporary.write(log.replacing(old, with: new), to: "runs.jsonl")
        #expect(try StoredStudy(reading: temporary.results).results.records.count == 1)
    }

    private func dataset(_ name: String) throws -> Dataset {
        try Dataset(name: name, train: noise(61, classes: 3, run: 0), test: noise(97, classes: 3, run: 1))
    }

    /// Real networks: the results are the same however many may train together, and after resuming.
    @Test func resultsDependOnTheRunAlone() throws {
        let yaml = """
            {dataset: made, model: mlp, runs: 3, epochs: 4, batch_size: 8, learning_rate: 0.01, experiments: [
              {pruning_method: none}, {pruning_method: none, dynamic: infobatch},
              {pruning_method: random, sizes: 40, dynamic: infobatch, optimizer: sgd, momentum: 0.5}]}
            """
        for name in TestBackends.names {
            var figures: Set<[[Int]]> = []
            for replicas in [1, 4] {
                let temporary = try TemporaryDirectory()
                func run(_ runs: Int) throws -> StudyResults {
                    let study = try study(yaml).overriding(runs: runs)
                    return try StudyRunner(
                        study, directory: temporary.results,
                        executor: BackendExecutor(on: try TestBackends.make(name), load: dataset), replicas: replicas
                    ).run()
                }
                if replicas == 4 { _ = try run(2) }
                let results = try run(3)
                figures.insert(results.records.map { [$0.correct, $0.steps ?? 0, $0.images ?? 0] })
                let taken = results.records.filter { $0.experimentID == 2 }.compactMap(\.images)
                #expect(taken.count == 3 && Set(taken).count > 1 && taken.allSatisfy { 122 < $0 && $0 < 244 })
                #expect(
                    results.records.filter { $0.experimentID == 3 }.allSatisfy { $0.distinct == nil && $0.kept == 40 })
            }
            #expect(figures.count == 1, "\(name)")
        }
    }
}
