import Datasets
import Networks
import Scoring
import Studies
import Support
import TestSupport
import Testing

private let shapes = ["mnist": DatasetShape(count: 200, featureCount: 64, classCount: 10)]

/// Several models in a study, and scores of one model for another.
@Suite struct ModelListTests {
    private func plan(_ yaml: String) throws -> StudyPlan { try StudyPlan(study(yaml), shapes: shapes) }

    /// "lenet5 20 random" of each experiment.
    private func cases(_ plan: StudyPlan) -> [String] {
        plan.experiments.map { experiment in
            ["model", "score_model", "dataset_size", "pruning_method", "selection_strategy"]
                .compactMap { experiment.word(column: $0) }.joined(separator: " ")
        }
    }

    private static let grid = """
        runs: 3
        model: [lenet5, mlp]
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: [20, 40]}
          - {pruning_method: cluster, sizes: 20, ks: 4, selection_strategies: furthest, model: [mlp, linear]}
        """

    @Test func everyModelTakesEveryCombination() throws {
        let plan = try plan(Self.grid)
        #expect(
            cases(plan) == [
                "lenet5 200 none", "mlp 200 none", "lenet5 20 random", "lenet5 40 random", "mlp 20 random",
                "mlp 40 random", "mlp 20 cluster furthest", "linear 20 cluster furthest",
            ])
        #expect(plan.experiments.map(\.id) == Array(1...8) && plan.notices.isEmpty)
        // A clustering is the same whatever is trained on it.
        #expect(plan.clusteringUses.count == 3 && plan.clusteringUses.values.allSatisfy { $0 == 2 })
        #expect(Set(plan.experiments.map(\.pairing)).count == 3)
    }

    @Test func aStudyReadsBackFromItsDirectory() throws {
        let own = "{name: mine, layers: [flatten, {linear: 9}, relu, {linear: classes}]}"
        let text = Self.grid.replacing("[mlp, linear]", with: "[mlp, \(own)]")
        let first = try study(text)
        #expect(try study(first.yaml) == first.resolved)
        #expect(first.isSame(as: try study(first.yaml)))
        #expect(!first.isSame(as: try study(text.replacing("[lenet5, mlp]", with: "[mlp, lenet5]"))))
        #expect(!first.isSame(as: try study(Self.grid)))
        // A list with one model equals that model.
        let one = try study("{model: [mlp], experiments: [{pruning_method: none}]}")
        #expect(one == (try study("{model: mlp, experiments: [{pruning_method: none}]}")))
        #expect(try !study("{model: [lenet5], experiments: [{pruning_method: none}]}").yaml.contains("model"))
    }

    @Test func oneModelInAnEntryTakesThePlaceOfTheList() throws {
        let plan = try plan(
            "{model: [lenet5, mlp], experiments: [{pruning_method: none, model: linear}, {pruning_method: none}]}")
        #expect(cases(plan) == ["linear 200 none", "lenet5 200 none", "mlp 200 none"])
    }

    @Test(arguments: [
        ("model: [mlp, linear, mlp]", "test.yaml:1:22: the model mlp stands twice in model"),
        ("model: []", "test.yaml:1:8: model is an empty list; give at least one model"),
        (
            "model: [\((0..<101).map { "m\($0).yaml" }.joined(separator: ", "))]",
            "test.yaml:1:8: model has 101 models; 1 to 100 are accepted"
        ),
        ("model: [mlp, mpl]", "test.yaml:1:14: unknown model mpl; the nearest known one is mlp"),
        (
            "model: [mlp, autoencoder]",
            "test.yaml:1:14: model: autoencoder reconstructs its input and predicts no classes; use it with coppice embed"
        ),
        ("model: [mlp, [linear]]", "test.yaml:1:14: model holds a list where a word is needed"),
        (
            "model: [{name: Net, layers: [flatten, {linear: classes}]}, {name: net, layers: [{linear: classes}]}]",
            "test.yaml:1:60: the name of the model net differs by upper and lower case alone from the model Net"
                + " earlier in the list; give each its own name"
        ),
        (
            "model: [{name: net, layers: [flatten, {linear: classes}]}, {name: net, layers: [{linear: classes}]}]",
            "test.yaml:1:60: the model net has other layers earlier in the list; give each its own name"
        ),
        (
            "model: {name: net, layers: [flatten, {linear: classes}]}\n"
                + "score_model: {name: NET, layers: [{linear: classes}]}",
            "test.yaml:2:14: the name of the model NET differs by upper and lower case alone from the model net under the"
                + " key model; give each its own name"
        ),
        ("score_model: [mlp, mlp]", "test.yaml:1:20: the model mlp stands twice in score_model"),
        ("score_model: mpl", "test.yaml:1:14: unknown score_model mpl; the nearest known one is mlp"),
        (
            "dataset: features\nmodel: [mlp, lenet5]",
            "test.yaml:2:14: model is lenet5, which takes images, and the data set features is of features"
        ),
        (
            "dataset: features\nmodel: mlp\nscore_model: [mlp, lenet5]",
            "test.yaml:3:20: score_model is lenet5, which takes images, and the data set features is of features"
        ),
    ]) func aFaultIsNamedWithItsPlace(keys: String, sentence: String) throws {
        let text = keys + "\nexperiments: [{pruning_method: score, scores: el2n, sizes: 5}]"
        let error = try #require(throws: StudyError.self, "\(keys)") { try study(text) }
        #expect(error.description.contains(sentence), "\(error)")
        #expect(error.category == .badData)
    }

    @Test func anEntryMayNotHaveAModelOfAlmostTheSameName() throws {
        let text = """
            experiments:
              - {pruning_method: none, model: {name: net, layers: [flatten, {linear: classes}]}}
              - {pruning_method: none, model: [mlp, {name: Net, layers: [flatten, {linear: classes}]}]}
            """
        let error = try #require(throws: StudyError.self) { try study(text) }
        #expect(
            error.description
                == "test.yaml:3:41: the name of the model Net differs by upper and lower case alone from the model net in"
                + " an earlier entry; give each its own name")
    }

    @Test func modelsShareWhatIsKeptAndCompareWithTheirOwnBaselines() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let text = """
            runs: 3
            model: [lenet5, mlp]
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: 20}
              - {pruning_method: cluster, sizes: 20, ks: 4, selection_strategies: furthest}
            """
        let results = try StudyRunner(study(text), directory: temporary.results, executor: executor).run()
        #expect(
            cases(results.plan).map { $0.split(separator: " ")[0] } == [
                "lenet5", "mlp", "lenet5", "mlp", "lenet5", "mlp",
            ])
        #expect(executor.fits.count == 3)
        func kept(_ id: Int) -> [[Int]] {
            executor.batches.flatMap(\.self).filter { $0.experimentID == id }.sorted { $0.run < $1.run }.map(\.indices)
        }
        #expect(kept(3) == kept(4) && kept(5) == kept(6) && kept(3) != kept(5) && kept(3).count == 3)
        // All networks of a launch have the same model.
        let models = executor.batches.map { batch in Set(batch.map(\.recipe.model.name)).count }
        #expect(models.allSatisfy { $0 == 1 })
        func baselines(_ baseline: Baseline) -> [Int?] {
            results.summaries.map { $0.comparisons[baseline]?.baselineID }
        }
        #expect(baselines(.full) == [nil, nil, 1, 2, 1, 2])
        #expect(baselines(.random) == [nil, nil, nil, nil, 3, 4])
        // One family per baseline, whatever the models: each p-value is corrected for all four, or both.
        for (baseline, tests) in [(Baseline.full, 4.0), (.random, 2)] {
            let compared = results.summaries.compactMap { $0.comparisons[baseline] }
            let least = try #require(compared.min { ($0.p ?? 1) < ($1.p ?? 1) })
            #expect(Double(compared.count) == tests)
            #expect(least.pHolm == min(1, tests * (least.p ?? 1)))
        }
    }

    // MARK: - Scores of other models

    private func models(_ plan: StudyPlan) -> [[String]] {
        plan.experiments.map { experiment in
            (0..<experiment.runs).flatMap { run in
                plan.artifactUses.keys.compactMap { $0.kind as? DynamicsKey }
                    .filter { $0.index == run && $0.model.name == experiment.word(column: "score_model") }
                    .map(\.model.name)
            }
        }
    }

    @Test func networksOfScoresAreOfTheCasesOwnModelUnlessAnotherIsNamed() throws {
        let entry = "experiments: [{pruning_method: score, scores: el2n, sizes: 20}]"
        let own = try plan("{runs: 2, model: [lenet5, mlp], \(entry)}")
        #expect(cases(own) == ["lenet5 lenet5 20 score el2n", "mlp mlp 20 score el2n"])
        #expect(models(own) == [["lenet5", "lenet5"], ["mlp", "mlp"]])
        let other = try plan("{runs: 2, model: [lenet5, mlp], score_model: linear, \(entry)}")
        #expect(cases(other) == ["lenet5 linear 20 score el2n", "mlp linear 20 score el2n"])
        // Two sets of networks serve both models.
        let keys = other.artifactUses.keys.compactMap { $0.kind as? DynamicsKey }
        #expect(keys.map(\.model.name) == ["linear", "linear"])
        #expect(other.artifactUses.values.allSatisfy { $0 == 2 })
        // The key is the same as for a case that trains that model.
        let plain = try plan("{runs: 2, model: linear, \(entry)}")
        #expect(Set(plain.artifactUses.keys) == Set(other.artifactUses.keys))
        let named = try plan("{runs: 2, model: linear, score_model: linear, \(entry)}")
        #expect(Set(named.artifactUses.keys) == Set(plain.artifactUses.keys))
        #expect(named.experiments == plain.experiments)
    }

    @Test func severalModelsOfScoresMakeACaseEachWhereNetworksAreTrained() throws {
        let text = """
            runs: 1
            model: [lenet5, mlp]
            score_model: [mlp, linear]
            experiments:
              - {pruning_method: random, sizes: 20}
              - {pruning_method: random, sizes: 20, balance: recall, validation: 20}
              - {pruning_method: score, scores: [k-center, el2n], sizes: [20, 30]}
            """
        #expect(try study(study(text).yaml) == study(text).resolved)
        let plan = try plan(text)
        #expect(
            cases(plan) == [
                "lenet5 20 random", "mlp 20 random",
                "lenet5 mlp 20 random", "lenet5 linear 20 random", "mlp mlp 20 random", "mlp linear 20 random",
                "lenet5 20 score k-center", "lenet5 mlp 20 score el2n", "lenet5 30 score k-center",
                "lenet5 mlp 30 score el2n", "lenet5 linear 20 score el2n", "lenet5 linear 30 score el2n",
                "mlp 20 score k-center", "mlp mlp 20 score el2n", "mlp 30 score k-center", "mlp mlp 30 score el2n",
                "mlp linear 20 score el2n", "mlp linear 30 score el2n",
            ])
        #expect(plan.notices.isEmpty)
        // One order for both sizes and models, one set of networks for each model of scores and training set.
        #expect(plan.artifactUses.filter { $0.key.kind is ScoreKey }.map(\.value) == [4])
        #expect(plan.artifactUses.keys.count { $0.kind is DynamicsKey } == 4)
    }

    @Test func networksOfAnotherModelSelect() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let text = """
            runs: 2
            model: [lenet5, mlp]
            score_model: [mlp, lenet5]
            score_seeds: 1
            experiments: [{pruning_method: score, scores: el2n, sizes: 20}]
            """
        let results = try StudyRunner(study(text), directory: temporary.results, executor: executor).run()
        #expect(executor.trained.map(\.model.name).sorted() == ["lenet5", "mlp"])
        #expect(results.records.count == 8)
        #expect(results.plan.experiments.map { $0.otherScoreModel?.name } == ["mlp", nil, nil, "lenet5"])
        // A study that is run again finds everything.
        let again = FakeExecutor()
        #expect(try StudyRunner(study(text), directory: temporary.results, executor: again).run().records.count == 8)
        #expect(again.trained.isEmpty && again.batches.isEmpty)
    }

    @Test func aModelOfScoresWithoutNetworksIsIdle() throws {
        let entry = "pruning_method: random, sizes: 20"
        let idle = try study("experiments: [{\(entry), score_model: mlp}]")
        #expect(idle.notices.map { $0.contains("score_model has no effect with pruning_method random") } == [true])
        #expect(idle.isSame(as: try study("experiments: [{\(entry)}]")))
        let above = try study("{score_model: lenet5, dataset: features, model: mlp, experiments: [{\(entry)}]}")
        #expect(
            above.notices == [
                "test.yaml:1:15: score_model has no effect without an entry that trains networks for scores, such as"
                    + " scores: el2n or balance: recall; it is ignored"
            ])
        #expect(!above.yaml.contains("score_model"))
    }

    @Test func aModelOfScoresAboveAllEntriesIsIdleWhereEachHasItsOwn() throws {
        let scored = "pruning_method: score, sizes: 20, scores: el2n"
        func notices(_ entries: String) throws -> [String] {
            try study("score_model: lenet5\nexperiments: [{pruning_method: none}, \(entries)]").notices
        }
        #expect(
            try notices("{\(scored), score_model: mlp}") == [
                "test.yaml:1:14: score_model has no effect where every entry that trains networks for scores has its own;"
                    + " it is ignored"
            ])
        #expect(try notices("{\(scored), score_model: mlp}, {\(scored)}").isEmpty)
        #expect(try notices("{pruning_method: random, sizes: 20, balance: recall, validation: 20}").isEmpty)
    }
}
