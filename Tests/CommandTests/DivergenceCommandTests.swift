import Datasets
import Foundation
import Networks
import Testing
import TestSupport

@Suite struct DivergenceCommandTests {
    private static let devices = ["cpu"] + (hasOpenCL ? ["opencl-cpu"] : [])

    @Test(arguments: devices, [(1, 1), (3, 2)] as [(epochs: Int, step: Int)])
    func aTrainingThatDivergesEndsWith65AndSavesNothing(device: String, length: (epochs: Int, step: Int)) throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 30, test: 20).write(to: folder / "data")
        let (saved, trace) = (folder / "w.safetensors", folder / "losses.csv")
        let arguments = [
            "train", "--data", folder / "data", "--epochs", "\(length.epochs)", "--learning-rate", "1e30", "--replicas",
            "2",
            "--device", device, "--quiet", "--save", saved, "--trace", trace,
        ]
        let outcome = try coppice(arguments + ["--json"])
        #expect(outcome.status == 65, "\(outcome.stderr)")
        #expect(outcome.complaints.count == 1)
        for words in [
            "replica 1 diverged at step \(length.step), replica 2 at step \(length.step)", "a learning rate of 1e+30",
            "nothing was saved to \(saved)",
        ] { #expect(outcome.stderr.contains(words), "\(outcome.stderr)") }
        let report = try outcome.json()
        #expect((report["accuracy"] as? [Any])?.allSatisfy { $0 is NSNull } == true)
        #expect((report["diverged"] as? [[String: Int]]) == [1, 2].map { ["replica": $0, "step": length.step] })
        #expect(!outcome.stdout.lowercased().contains("nan"))
        #expect(!FileManager.default.fileExists(atPath: saved))
        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1 + length.epochs && lines.allSatisfy { $0.split(separator: ",").count == 3 })
        let text = try coppice(arguments)
        #expect(text.status == 65 && text.stdout.contains("run 1: diverged\nrun 2: diverged\n"))
        let fine = try coppice(
            "train", "--data", folder / "data", "--epochs", "1", "--device", device, "--quiet", "--json")
        #expect(fine.status == 0)
        #expect((try fine.json()["diverged"] as? [Any])?.isEmpty == true)
    }

    @Test func weightsThatNoNetworkCanHaveAreRefused() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 30, test: 20).write(to: folder / "data")
        let path = folder / "w.safetensors"
        func refuse(_ values: [String: Float], _ words: [String], initial: Bool = true) throws {
            var tensors = ModelWeights(layout: try .leNet5(classes: 3), seed: 1, run: 0).tensors
            for (name, value) in values {
                let count = tensors[name]?.values.count ?? 0
                tensors[name]?.values = [Float](repeating: value, count: count)
            }
            try ModelWeights(tensors: tensors).write(to: path, normalisation: .init(mean: 0.4, std: 0.2), steps: 1)
            for command in [["evaluate", "--weights", path], ["train", "--epochs", "1", "--init", path]].prefix(
                initial ? 2 : 1)
            {
                for device in Self.devices {
                    let outcome = try coppice(command + ["--data", folder / "data", "--device", device, "--quiet"])
                    expectComplaint(outcome, code: 65, mentions: words + [path])
                }
            }
        }
        try refuse(["fc1.weight": .nan], ["tensor fc1.weight", "nan"])
        try refuse(["layer1.0.weight": .infinity], ["tensor layer1.0.weight", "inf"])
        try refuse(["layer2.1.running_var": -1], ["tensor layer2.1.running_var", "-1.0", "at least 0"])
        // Finite, and no sum of the network is.
        try refuse(["fc1.bias": 1, "fc2.weight": 3e38], ["overflow"], initial: false)
    }

    @Test(arguments: devices) func aStudyWithRunsThatDivergeEndsWith0AndANote(device: String) throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 60, test: 40).write(to: folder / "data")
        try """
        dataset: shapes
        runs: 3
        experiments:
          - {pruning_method: none, steps: 3, learning_rate: 1e30}
          - {pruning_method: random, sizes: 20, steps: 3, learning_rate: 1e30}
          - {pruning_method: random, sizes: 20, epochs: 1, learning_rate: 1e30}
          - {pruning_method: random, sizes: 20, steps: 3}
          - {pruning_method: random, sizes: 20, steps: 3, learning_rate: 1e-30}
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let out = folder / "out"
        let arguments = ["run", folder / "study.yaml", "--data", folder / "data", "--out", out, "--device", device]
        let outcome = try coppice(arguments, environment: ["LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout.contains("note: 9 runs of 3 cases diverged (learning rate 1e+30)"))
        #expect(outcome.stdout.contains("note: 3 runs of one case moved fewer than one in a hundred"))
        #expect(outcome.stderr.contains("random, 3 steps, learning rate 1e+30, 20 kept, run 2: diverged at step 2"))
        #expect(outcome.stderr.contains("random, 1 epoch, learning rate 1e+30, 20 kept, run 1: diverged at step 1"))
        let log = try String(contentsOfFile: out + "/runs.jsonl", encoding: .utf8)
        let runs = try log.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(runs.count == 15 && runs.count { $0["accuracy"] is NSNull } == 9)
        #expect(runs.count { $0["diverged"] as? [String: Int] == ["step": 2] } == 6)
        let report = try coppice(arguments + ["--json", "--quiet"])
        #expect(report.status == 0 && report.stderr.isEmpty && !report.stdout.lowercased().contains("nan"))
        let cases = try #require(try report.json()["cases"] as? [[String: Any]])
        #expect(cases.map { $0["count_diverged"] as? Int } == [3, 3, 3, 0, 0])
        #expect(cases[0]["median_accuracy"] == nil && (cases[0]["accuracies"] as? [Any])?.count == 3)
        #expect(((cases[1]["comparisons"] as? [String: [String: Any]])?["full"]?["verdict"] as? String) == "diverged")
        let status = try coppice("status", out, "--json")
        #expect(try status.json()["count_diverged"] as? Int == 9)
        #expect((try status.json()["best"] as? [String: Any])?["experiment_id"] as? Int ?? 0 >= 4)
        #expect(try coppice("status", out).stdout.contains("diverged: 9 of the finished runs"))
        let page = try String(contentsOfFile: out + "/report.html", encoding: .utf8)
        #expect(page.contains("<small>(3 diverged)</small>") && page.contains("9 runs of 3 cases diverged"))
        // Decimal points and commas whatever the locale.
        let lines = try String(contentsOfFile: out + "/results.csv", encoding: .utf8).split(separator: "\n")
        let counts = Set(lines.map { $0.replacing(/"[^"]*"/, with: "").count { $0 == "," } })
        #expect(counts.count == 1)
        let names = lines[0].split(separator: ",")
        let last = lines[1].split(separator: ",", omittingEmptySubsequences: false).suffix(names.count)
        // Without an accuracy there are no recalls.
        let fields = Dictionary(uniqueKeysWithValues: zip(names.reversed(), last.reversed()))
        #expect(fields["diverged"] == "2" && fields["distinct"] == "60" && fields["worst_recall"] == "")
    }

    @Test func classesThatOnlyTheTestHasAreMentioned() throws {
        let folder = try TemporaryFolder()
        let data = SyntheticData(train: 60, test: 40, classes: 4)
        try data.write(to: folder / "data")
        func note(_ more: String...) throws -> String {
            let outcome = try coppice(
                ["train", "--data", folder / "data", "--epochs", "1", "--device", "cpu"] + more)
            #expect(outcome.status == 0)
            return outcome.complaints.first { $0.hasPrefix("note: ") } ?? ""
        }
        #expect(try note() == "")
        // Images 0, 4, 8 … are of class 0.
        try NumPy.write((0..<15).map { Int64(4 * $0) }, shape: [15], to: folder / "kept.npy")
        #expect(
            try note("--indices", folder / "kept.npy").contains(
                "data: no training image that was kept is of class 1, 2 and 3, and 30 of the 40 test images are;"))
        let labels = (0..<60).map { UInt8($0 % 2) }
        try IDX.write(labels, dimensions: [60], to: folder / "data/train-labels-idx1-ubyte")
        #expect(try note().contains("no training image is of class 2 and 3, and 20 of the 40 test images are;"))
        try "{dataset: shapes, runs: 1, steps: 1, experiments: [{pruning_method: none}]}"
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let study = try coppice(
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", "cpu")
        #expect(study.status == 0 && study.stderr.contains("no training image is of class 2 and 3"))
        #expect(try coppice("data", "info", folder / "data").stdout.contains("no training image is of class 2 and 3"))
        // And a rate that moves nothing.
        #expect(try note("--learning-rate", "1e-30", "--indices", folder / "kept.npy") != "")
        let unmoved = try coppice(
            "train", "--data", folder / "data", "--epochs", "1", "--learning-rate", "1e-30", "--device", "cpu")
        #expect(unmoved.stderr.contains("a learning rate of 1e-30 moved none of the network's"))
    }

    /// Settings of gnuplot's own and of whoever calls it are not those of the plots.
    @Test(.enabled(if: hasGnuplot, "gnuplot is not installed (Debian: gnuplot-nox)"))
    func plotsDoNotDependOnTheEnvironment() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 60, test: 40).write(to: folder / "data")
        try
            "{dataset: shapes, runs: 2, steps: 2, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 20}]}"
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        #expect(
            try coppice(
                "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", "cpu",
                "--no-report"
            ).status == 0)
        let home = folder / "home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        for name in [".gnuplot", "gnuplotrc"] {
            try "set terminal dumb\nset title 'MINE'\n".write(
                toFile: home + "/" + name, atomically: true, encoding: .utf8)
        }
        func plots(_ environment: [String: String]) throws -> [String: Data] {
            let outcome = try coppice("report", folder / "out", "--data", folder / "data", environment: environment)
            #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
            let names = try folder.names(in: "out/plots").filter { $0.hasSuffix(".svg") }
            return Dictionary(
                uniqueKeysWithValues: try names.map {
                    ($0, try Data(contentsOf: URL(fileURLWithPath: folder / "out/plots/" + $0)))
                })
        }
        let plain = try plots([:])
        #expect(plain.count >= 4)
        for name in ["GNUTERM", "GNUPLOT_DEFAULT_GDFONT", "GDFONTPATH", "GNUPLOT_LIB", "GNUHELP", "LC_ALL", "DISPLAY"] {
            let value = name == "GNUTERM" ? "x11" : name == "LC_ALL" ? "de_DE.UTF-8" : "/none"
            #expect(try plots([name: value, "HOME": home, "GNUPLOT_HOME": home]) == plain, "\(name)")
        }
    }

    /// What the page says of how to repeat a study does it, as a shell reads it.
    @Test func theStudyIsRepeatedByTheCommandOfThePage() throws {
        let folder = try TemporaryFolder()
        let data = folder / "my data's \"$HOME\""
        try SyntheticData(train: 60, test: 40).write(to: data)
        // Custom data under a known name.
        try "{runs: 2, steps: 2, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 20}]}"
            .write(toFile: folder / "first.yaml", atomically: true, encoding: .utf8)
        let first = try coppice(
            ["run", "first.yaml", "--data", "./my data's \"$HOME\"", "--out", "one", "--device", "cpu", "--quiet"],
            directory: folder.path)
        #expect(first.status == 0, "\(first.stderr)")
        let page = try String(contentsOfFile: folder / "one/report.html", encoding: .utf8)
        let after = try #require(page.components(separatedBy: "then<code class=\"command\">").last)
        let command = try #require(after.components(separatedBy: "</code>").first)
            .replacing("&#39;", with: "'").replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
        #expect(command.hasPrefix("coppice run study.yaml --data ") && command.hasSuffix(" --device cpu"), "\(command)")
        try FileManager.default.copyItem(atPath: folder / "one/study.yaml", toPath: folder / "study.yaml")
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", command + " --out two --quiet >/dev/null 2>&1"]
        shell.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        shell.environment = ["PATH": program.deletingLastPathComponent().path + ":/usr/bin:/bin", "HOME": folder.path]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        func accuracies(_ out: String) throws -> [[Substring]] {
            try String(contentsOfFile: folder / out + "/results.csv", encoding: .utf8).split(separator: "\n")
                .map { Array($0.split(separator: ",").prefix(2)) }
        }
        #expect(try accuracies("two") == accuracies("one"))
        // The commands of the sessions are quoted too.
        #expect(page.contains(Self.escaped("coppice run first.yaml --data './my data'\\''s \"$HOME\"' --out one")))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("'", with: "&#39;").replacing("\"", with: "&quot;")
    }
}

/// Whether plots can be drawn here.
private let hasGnuplot = ["/usr/bin/gnuplot", "/usr/local/bin/gnuplot"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
}
