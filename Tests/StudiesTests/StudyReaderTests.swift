import Foundation
import Pruning
import Studies
import Testing

private let mnist = ["mnist": DatasetShape(count: 60_000, featureCount: 784)]

@Suite struct StudyReaderTests {
    @Test func theArticlesSchemaReadsUnchanged() throws {
        let study = try study(
            """
            experiments:
              # 1) by chance
              - pruning_method: "random"
                sizes: [60, 600, 1200, 3000, 6000, 30000]
                # neither k nor a strategy here

              - pruning_method: "cluster"
                use_pca: false
                ks: [10, 20, 50, 100, 500, 1000, 2000, 5000, 10000]
                selection_strategies: ["closest", "furthest", "hybrid", "random"]
                sizes: [60, 600, 1200, 3000, 6000, 30000]

              - pruning_method: "cluster"
                use_pca: true
                ks: [10, 20, 50, 100, 500, 1000, 2000, 5000, 10000]
                selection_strategies: ["closest", "furthest", "hybrid", "random"]
                sizes: [60, 600, 1200, 3000, 6000, 30000]
            """)
        #expect(study.notices.isEmpty)
        let plan = try StudyPlan(study, shapes: mnist)
        #expect(plan.experiments.count == 6 + 2 * 6 * 9 * 4)
        #expect(plan.runs.count == 5 * plan.experiments.count)
        #expect(plan.clusteringCount == 2 * 9 * 5)
        // The article numbers its experiments by size, then k, then strategy.
        let first = plan.experiments[6...].prefix(5).map { "\($0.size) \($0.clustering?.k ?? 0) \($0.selection.kind)" }
        #expect(
            first == ["60 10 closest", "60 10 furthest", "60 10 hybrid", "60 10 random in cluster", "60 20 closest"])
        #expect(plan.experiments.map(\.id) == Array(1...plan.experiments.count))
    }

    @Test func keysWithoutUseAreIgnoredWithANotice() throws {
        let study = try study(
            """
            experiments:
              - pruning_method: "none"
                use_pca: true
                ks: [50]
                selection_strategies: ["furthest"]
                sizes: [60000]
              - pruning_method: random
                ks: [50, 500]
                sizes: [30000]
              - pruning_method: cluster
                ks: [50]
                sizes: [30000]
                selection_strategies: closest
                n_closest: 3
            """)
        #expect(study.notices.count == 6)
        #expect(study.notices.first == "test.yaml:6:12: sizes has no effect with pruning_method none; it is ignored")
        let plan = try StudyPlan(study, shapes: mnist)
        #expect(plan.experiments.count == 3)
        #expect(plan.experiments[0].size == 60_000)
        #expect(plan.experiments[2].selection == .closest)
    }

    @Test func scalarsStandForListsAndDefaultsAreTheArticles() throws {
        let study = try study(
            "experiments: [{pruning_method: cluster, sizes: 6e2, ks: 50, selection_strategies: hybrid, use_pca: yes}]")
        let group = study.groups[0]
        #expect(group.sizes == [.count(600)] && group.ks == [50] && group.selections == [.hybrid()])
        #expect(group.embeddings == [.pca])
        #expect(group.settings == StudySettings())
        let settings = group.settings
        #expect(settings.runs == 5 && settings.recipe.duration == .epochs(5) && settings.recipe.batchSize == 64)
        #expect(settings.recipe.learningRate == 0.001 && settings.pcaComponents == 50 && settings.kmeans == .minibatch)
        #expect(settings.quota == .exact && settings.balance == .none && settings.recipe.dataset == "mnist")
    }

    @Test func mergeKeysBringWhatIsNotGiven() throws {
        let study = try study(
            """
            <<: {runs: 3, seed: 8}
            seed: 9
            experiments:
              - &small {pruning_method: random, sizes: [60], epochs: 2}
              - {<<: *small, sizes: [70]}
              - &other
                batch_size: 7
                <<: *small
                epochs: 4
              - pruning_method: cluster
                ks: 5
                selection_strategies: closest
                <<: [*other, *small, {sizes: 99, learning_rate: 0.5}]
            """)
        #expect(study.groups.map(\.sizes) == [[.count(60)], [.count(70)], [.count(60)], [.count(60)]])
        #expect(study.groups.map(\.settings.recipe.duration) == [.epochs(2), .epochs(2), .epochs(4), .epochs(4)])
        #expect(study.groups.map(\.settings.recipe.batchSize) == [64, 64, 7, 7])
        #expect(study.groups.map(\.settings.recipe.learningRate) == [0.001, 0.001, 0.001, 0.5])
        #expect(study.groups.map(\.selections) == [[.random], [.random], [.random], [.closest]])
        #expect(study.groups.allSatisfy { $0.settings.runs == 3 && $0.settings.seed == 9 })
        #expect(try StudyReader(file: "again").read(study.yaml) == study.resolved)
    }

    @Test func aFaultInWhatIsMergedHasItsOwnPlace() {
        let yaml = """
            experiments:
              - &a {pruning_method: random,
                    sizes: 5, epochs: 0x2}
              - {<<: *a, epochs: 3}
            """
        // The first entry itself is at fault.
        #expect(studyError { _ = try study(yaml) }?.description.hasPrefix("test.yaml:3:27: epochs is 0x2") == true)
        let inline = "experiments:\n  - {<<: {epochs: 0x2}, pruning_method: none}"
        #expect(studyError { _ = try study(inline) }?.description.hasPrefix("test.yaml:2:19: epochs is 0x2") == true)
        #expect(throws: Never.self) { try study(inline.replacing("}, pr", with: "}, epochs: 3, pr")) }
    }

    @Test func anExperimentsSettingsGoBeforeTheTops() throws {
        let study = try study(
            """
            runs: 2
            epochs: 3
            quota: article
            balance: none
            seed: 18446744073709551615
            experiments:
              - {pruning_method: none, runs: 4, steps: 70, dataset: fashion-mnist, learning_rate: 1e-05}
              - {pruning_method: random, sizes: 1.5%, quota: exact, balance: class, kmeans: lloyd, batch_size: 7}
            """)
        let first = study.groups[0].settings
        let second = study.groups[1].settings
        #expect(first.runs == 4 && first.recipe.duration == .steps(70) && first.recipe.dataset == "fashion-mnist")
        #expect(first.recipe.learningRate == 1e-5 && first.seed == UInt64.max && first.quota == .article)
        #expect(second.runs == 2 && second.recipe.duration == .epochs(3) && second.quota == .exact)
        #expect(second.balance == .class && second.kmeans == .lloyd && second.recipe.batchSize == 7)
        #expect(study.groups[1].sizes == [.percent(1.5)])
        #expect(study.datasets == ["fashion-mnist", "mnist"])
    }

    @Test(arguments: [
        everything, StudyLibrary.text("article") ?? "", StudyLibrary.text("quickstart") ?? "",
        "{steps: 9, seed: 18446744073709551615, learning_rate: 1.0e-7, experiments: [{pruning_method: none, runs: 1}]}",
        """
        experiments:
          - {pruning_method: random, sizes: [1.5%, 7], clustering_seeds: 2, dataset: fashion-mnist}
          - {pruning_method: cluster, sizes: 33.3%, ks: [1, 2], selection_strategies: [hybrid, random],
             use_pca: [true, false], n_furthest: 4, n_closest: 0, steps: 12, balance: class}
        """,
        "{model: mlp, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 7, model: linear}]}",
    ])
    func theResolvedStudyReadsBackEqual(yaml: String) throws {
        let original = try study(yaml)
        let again = try study(original.yaml)
        #expect(again == original.resolved)
        #expect(again.yaml == original.yaml)
        #expect(again.groups.allSatisfy { $0.settings.clusteringSeeds != nil })
    }

    /// A study without the key trains the article's network, as those of earlier versions do, and its file stays as it was.
    @Test func theModelIsKeptWhereItIsAnother() throws {
        let mixed = try study("experiments: [{pruning_method: none}, {pruning_method: none, model: mlp, epochs: 2}]")
        #expect(mixed.groups.map(\.settings.recipe.model.name) == ["lenet5", "mlp"])
        #expect(mixed.yaml.contains("model: mlp") && mixed.yaml.contains("model: lenet5"))
        #expect(try !study("experiments: [{pruning_method: none}]").yaml.contains("model"))
    }

    /// YAML 1.1 takes a number for a float only with a point, and with a sign in its exponent; PyYAML does.
    @Test(arguments: [
        ("1e-05", "1.0e-05"), ("1.5e-7", "1.5e-07"), ("1e30", "1.0e+30"), ("2", "2.0"), ("0.001", "0.001"),
    ])
    func floatsAreFloatsToEveryReader(given: String, written: String) throws {
        let study = try study("{learning_rate: \(given), equal_within: 1.0e-3, experiments: [{pruning_method: none}]}")
        #expect(study.yaml.contains("\nlearning_rate: \(written)\n"), "\(study.yaml)")
        let pattern = /[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?/
        for line in study.yaml.split(separator: "\n")
        where line.contains("learning_rate") || line.contains("equal_within") {
            #expect(line.split(separator: ": ")[1].wholeMatch(of: pattern) != nil, "\(line)")
        }
        #expect(try StudyReader(file: "test.yaml").read(study.yaml) == study.resolved)
    }

    @Test(arguments: [
        "no", "NULL", "1e5", "0x1f", "12", "1_000", "2001-01-01", "y", "On", "1.0", "plain-name", "NaN.x",
    ])
    func namesAreNamesToEveryReader(name: String) throws {
        let reader = StudyReader(file: "test.yaml", acceptsAnyDataset: true)
        let study = try reader.read("{dataset: \"\(name)\", experiments: [{pruning_method: none}]}")
        let isPlain = ["plain-name", "NaN.x"].contains(name)
        #expect(study.yaml.contains("dataset: " + (isPlain ? name : "\"\(name)\"")), "\(study.yaml)")
        #expect(try reader.read(study.yaml).datasets == [name])
    }

    @Test func optionsReplaceTheFilesValues() throws {
        let study = try study(everything).overriding(runs: 9, seed: 4, dataset: "fashion-mnist")
        #expect(study.groups.allSatisfy { $0.settings.runs == 9 && $0.settings.seed == 4 })
        #expect(study.datasets == ["fashion-mnist"])
        #expect(study.resolved.groups[0].settings.clusteringSeeds == 9)
        for runs in [0, -1] {
            let error = studyError { _ = try study.overriding(runs: runs) }
            #expect(error?.category == .usage)
            #expect(error?.description.hasPrefix("--runs: \(runs) is out of range") == true)
        }
    }

    @Test func builtInStudiesAreWhatTheyPromise() throws {
        let article = try StudyPlan(StudyLibrary.load("article"), shapes: mnist)
        #expect(article.experiments.count == 43)
        #expect(article.runs.count == 215)
        #expect(article.clusteringCount == 2)
        #expect(article.experiments.allSatisfy { ($0.selection.quota == .article) == ($0.clustering != nil) })
        let quickstart = try StudyPlan(StudyLibrary.load("quickstart"), shapes: mnist)
        #expect(quickstart.experiments.map(\.size) == [60_000, 6000, 6000, 6000])
        #expect(quickstart.experiments.map(\.selection) == [.whole, .random, .closest, .furthest])
        // Three comparisons with the whole set, corrected: 3 * 2 / 2^7 is the first below 0.05.
        #expect(quickstart.experiments.allSatisfy { $0.runs == 7 })
    }
}
