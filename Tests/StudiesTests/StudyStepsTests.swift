import Testing

@testable import Studies

@Suite struct StudyStepsTests {
    private func plan(_ yaml: String) throws -> StudyPlan {
        try StudyPlan(
            StudyReader(file: "test.yaml").read(yaml), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
    }

    @Test func runsOfOneSizeShareTheirSteps() throws {
        let plan = try plan(
            """
            runs: 4
            epochs: 2
            experiments:
              - {pruning_method: none}
              - {pruning_method: random, sizes: [50, 65]}
              - {pruning_method: cluster, sizes: 50, ks: [2, 12], selection_strategies: closest}
            """)
        // 200 are 4 batches of 64 an epoch, 50 are 1, 65 are 2; 12 runs keep 50.
        #expect(
            plan.steps(replicas: 5) == [
                StudySteps(networks: 4, steps: 8), StudySteps(networks: 5, steps: 2),
                StudySteps(networks: 5, steps: 2), StudySteps(networks: 2, steps: 2), StudySteps(networks: 4, steps: 4),
            ])
        let alone = plan.steps(replicas: 1)
        #expect(alone.count == plan.runs.count && alone.allSatisfy { $0.networks == 1 })
        #expect(plan.steps(replicas: 100).map(\.networks) == [4, 12, 4])
    }

    @Test func runsThatTrainOtherwiseDoNot() throws {
        let plan = try plan(
            """
            runs: 2
            experiments:
              - {pruning_method: random, sizes: 64, steps: 7}
              - {pruning_method: random, sizes: 64, epochs: 3}
              - {pruning_method: random, sizes: 64, epochs: 3, batch_size: 32}
            """)
        #expect(
            plan.steps(replicas: 5) == [
                StudySteps(networks: 2, steps: 7), StudySteps(networks: 2, steps: 3), StudySteps(networks: 2, steps: 6),
            ])
    }

    /// 8.65 million trained images, 35 runs of each size and 5 of the whole set.
    @Test func theArticlesStepsAreItsImages() throws {
        let study = try StudyLibrary.load("article")
        let plan = try StudyPlan(study, shapes: ["mnist": DatasetShape(count: 60_000, featureCount: 784)])
        let steps = plan.steps(replicas: 40)
        #expect(steps.map(\.networks) == [5] + [Int](repeating: 35, count: 6))
        let images = steps.reduce(0) { $0 + $1.networks * $1.steps * 64 }
        #expect(Double(images) >= plan.trainedImages && Double(images) < 1.01 * plan.trainedImages)
    }
}
