import Testing

@testable import Reports
@testable import Studies

/// The output of `coppice run --dry-run`.
@Suite struct PlanTextTests {
    private func text(_ models: String, of runs: Int = 2) throws -> String {
        let study = try StudyReader(file: "test.yaml").read(
            "{runs: 2, epochs: 1, model: \(models), experiments: [{pruning_method: none}]}")
        let plan = try StudyPlan(study, shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        var rates = StudyRates(imagesPerSecond: 100, replicas: 2, images: 64, evaluationSeconds: 0.5)
        rates.models["linear"] = .init(imagesPerSecond: 1000, evaluationSeconds: 0.1, replicas: 2)
        return StudyText.plan(plan, estimate: plan.estimate(rates, of: Set(plan.runs.prefix(runs))))
    }

    @Test func everyModelHasItsRateItsTimeAndTheSum() throws {
        let found = try text("[lenet5, linear]", of: 4)
        #expect(
            found.contains(
                """
                about 5.6 s: training 4.4 s, tests 1.2 s
                by model, measured now over 64 images each:
                model   images  together  images/s  training  tests   both
                lenet5     400         2       100     4.0 s  1.0 s  5.0 s
                linear     400         2     1,000     0.4 s  0.2 s  0.6 s
                sum        800                         4.4 s  1.2 s  5.6 s

                """), "\(found)")
    }

    @Test func oneModelHasItsRateInTheSentence() throws {
        let found = try text("lenet5")
        #expect(
            found.contains(
                "\nabout 5.0 s: training 4.0 s at 100 images/s (2 networks together, measured now over 64 images each), tests"
                    + " 1.0 s\n"), "\(found)")
        #expect(!found.contains("by model"))
        // Of several models, the one that is left has its own rate.
        #expect(try text("[lenet5, linear]").contains("training 4.0 s at 100 images/s"))
        #expect(try text("[linear, lenet5]").contains("training 0.4 s at 1,000 images/s"))
        #expect(try text("lenet5", of: 0).contains("about 0.0 s: training 0.0 s at 100 images/s"))
    }
}
