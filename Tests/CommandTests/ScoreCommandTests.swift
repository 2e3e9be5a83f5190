import Datasets
import Foundation
import Scoring
import TestSupport
import Testing

/// `coppice score`, `coppice select --score`, and studies of scores, on images and on rows.
@Suite struct ScoreCommandTests {
    private func floats(_ path: String) throws -> [Float] {
        let array = try NumPyArray.read(path)
        #expect(array.type == .float32)
        return array.floats
    }

    /// Four corners of ten rows each, far apart, whole numbers.
    private func writeCorners(to path: String) throws {
        var rows: [Float] = []
        for row in 0..<40 {
            rows.append(Float(1000 * (row % 2) + row % 5))
            rows.append(Float(1000 * (row / 2 % 2) + row % 3))
        }
        try NumPy.write(rows, shape: [40, 2], to: path)
    }

    @Test func aGreedyOrderOfRowsIsAScoreAndASelection() throws {
        let folder = try TemporaryFolder()
        try writeCorners(to: folder / "x.npy")
        let scored = try coppice(
            "score", "--features", folder / "x.npy", "--score", "k-center", "--size", "7", "--out", folder / "s.npy",
            "--json", "--device", "cpu", "--quiet")
        #expect(scored.status == 0, "\(scored.stderr)")
        let report = try scored.json()
        #expect(report["picked"] as? Int == 7 && report["n"] as? Int == 40 && report["within"] as? String == "none")
        let scores = try floats(folder / "s.npy")
        let order = (0..<40).filter { scores[$0] > 0 }.sorted { scores[$0] > scores[$1] }
        #expect(order.map { Int(scores[$0]) } == (1...7).reversed())
        #expect(Set(order.prefix(4).map { [$0 % 2, $0 / 2 % 2] }).count == 4)
        for (options, size) in [(["--score", "k-center"], 7), (["--score", folder / "s.npy"], 5)] {
            let kept = try coppice(
                [
                    "select", "--features", folder / "x.npy", "--size", "\(size)", "--out", folder / "kept.npy",
                    "--device", "cpu", "--quiet",
                ] + options)
            #expect(kept.status == 0, "\(kept.stderr)")
            #expect(try NumPyArray.read(folder / "kept.npy").integers() == order.prefix(size).map(Int64.init))
        }
    }

