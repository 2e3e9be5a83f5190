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
                    "--networks", "2", "--score-epochs", "3", "--batch", "30", "--out",
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

    /// Twenty rows of directions of their own, and copies of the first seven.
    private func writeCopies(to path: String) throws {
        var rows: [Float] = []
        for row in 0..<20 {
            rows.append(100)
            rows.append(Float(100 + row))
            rows.append(Float(100 - row * row % 7))
        }
        rows += rows[..<21]
        try NumPy.write(rows, shape: [27, 3], to: path)
    }

    @Test func aThresholdKeepsWhatHasNoTwin() throws {
        let folder = try TemporaryFolder()
        try writeCopies(to: folder / "x.npy")
        func select(_ options: String...) throws -> Outcome {
            try coppice(
                [
                    "select", "--features", folder / "x.npy", "--out", folder / "kept.npy", "--device", "cpu",
                    "--quiet",
                ] + options)
        }
        // What is written out is the cosine, with digits that tell copies from near copies.
        let scored = try coppice(
            "score", "--features", folder / "x.npy", "--score", "semdedup", "--k", "1", "--out", folder / "cosines.npy",
            "--device", "cpu", "--quiet")
        let cosines = try NumPyArray.read(folder / "cosines.npy")
        #expect(scored.status == 0 && cosines.type == .float64, "\(scored.stderr)")
        #expect(cosines.doubles.count { $0 == -1 } == 1 && cosines.doubles.allSatisfy { (-1...1).contains($0) })
        #expect(cosines.doubles.count { $0 == 1 } == 7)
        let outcome = try select("--score", "semdedup", "--k", "1", "--eps", "1e-9", "--json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try outcome.json()
        #expect(report["kept"] as? Int == 20 && report["requested"] as? Int == 20 && report["eps"] as? Double == 1e-9)
        let kept = try NumPyArray.read(folder / "kept.npy").integers()
        // One of each pair.
        #expect(Set(kept.map { $0 < 20 ? $0 : $0 - 20 }) == Set(0..<20))
        #expect(try select("--score", "semdedup", "--k", "1", "--eps", "2", "--json").json()["kept"] as? Int == 1)
        for (options, word) in [
            (["--score", "semdedup", "--k", "1", "--eps", "0"], "above 0 and at most 2"),
            (["--score", "semdedup", "--k", "1", "--eps", "2.5"], "above 0 and at most 2"),
            (["--score", "semdedup", "--k", "1", "--eps", "0.1", "--size", "5"], "--size"),
            (["--score", "semdedup", "--k", "1", "--eps", "0.1", "--keep", "easy"], "--keep"),
            (["--score", "k-center", "--eps", "0.1", "--size", "5"], "--eps is for --score semdedup"),
            (["--strategy", "random", "--eps", "0.1", "--size", "5"], "--eps is for --score semdedup"),
            (["--score", "semdedup", "--k", "1"], "--size is missing"),
            (["--score", "k-center", "--size", "5", "--balance", "class"], "or --balance none"),
            (["--score", "k-center", "--size", "5", "--within", "class"], "or --within none"),
            (["--score", "k-center", "--size", "5", "--n-closest", "2"], "--n-closest"),
            (["--strategy", "random", "--size", "5", "--networks", "2"], "--networks"),
            (["--score", folder / "s.npy", "--size", "5", "--k", "2"], "--k is for a clustering"),
        ] {
            let outcome = try coppice(
                ["select", "--features", folder / "x.npy", "--out", folder / "no.npy", "--device", "cpu"] + options)
            expectComplaint(outcome, code: 64, mentions: [word])
        }
        #expect(!FileManager.default.fileExists(atPath: folder / "no.npy"))
    }

    @Test func aClusteringStandsBesideItsFeatures() throws {
        let folder = try TemporaryFolder()
        try writeCopies(to: folder / "x.npy")
        let common = ["--features", folder / "x.npy", "--device", "cpu", "--quiet"]
        #expect(try coppice(["cluster", "--k", "3", "--out", folder / "c"] + common).status == 0)
        for options in [["--score", "semdedup", "--size", "9"], ["--score", "distance", "--size", "9"]] {
            let there = try coppice(
                ["select", "--clustering", folder / "c", "--out", folder / "a.npy"] + common + options)
            let made = try coppice(["select", "--k", "3", "--out", folder / "b.npy"] + common + options)
            #expect(there.status == 0 && made.status == 0, "\(there.stderr)\(made.stderr)")
            #expect(
                try NumPyArray.read(folder / "a.npy").integers() == NumPyArray.read(folder / "b.npy").integers())
        }
        try writeCorners(to: folder / "y.npy")
        let other = try coppice(
            "select", "--clustering", folder / "c", "--features", folder / "y.npy", "--score", "semdedup", "--size",
            "9",
            "--out", folder / "n.npy", "--device", "cpu", "--quiet")
        expectComplaint(other, code: 65, mentions: ["27 labels for 40 samples"])
    }

    @Test func labelsStandBesideFeatures() throws {
        let folder = try TemporaryFolder()
        try writeCorners(to: folder / "x.npy")
        try NumPy.write((0..<40).map { Int64($0 % 2) }, shape: [40], to: folder / "y.npy")
        func score(_ options: String..., labels: String = "y.npy") throws -> Outcome {
            try coppice(
                [
                    "score", "--features", folder / "x.npy", "--labels", folder / labels, "--out", folder / "s.npy",
                    "--device", "cpu", "--quiet",
                ] + options)
        }
        #expect(try score("--score", "moderate").status == 0)
        // Each class has two corners, 1000 apart.
        #expect(try floats(folder / "s.npy").allSatisfy { abs($0 - 500) < 5 })
        let networks = ["--model", "linear", "--networks", "2", "--score-epochs", "2", "--batch", "10"]
        for (name, more) in [("el2n", ["--networks-out", folder / "nets"]), ("d2", [])] {
            let outcome = try coppice(
                [
                    "score", "--features", folder / "x.npy", "--labels", folder / "y.npy", "--out",
                    folder / "\(name).npy",
                    "--device", "cpu", "--quiet", "--score", name,
                ] + networks + more)
            #expect(outcome.status == 0, "\(name): \(outcome.stderr)")
        }
        #expect(FileManager.default.fileExists(atPath: folder / "nets/network2-epoch2.safetensors"))
        // The probabilities of two classes: an error from 0 to the root of 2.
        let errors = try floats(folder / "el2n.npy")
        #expect(errors.allSatisfy { 0 < $0 && $0 < 1.4143 } && Set(errors).count > 1)
        #expect(Set(try floats(folder / "d2.npy")) == Set((1...40).map { Float($0) }))
        let kept = try coppice(
            "select", "--features", folder / "x.npy", "--labels", folder / "y.npy", "--score", "moderate", "--size",
            "10",
            "--out", folder / "k.npy", "--json", "--device", "cpu", "--quiet")
        #expect(try kept.json()["per_class"] as? [Int] == [5, 5])
        expectComplaint(try score("--score", "el2n"), code: 64, mentions: ["--model"])
        try NumPy.write([Int32](repeating: 0, count: 39), shape: [39], to: folder / "short.npy")
        try NumPy.write([Int32](repeating: 256, count: 40), shape: [40], to: folder / "high.npy")
        expectComplaint(
            try score("--score", "moderate", labels: "short.npy"), code: 65, mentions: ["39 labels for 40 samples"])
        expectComplaint(try score("--score", "moderate", labels: "high.npy"), code: 65, mentions: ["256", "0 to 255"])
        let alone = try coppice(
            "score", "--data", folder / "none", "--labels", folder / "y.npy", "--score", "el2n", "--out",
            folder / "n.npy")
        expectComplaint(alone, code: 64, mentions: ["--labels is for --features"])
    }

    @Test func aGammaThatSilencesMessagesIsRefusedBeforeNetworksTrain() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 60, test: 20).write(to: folder / "data")
        try """
        {dataset: shapes, model: linear, runs: 1, epochs: 1, score_epochs: 2, networks: 1, gamma: 1.0e+6,
        experiments: [{pruning_method: score, scores: [el2n, d2], sizes: 9}]}
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let outcome = try coppice(
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", "cpu",
            "--no-report", "--quiet")
        #expect(outcome.status == 65 && outcome.stderr.contains(": gamma is"), "\(outcome.stderr)")
        #expect(outcome.stderr.contains(".yaml:2:15: gamma"), "\(outcome.stderr)")
        #expect(!FileManager.default.fileExists(atPath: folder / "out/dynamics"))
        let scored = try coppice(
            "score", "--data", folder / "data", "--dataset", "shapes", "--score", "d2", "--gamma", "1e6", "--out",
            folder / "s.npy", "--device", "cpu")
        #expect(scored.status == 64 && !scored.stderr.contains("training"), "\(scored.stderr)")
    }

    @Test func whatNetworksOutWritesTakesNoOthersPlace() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder / "nets", withIntermediateDirectories: true)
        try writeCorners(to: folder / "nets/p_y.npy")
        let before = try Data(contentsOf: URL(fileURLWithPath: folder / "nets/p_y.npy"))
        let labels = [UInt8](repeating: 0, count: try NumPyArray.read(folder / "nets/p_y.npy").shape[0] - 1) + [1]
        try NumPy.write(labels, shape: [labels.count], to: folder / "y.npy")
        let arguments = [
            "score", "--labels", folder / "y.npy", "--model", "linear", "--networks", "1", "--score-epochs", "2",
            "--score", "entropy", "--networks-out", folder / "nets", "--device", "cpu", "--quiet", "--features",
        ]
        expectComplaint(
            try coppice(arguments + [folder / "nets/p_y.npy", "--out", folder / "s.npy"]), code: 64,
            mentions: ["p_y.npy is the file of --features"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder / "nets/p_y.npy")) == before)
        try FileManager.default.moveItem(atPath: folder / "nets/p_y.npy", toPath: folder / "x.npy")
        expectComplaint(
            try coppice(arguments + [folder / "x.npy", "--out", folder / "nets/el2n.npy"]), code: 64,
            mentions: ["el2n.npy is the file of --out"])
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
            (["--score", "k-center", "--window", "5"], ["--window is for the score dyn-unc or dual"]),
            (["--score", "herding", "--networks", "3"], ["--networks is for scores of networks"]),
            (["--score", "d2", "--model", "mlp"], ["--model is for scores of networks"]),
            (["--score", "herding", "--gamma", "1"], ["--gamma is for the score d2"]),
            (["--score", "k-center", "--k", "3"], ["--k is for a clustering"]),
            (["--score", "prototypes", "--k", "3", "--kmeans", "lloyd"], ["--kmeans is for a clustering"]),
        ] {
            expectComplaint(try coppice(["score"] + features + options), code: 64, mentions: words)
        }
        #expect(!FileManager.default.fileExists(atPath: folder / "s.npy"))
    }
}
