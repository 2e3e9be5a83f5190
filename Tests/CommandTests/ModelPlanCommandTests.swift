import Foundation
import TestSupport
import Testing

/// Plans and answers of studies with several models.
@Suite struct ModelPlanCommandTests {
    @Test func modelsHaveTheirOwnTimesAndMoreRunsTheirCommand() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let yaml = """
            runs: 2
            steps: 2
            model: [linear, mlp]
            experiments: [{pruning_method: none}, {pruning_method: random, sizes: 20}]
            """
        let study = try folder.file("my study.yaml", Array(yaml.utf8))
        let command = ["run", study, "--data", folder / "data", "--out", folder / "out", "--device", "cpu"]
        let plan = try coppice(command + ["--dry-run", "--json"]).json()
        let models = try #require(plan["models"] as? [[String: Any]])
        func numbers(_ key: String) -> [Double] { models.compactMap { $0[key] as? Double } }
        #expect(models.compactMap { $0["model"] as? String } == ["linear", "mlp"])
        #expect(numbers("images_per_second").count == 2 && numbers("images_per_second").allSatisfy { $0 > 0 })
        let training = try #require(plan["training_seconds"] as? Double)
        let images = try #require(plan["trained_images"] as? Double)
        let rate = try #require(plan["images_per_second"] as? Double)
        #expect(abs(numbers("training_seconds").reduce(0, +) - training) <= 1e-9 * training)
        #expect(numbers("trained_images").reduce(0, +) == images && abs(rate * training - images) <= 1e-6 * images)
        let text = try coppice(command + ["--dry-run"]).stdout
        for model in ["linear", "mlp", "sum"] { #expect(text.contains("\n\(model) "), "\(text)") }
        let run = try coppice(command + ["--no-report"])
        let more =
            "(add them with coppice run '\(study)' --data \(folder / "data") --out \(folder / "out") --device cpu --runs 7;"
        #expect(run.status == 0 && run.stdout.contains(more), "\(run.stdout)")
        #expect(try coppice("report", folder / "out", "--markdown").stdout.contains(more))
    }
}