    @Test func pointsOfASelectionMayBeProjected() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 60, test: 10).write(to: folder / "data")
        let common = ["--data", folder / "data", "--dataset", "shapes", "--pca", "4", "--device", "cpu", "--quiet"]
        let scored = try coppice(["score", "--score", "herding", "--size", "9", "--out", folder / "s.npy"] + common)
        let kept = try coppice(["select", "--score", "herding", "--size", "9", "--out", folder / "kept.npy"] + common)
        #expect(scored.status == 0 && kept.status == 0, "\(scored.stderr)\(kept.stderr)")
        let scores = try floats(folder / "s.npy")
        #expect(
            try NumPyArray.read(folder / "kept.npy").integers().map { scores[Int($0)] }
                == (1...9).reversed().map(Float.init))
        // What a projection is not for is still refused.
        expectComplaint(
            try coppice(["select", "--strategy", "random", "--size", "9", "--out", folder / "k.npy"] + common),
            code: 64,
            mentions: ["--pca"])
    }

    @Test func networksSayWhatTheyWriteOut() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 120, test: 30).write(to: folder / "data")
        func score(_ name: String, _ more: [String] = []) throws -> [Float] {
            let outcome = try coppice(
                [
                    "score", "--data", folder / "data", "--dataset", "shapes", "--score", name, "--model", "linear",
                    "--networks", "2", "--score-epochs", "3", "--window", "2", "--batch", "30", "--out",
                    folder / "s.npy", "--device", "cpu", "--quiet",
                ] + more)
            #expect(outcome.status == 0, "\(name): \(outcome.stderr)")
            return try floats(folder / "s.npy")
        }
        let el2n = try score("el2n", ["--networks-out", folder / "nets"])
        let files = try FileManager.default.contentsOfDirectory(atPath: folder / "nets").sorted()
        #expect(
            files == [
                "el2n.npy", "entropy.npy", "grand.npy", "is_right.npy", "largest.npy", "lead.npy", "margin.npy",
                "network1-epoch1.safetensors", "network1-epoch3.safetensors", "network2-epoch1.safetensors",
                "network2-epoch3.safetensors", "p_y.npy",
            ])
        let each = try NumPyArray.read(folder / "nets/el2n.npy")
        #expect(each.shape == [2, 120])
        for sample in 0..<120 {
            #expect(abs(el2n[sample] - (each.floats[sample] + each.floats[120 + sample]) / 2) < 1e-6)
        }
        #expect(try NumPyArray.read(folder / "nets/p_y.npy").shape == [2, 3, 120])
        // Others are of the same networks.
        let margins = try NumPyArray.read(folder / "nets/margin.npy").floats
        let aum = try score("aum")
        for sample in 0..<120 {
            let mean = (0..<6).reduce(0) { $0 + Double(margins[$1 * 120 + sample]) } / 6
            #expect(abs(Double(aum[sample]) - mean) < 1e-5 * max(1, abs(mean)))
        }
        // The weights are those that the accuracy of the second half of the files comes from.
        let evaluated = try coppice(
            "evaluate", "--data", folder / "data", "--dataset", "shapes", "--weights",
            folder / "nets/network2-epoch3.safetensors", "--device", "cpu", "--quiet")
        #expect(evaluated.status == 0, "\(evaluated.stderr)")
    }

    @Test(arguments: ["cpu", "opencl-cpu"])
    func everyScoreGoesThroughAStudy(device: String) throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 90, test: 30).write(to: folder / "data")
        let names = Score.all.map(\.name)
        let text = """
            {dataset: shapes, model: linear, runs: 2, epochs: 1, batch_size: 30, score_epochs: 3, networks: 2, window: 2,
            score_seeds: 1, pca_components: 5, gamma: 0.001, experiments: [
            {pruning_method: random, sizes: [7, 30]},
            {pruning_method: score, scores: [\(names.joined(separator: ", "))], sizes: [7, 30], ks: 4, use_pca: true},
            {pruning_method: score, scores: [k-center, typiclust, d2], within: class, balance: class, sizes: 30},
            {pruning_method: score, scores: el2n, keep: stratified, beta: 0.1, strata: 5, within: class, sizes: 30}]}
            """
        try text.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let arguments = [
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", device,
            "--no-report",
        ]
        let outcome = try coppice(arguments + ["--quiet"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let lines = try String(contentsOfFile: folder / "out/results.csv", encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let rows = lines.dropFirst().map { fields in
            Dictionary(uniqueKeysWithValues: zip(lines[0], fields).map { (String($0), String($1)) })
        }
        #expect(rows.count == 2 * (2 + 2 * names.count + 3 + 1))
        #expect(rows.allSatisfy { $0["kept"] == $0["requested"] })
        #expect(Set(rows.compactMap { $0["selection_strategy"] }).isSuperset(of: names))
        for row in rows where row["balance"] == "class" {
            #expect((0..<3).allSatisfy { row["class_\($0)"] == "10" }, "\(row["selection_strategy"] ?? "")")
        }
        // One set of networks for all of them.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder / "out/dynamics").count == 1)
        // A greedy order's smaller selection is a prefix of its larger one.
        let strategies = rows.filter { $0["run_id"] == "1" }.map { ($0["selection_strategy"], $0["experiment_id"]) }
        let ids = strategies.filter { $0.0 == "herding" }.compactMap(\.1)
        let kept = try ids.map {
            try NumPyArray.read(folder / "out/selections/experiment\($0)-run1.npy").integers()
        }
        #expect(kept.count == 2 && Array(kept[1].prefix(7)) == kept[0])
        // What is there is not made again, whatever stands at the top for some entries alone.
        let again = try coppice(arguments)
        #expect(again.status == 0 && !again.stderr.contains("training"), "\(again.stderr)")
    }

    @Test func aValidationSplitSharesByRecallAndTunes() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 150, test: 30).write(to: folder / "data")
        let text = """
            {dataset: shapes, model: linear, runs: 3, epochs: 2, batch_size: 30, score_epochs: 3, networks: 2, window: 2,
            score_seeds: 1, validation: 60, experiments: [{pruning_method: none},
            {pruning_method: random, sizes: 30, balance: recall},
            {pruning_method: score, scores: dual, c_d: [1, 4, 9], sizes: 30},
            {pruning_method: score, scores: scores.npy, sizes: 30}]}
            """
        try text.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        try NumPy.write((0..<150).map(Float.init), shape: [150], to: folder / "scores.npy")
        let outcome = try coppice(
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", "opencl-cpu",
            "--no-report", "--quiet")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout.contains("tuned on the validation split"), "\(outcome.stdout)")
        let rest = Set(try NumPyArray.read(folder / "out/selections/experiment1-run1.npy").integers())
        #expect(rest.count == 90)
        for experiment in 2...4 {
            let kept = try NumPyArray.read(folder / "out/selections/experiment\(experiment)-run2.npy").integers()
            #expect(kept.count == 30 && rest.isSuperset(of: kept))
        }
        // A file has scores of the samples that are set aside as well.
        #expect(
            try NumPyArray.read(folder / "out/selections/experiment4-run1.npy").integers()
                == Array(rest.sorted().suffix(30).reversed()))
        // One set of networks, and their recalls on what they never saw.
        let sets = try FileManager.default.contentsOfDirectory(atPath: folder / "out/dynamics")
        #expect(sets.count == 1 && sets[0].hasPrefix("shapes-validation60-"))
        let recall = try NumPyArray.read(folder / "out/dynamics/\(sets[0])/recall.npy")
        #expect(recall.shape == [2, 3] && recall.floats.allSatisfy { (0...1).contains($0) })
        let log = try String(contentsOfFile: folder / "out/runs.jsonl", encoding: .utf8)
        #expect(log.split(separator: "\n").count { $0.contains(#""tuned":{"c_d":"#) } == 3)
        // Tuning evaluates on the 60 samples that are set aside, not on the 30 of the test set.
        let tuning = try Data(contentsOf: URL(fileURLWithPath: folder / "out/tuning/experiment3.json"))
        let trials = try #require(JSONSerialization.jsonObject(with: tuning) as? [String: Any])["trials"]
        let accuracies = try #require(trials as? [[String: Any]]).flatMap { $0["accuracies"] as? [Double] ?? [] }
        #expect(accuracies.count == 9)
        let right = accuracies.map { $0 * 60 / 100 }
        #expect(
            right.allSatisfy { abs($0 - $0.rounded()) < 1e-9 }
                && right.contains { $0.rounded().remainder(dividingBy: 2) != 0 })
        let report = try coppice("report", folder / "out", "--data", folder / "data", "--quiet")
        #expect(report.status == 0, "\(report.stderr)")
    }

    @Test(arguments: ["score", "select"])
    func ctrlCEndsTheTrainingOfScoreNetworks(command: String) throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let outcome = try coppice(
            [
                command, "--data", folder / "data", "--dataset", "shapes", "--score", "el2n", "--networks", "100",
                "--score-epochs", "1000", "--out", folder / "s.npy", "--device", "cpu",
            ] + (command == "select" ? ["--size", "9"] : []), interrupting: "training 100 networks")
        #expect(outcome.status == 130 && outcome.stderr.contains("interrupted"), "\(outcome.stderr)")
        #expect(outcome.secondsAfterInterrupt < 10 && !FileManager.default.fileExists(atPath: folder / "s.npy"))
    }

    @Test func whatAScoreLacksIsSaid() throws {
        let folder = try TemporaryFolder()
        try writeCorners(to: folder / "x.npy")
        let features = ["--features", folder / "x.npy", "--out", folder / "s.npy", "--device", "cpu", "--quiet"]
        for (options, words) in [
            (["--score", "el2m"], ["el2m", "el2n"]), (["--score", "el2n"], ["class", "--data"]),
            (["--score", "moderate"], ["class"]), (["--score", "prototypes"], ["--k"]),
            (["--score", "semdedup"], ["--k"]), (["--score", "k-center", "--size", "41"], ["41", "40"]),
            (["--score", "semdedup", "--k", "3", "--size", "5"], ["--size", "greedy"]),
            (["--score", "k-center", "--within", "class"], ["class"]),
            (["--score", "k-center", "--networks-out", folder / "n"], ["--networks-out"]),
            (["--score", "d2", "--gamma", "1e3"], ["gamma", "apart"]),
            (["--score", "d2", "--networks-out", folder / "n"], ["--networks-out"]),
            (["--score", "dual", "--score-epochs", "4", "--window", "5"], ["window"]),
        ] {
            expectComplaint(try coppice(["score"] + features + options), code: 64, mentions: words)
        }
        #expect(!FileManager.default.fileExists(atPath: folder / "s.npy"))
    }
}
