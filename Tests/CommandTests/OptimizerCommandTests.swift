import Foundation
import Testing
import TestSupport

@Suite struct OptimizerCommandTests {
    @Test(arguments: [
        (["--momentum", "0.9"], "--momentum is for --optimizer sgd, and adam has none."),
        (["--optimizer", "sgd", "--momentum", "1"], "--momentum is 1; from 0 to below 1 is accepted."),
        (["--weight-decay", "2"], "--weight-decay is 2; from 0 to 1 is accepted."),
        (["--optimizer", "lion"], "adam"), (["--schedule", "linear"], "cosine"),
        (
            ["--augment", "shift"],
            "'shift' is not known; shift=N, flip, or both with a comma between them are accepted"
        ),
        (["--augment", "shift=128"], "128"), (["--augment", "flip,flip"], "it has flip twice"),
        (["--augment", "shift=4,,flip"], "'' is not known"), (["--augment", "flip=1"], "'flip=1' is not known"),
    ]) func mistakesAreErrorsOfUsage(options: [String], words: String) throws {
        let outcome = try coppice(["train", "--data", "/nonexistent"] + options)
        #expect(outcome.status == 64 && outcome.stderr.contains(words), "\(outcome.stderr)")
    }

    /// Each option changes the training, and nothing else: the same bits where it is said once more.
    @Test func optionsOfTrainingReachTheTrainer() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        var traces: [String] = []
        for options in [
            [], ["--optimizer", "sgd"], ["--optimizer", "sgd", "--momentum", "0.9"], ["--weight-decay", "0.1"],
            ["--optimizer", "adamw"], ["--schedule", "cosine"], ["--augment", "shift=2,flip"], ["--augment", "flip"],
        ] {
            let arguments = [
                "train", "--data", folder / "data", "--device", "cpu", "--quiet", "--epochs", "2", "--model", "linear",
                "--trace", folder / "losses.csv",
            ]
            #expect(try coppice(arguments + options).status == 0, "\(options)")
            traces.append(try String(contentsOfFile: folder / "losses.csv", encoding: .utf8))
        }
        #expect(Set(traces).count == traces.count)
        let accurate = try coppice(
            "train", "--data", folder / "data", "--quiet", "--json", "--optimizer", "sgd", "--momentum", "0.9",
            "--learning-rate", "0.02", "--weight-decay", "5e-4", "--schedule", "cosine", "--augment", "shift=1",
            "--epochs", "6")
        #expect(accurate.status == 0, "\(accurate.stderr)")
        #expect(try #require(try accurate.json()["accuracy"] as? Double) > 80)
    }

    /// A study's own columns say what its cases are trained by, and it goes on where it was.
    @Test func studiesTellWhatTheyTrainBy() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let yaml = """
            {epochs: 1, runs: 2, model: linear, experiments: [{pruning_method: none}, {pruning_method: none,
            optimizer: sgd, momentum: 0.9, schedule: cosine, augment: {shift: 2, flip: true}}]}
            """
        try yaml.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let arguments = [
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "results", "--device", "cpu",
            "--quiet",
        ]
        for runs in ["1", "2"] {
            let outcome = try coppice(arguments + ["--runs", runs])
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
        let lines = try String(contentsOfFile: folder / "results/summary.csv", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3 && lines[0].contains(",optimizer,momentum,weight_decay,schedule,augment"))
        #expect(
            lines[1].contains(",adam,,0,constant,") && lines[2].contains("sgd,0.9,0,cosine,\"{shift: 2, flip: true}\""))
        let page = try String(contentsOfFile: folder / "results/report.html", encoding: .utf8)
        #expect(page.contains("sgd, momentum 0.9"))
        // Another training is another study.
        try yaml.replacing("0.9", with: "0.8").write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let other = try coppice(arguments)
        #expect(other.status == 73 && other.stderr.contains("momentum is 0.9 there and 0.8 here"), "\(other.stderr)")
    }
}
