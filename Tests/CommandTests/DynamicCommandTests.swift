import Foundation
import TestSupport
import Testing

@Suite struct DynamicCommandTests {
    @Test(arguments: [
        (["--prune-share", "0.5"], "--prune-share requires --dynamic infobatch."),
        (["--anneal", "0.5", "--dynamic", "none"], "--anneal requires --dynamic infobatch."),
        (["--dynamic", "infobatch", "--prune-share", "1"], "--prune-share is 1; above 0 and below 1 is accepted."),
        (
            ["--dynamic", "infobatch", "--anneal", "1.5"],
            "--anneal is 1.5; from 0 to 1 is accepted."
        ),
        (
            ["--dynamic", "infobatch", "--schedule", "cosine"],
            "--dynamic infobatch and --schedule cosine conflict: infobatch needs a constant learning rate"
        ),
        (["--dynamic", "forget"], "infobatch"),
    ]) func mistakesAreErrorsOfUsage(options: [String], words: String) throws {
        let outcome = try coppice(["train", "--data", "/nonexistent"] + options)
        #expect(outcome.status == 64 && outcome.stderr.contains(words), "\(outcome.stderr)")
    }

    /// Steps and images are reported; the network of run 2 is the same alone and among others.
    @Test func trainingTellsWhatItTook() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let arguments = [
            "train", "--data", folder / "data", "--device", "cpu", "--quiet", "--epochs", "4", "--model", "linear",
        ]
        let plain = try coppice(arguments + ["--json"]).json()
        let count = try #require(plain["images"] as? Int)
        #expect(plain["steps"] == nil && plain["images_trained"] == nil)
        let dynamic = arguments + ["--dynamic", "infobatch", "--anneal", "0.25"]
        let two = try coppice(dynamic + ["--json", "--replicas", "2", "--trace", folder / "losses.csv"]).json()
        let steps = try #require(two["steps"] as? [Int])
        let images = try #require(two["images_trained"] as? [Int])
        #expect(images.allSatisfy { 2 * count < $0 && $0 < 4 * count } && two["distinct"] as? [Int] == [count, count])
        let lines = try String(contentsOfFile: folder / "losses.csv", encoding: .utf8).split(separator: "\n")
            .dropFirst()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines.count == steps.max())
        for run in 0..<2 { #expect(lines.count { !$0[run + 1].isEmpty } == steps[run]) }
        let one = try coppice(dynamic + ["--json", "--save", folder / "w.safetensors"]).json()
        #expect(one["steps"] as? Int == steps[0] && one["images_trained"] as? Int == images[0])
        #expect(one["accuracy"] as? Double == (two["accuracy"] as? [Double])?[0])
        let text = try coppice(dynamic)
        #expect(
            text.stdout.contains("; infobatch trained on ")
                && text.stdout.contains("% of the images (\(count) distinct) in \(steps[0]) steps"), "\(text.stdout)")
    }

    /// The work until the accuracy, and that of the whole training, which goes on until the last network is there.
    @Test func workUntilAnAccuracyIsPartOfTheWhole() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        func run(_ epochs: Int, until accuracy: String, _ more: String...) throws -> [String: Any] {
            try coppice(
                [
                    "train", "--data", folder / "data", "--device", "cpu", "--quiet", "--json", "--epochs", "\(epochs)",
                    "--model", "linear", "--dynamic", "infobatch", "--until-accuracy", accuracy,
                ] + more
            ).json()
        }
        let first = try run(4, until: "20")
        let count = try #require(first["images"] as? Int)
        #expect(first["epochs_to_accuracy"] as? Int == 1 && first["images_to_accuracy"] as? Int == count)
        #expect(first["steps_to_accuracy"] as? Int == first["steps"] as? Int)
        // Some networks are there before others, unless all are alike; those that are not have null.
        let several = try run(4, until: "90", "--replicas", "3")
        let epochs = try #require(several["epochs"] as? Int)
        let reached = try #require(several["epochs_to_accuracy"] as? [Any])
        let until = try #require(several["steps_to_accuracy"] as? [Any])
        let images = try #require(several["images_to_accuracy"] as? [Any])
        let steps = try #require(several["steps"] as? [Int])
        let trained = try #require(several["images_trained"] as? [Int])
        for replica in 0..<3 {
            guard let passes = reached[replica] as? Int else {
                #expect(until[replica] is NSNull && images[replica] is NSNull)
                continue
            }
            let (own, seen) = (until[replica] as? Int ?? 0, images[replica] as? Int ?? 0)
            #expect(own > 0 && seen >= count && seen <= passes * count)
            #expect(passes == epochs ? own == steps[replica] : own < steps[replica])
            #expect(passes == epochs ? seen == trained[replica] : seen < trained[replica])
        }
        let never = try run(1, until: "100", "--replicas", "2", "--learning-rate", "1e-9")
        #expect((never["steps_to_accuracy"] as? [Any])?.allSatisfy { $0 is NSNull } == true)
        #expect(never["images_trained"] as? [Int] == [count, count])
    }

    /// A study's directory, its tables and its page.
    @Test func studiesTellWhatTheyTook() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let yaml = """
            {epochs: 4, runs: 2, model: linear, experiments: [{pruning_method: none},
            {pruning_method: none, dynamic: infobatch}]}
            """
        try yaml.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let arguments = [
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "results", "--device", "cpu",
            "--quiet",
        ]
        let plan = try coppice(arguments + ["--dry-run"])
        #expect(plan.status == 0 && plan.stdout.contains("upper bounds"), "\(plan.stderr)")
        for runs in ["1", "2"] {
            let outcome = try coppice(arguments + ["--runs", runs])
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
        let lines = try String(contentsOfFile: folder / "results/results.csv", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 5 && lines[0].hasSuffix(",dynamic,prune_share,anneal,steps_taken,images_trained"))
        #expect(lines[1].contains(",none,,,") && lines[3].contains(",infobatch,0.5,0.125,"))
        let page = try String(contentsOfFile: folder / "results/report.html", encoding: .utf8)
        #expect(page.contains("whole set, infobatch"))
        try yaml.replacing("infobatch", with: "infobatch, prune_share: 0.4")
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let other = try coppice(arguments)
        #expect(other.status == 73 && other.stderr.contains("prune_share is 0.5 there and 0.4 here"), "\(other.stderr)")
        try yaml.replacing("epochs: 4", with: "steps: 4")
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let steps = try coppice(arguments)
        #expect(steps.status == 65 && steps.stderr.contains(":2:33: dynamic infobatch and steps 4"), "\(steps.stderr)")
    }
}
