import Testing

@testable import Studies

private let yaml = """
    runs: 4
    epochs: 2
    experiments:
      - {pruning_method: none}
      - {pruning_method: random, sizes: 50}
      - {pruning_method: cluster, sizes: 50, ks: [2, 12], selection_strategies: [closest, furthest]}
    """

@Suite struct StudyEstimateTests {
    private func plan() throws -> StudyPlan {
        try StudyPlan(
            StudyReader(file: "test.yaml").read(yaml), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
    }

    private var rates: StudyRates {
        var rates = StudyRates(imagesPerSecond: 100, replicas: 3, images: 64, evaluationSeconds: 0.5)
        let key = ClusteringKey(
            ClusteringRecipe(k: 2, embedding: .pixels, kmeans: .minibatch), of: TrainingSet("mnist"), seed: 1, index: 0)
        rates.artifacts[ArtifactKey(key).family] = .init(
            preparation: 10, effort: 2, seconds: 1, secondsPerEffort: 0.25)
        return rates
    }

    @Test func timeFollowsFromImagesTestsAndClusterings() throws {
        let plan = try plan()
        let estimate = plan.estimate(rates, of: Set(plan.runs))
        // 4 runs x 2 epochs x (200 + 5 x 50) images; 24 runs; 4 clusterings of 2 clusters and 4 of 12.
        #expect(estimate.training == 36 && estimate.evaluation == 12)
        let clusterings: Double = 10 + 4 * 1 + 4 * 3.5
        #expect(estimate.clustering == clusterings)
        #expect(estimate.total == 76)
    }

    @Test func everyModelHasItsOwnRate() throws {
        let plan = try StudyPlan(
            study("{runs: 2, epochs: 1, experiments: [{pruning_method: none}, {pruning_method: none, model: linear}]}"),
            shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        var rates = rates
        rates.models["linear"] = StudyRates.ModelRate(imagesPerSecond: 1000, evaluationSeconds: 0.125)
        let estimate = plan.estimate(rates, of: Set(plan.runs))
        #expect(abs(estimate.training - 4.4) < 1e-12 && estimate.evaluation == 1.25)
        #expect(estimate.models.map(\.name) == ["lenet5", "linear"] && estimate.models.map(\.images) == [400, 400])
        #expect(estimate.models.map(\.training) == [4, 0.4] && estimate.models.map(\.evaluation) == [1, 0.25])
        #expect(estimate.models.map(\.imagesPerSecond) == [100, 1000])
        // Over all models, as the seconds are.
        #expect(estimate.imagesPerSecond == 800 / estimate.training)
        let executor = FakeExecutor()
        let measured = try executor.measureRates(for: plan, replicas: 3)
        #expect(measured.models.count == 1 && measured.models.values.allSatisfy { $0.replicas == 2 })
        #expect(Set(executor.batches.compactMap { $0.first?.recipe.model.name }) == ["lenet5", "linear"])
    }

    @Test func whatIsFinishedTakesNoTime() throws {
        let plan = try plan()
        let finished = Set(plan.runs.filter { $0.experimentID != 2 })
        let estimate = plan.estimate(rates, of: Set(plan.runs).subtracting(finished))
        #expect(estimate.training == 4 && estimate.evaluation == 2 && estimate.clustering == 0)
        #expect(plan.estimate(rates, of: []).total == 0 && plan.estimate(rates, of: []).models.isEmpty)
    }

    @Test func ratesAreMeasuredAsTheStudyWillRun() throws {
        let executor = FakeExecutor()
        let rates = try executor.measureRates(for: plan(), replicas: 3)
        #expect(rates.replicas == 3)
        // The heaviest case is the whole set: batches of 64 of it, once for the programs and once for the clock.
        #expect(executor.batches.map(\.count) == [3, 3])
        #expect(executor.batches.allSatisfy { $0.allSatisfy { $0.indices.count == 200 && $0.recipe.batchSize == 64 } })
        // The fake answers half a second for every job.
        #expect(rates.images == 2048 && rates.imagesPerSecond == 4096 && rates.evaluationSeconds == 0.25)
        #expect(Set(executor.fits.map(\.k)) == [2, 12])
        // No more networks than there are runs of that size.
        #expect(try executor.measureRates(for: plan(), replicas: 40).replicas == 4)
    }
}
