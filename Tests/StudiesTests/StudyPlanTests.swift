import Pruning
import Studies
import Testing

private let shapes = ["mnist": DatasetShape(count: 200, featureCount: 64)]

@Suite struct StudyPlanTests {
    @Test func experimentsAreTheCrossProductInTheFilesOrder() throws {
        let plan = try StudyPlan(study(everything), shapes: shapes)
        #expect(plan.experiments.count == 19)
        #expect(plan.runs.count == 57)
        #expect(plan.experiments.map(\.id) == Array(1...19))
        #expect(plan.experiments[0].selection == .whole && plan.experiments[0].size == 200)
        #expect(plan.experiments[1...2].map(\.size) == [20, 100])
        let eighth = plan.experiments[7]
        #expect(eighth.size == 20 && eighth.selection == .closest)
        #expect(eighth.clustering?.k == 7 && eighth.clustering?.pcaComponents == nil)
        #expect(plan.experiments[6].selection == .hybrid(closest: 2, furthest: 1))
        #expect(plan.experiments[5].selection == .randomInCluster)
        #expect(plan.notices.isEmpty)
    }

    @Test func usePCAIsTheInnermostOfTheLists() throws {
        let plan = try StudyPlan(
            study(
                "experiments: [{pruning_method: cluster, sizes: [5, 6], ks: [2, 3], selection_strategies: [closest],"
                    + " use_pca: [true, false]}]"), shapes: shapes)
        let order = plan.experiments.map {
            "\($0.size) \($0.clustering?.k ?? 0) \($0.clustering?.pcaComponents != nil)"
        }
        #expect(
            order == [
                "5 2 true", "5 2 false", "5 3 true", "5 3 false", "6 2 true", "6 2 false", "6 3 true", "6 3 false",
            ])
    }

    @Test(arguments: [(nil, [0, 1, 2]), (1, [0, 0, 0]), (2, [0, 1, 0]), (7, [0, 1, 2])] as [(Int?, [Int])])
    func runsTakeClusteringsInTurns(seeds: Int?, indices: [Int]) throws {
        let line = seeds.map { "clustering_seeds: \($0), " } ?? ""
        let plan = try StudyPlan(
            study(
                "{runs: 3, \(line)experiments: [{pruning_method: cluster, sizes: [5, 9], ks: 4, quota: exact,"
                    + " selection_strategies: [closest, random]}]}"), shapes: shapes)
        #expect(plan.clusteringCount == Set(indices).count)
        for experiment in plan.experiments {
            #expect((0..<3).map { experiment.clustering(run: $0)?.index } == indices)
        }
        #expect(plan.clusteringUses.values.reduce(0, +) == plan.runs.count)
    }

    @Test func clusteringsDifferByWhatMakesThemAlone() throws {
        let plan = try StudyPlan(
            study(
                """
                runs: 1
                experiments:
                  - {pruning_method: cluster, sizes: [5, 9], ks: 4, selection_strategies: [closest, hybrid]}
                  - {pruning_method: cluster, sizes: 5, ks: 4, selection_strategies: closest, quota: article, epochs: 1}
                  - {pruning_method: cluster, sizes: 5, ks: 4, selection_strategies: closest, kmeans: lloyd}
                  - {pruning_method: cluster, sizes: 5, ks: 4, selection_strategies: closest, use_pca: true}
                  - {pruning_method: cluster, sizes: 5, ks: 4, selection_strategies: closest, use_pca: true, pca_components: 3}
                  - {pruning_method: cluster, sizes: 5, ks: 4, selection_strategies: closest, seed: 2}
                """), shapes: shapes)
        #expect(plan.clusteringCount == 5)
        #expect(Set(plan.clusteringUses.keys.map(\.fileName)).count == 5)
    }

    @Test func equalExperimentsAreNoticed() throws {
        let plan = try StudyPlan(
            study(
                "experiments: [{pruning_method: random, sizes: [20, 10%]}, {pruning_method: none},"
                    + " {pruning_method: random, sizes: 100%}]"), shapes: shapes)
        #expect(plan.notices == ["experiment 2 is the same as experiment 1"])
    }

    @Test func trainedImagesCountShortBatches() throws {
        let plan = try StudyPlan(
            study("{runs: 2, experiments: [{pruning_method: none, epochs: 3}, {pruning_method: none, steps: 9}]}"),
            shapes: shapes)
        // Batches of 64 over 200: 64, 64, 64, 8. Nine steps are two epochs and one batch.
        #expect(plan.experiments[1].recipe.images(kept: 200) == 464)
        #expect(plan.trainedImages == 2 * (600 + 464))
    }

    @Test(arguments: [("1%", 2), ("0.25%", 1), ("100%", 200), ("33.4%", 67)])
    func sharesAreRounded(share: String, size: Int) throws {
        let plan = try StudyPlan(study("experiments: [{pruning_method: random, sizes: \(share)}]"), shapes: shapes)
        #expect(plan.experiments[0].size == size)
    }

    @Test func aShareOfNoSampleIsRefused() throws {
        let study = try study("experiments: [{pruning_method: random, sizes: [1%, 0.1%]}]")
        let error = #expect(throws: StudyError.self) { try StudyPlan(study, shapes: shapes) }
        #expect(error?.category == .badData)
        #expect(error?.description.contains("sizes holds 0.1%, which rounds to no sample at all") == true)
        #expect(error?.description.hasSuffix("0.25% is the least that keeps one") == true)
    }
}
