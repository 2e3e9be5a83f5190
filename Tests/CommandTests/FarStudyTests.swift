import Datasets
import Foundation
import TestSupport
import Testing

/// Rows around three centres, in float64, with a column far from the origin that tells the classes apart.
private struct FarRows {
    let folder: TemporaryFolder
    static let (count, testCount, width) = (150, 60, 3)

    init() throws {
        folder = try TemporaryFolder()
        try write(offset: 1e9)
        try NumPy.write((0..<Self.count).map { UInt8($0 % 3) }, shape: [Self.count], to: folder / "y.npy")
        try NumPy.write((0..<Self.testCount).map { UInt8($0 % 3) }, shape: [Self.testCount], to: folder / "z.npy")
        try study().write(toFile: folder / "far.yaml", atomically: true, encoding: .utf8)
    }

    /// Writes the rows, whose first column has values about `offset`.
    func write(offset: Double) throws {
        func rows(_ count: Int, _ seed: Double) -> [Double] {
            (0..<count).flatMap { row -> [Double] in
                let angle = Double(row) * 2.4 + seed
                return [offset + 4 * Double(row % 3) + 0.5 * sin(angle), cos(angle), sin(3 * angle)]
            }
        }
        try NumPy.write(rows(Self.count, 0), shape: [Self.count, Self.width], to: folder / "X.npy")
        try NumPy.write(rows(Self.testCount, 1), shape: [Self.testCount, Self.width], to: folder / "T.npy")
    }

    var options: [String] {
        [
            "--features", folder / "X.npy", "--labels", folder / "y.npy", "--test-features", folder / "T.npy",
            "--test-labels", folder / "z.npy",
        ]
    }

    func study(_ more: String = "") -> String {
        """
        dataset: {name: far, features: X.npy, labels: y.npy, test_features: T.npy, test_labels: z.npy}
        model: linear
        runs: 2
        epochs: 10
        batch_size: 8
        learning_rate: 0.01
        \(more)
        experiments:
          - pruning_method: none
          - pruning_method: cluster
            ks: 5
            use_pca: [false, true]
            pca_components: 2
            selection_strategies: closest
            sizes: 40

        """
    }

    func run(_ arguments: String...) throws -> Outcome {
        try coppice(["run", folder / "far.yaml", "--device", "cpu", "--no-report"] + arguments)
    }

    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder / path)) }
}

/// Studies and networks of features that float32 cannot tell apart, and what does not fit features.
@Suite struct FarStudyTests {
    @Test func clusteringsAreThoseOfClusterAndNetworksLearn() throws {
        let rows = try FarRows()
        let folder = rows.folder
        let outcome = try rows.run("--out", folder / "out", "--json")
        #expect(outcome.status == 0 && outcome.stderr.contains("the median of each column is subtracted"))
        let cases = try #require(try outcome.json()["cases"] as? [[String: Any]])
        #expect(cases[0]["median_accuracy"] as? Double ?? 0 > 90, "\(cases[0])")
        for (pca, points) in [([], "features"), (["--pca", "2"], "pca2")] {
            let clustered = try coppice(
                [
                    "cluster", "--features", folder / "X.npy", "--k", "5", "--out", folder / "c", "--device", "cpu",
                    "--quiet",
                ]
                    + pca)
            #expect(clustered.status == 0, "\(clustered.stderr)")
            for file in ["labels.npy", "distances.npy"] {
                let kept = try rows.bytes("out/clusterings/far-k5-\(points)-minibatch-seed1-0/\(file)")
                #expect(try rows.bytes("c/\(file)") == kept, "\(points) \(file)")
            }
        }
        // The same rows less a constant are other data.
        try rows.write(offset: 1e9 + 1024)
        expectComplaint(
            try rows.run("--out", folder / "out", "--quiet"), code: 73, mentions: ["another data set far"])
    }

    @Test func weightsKnowTheMedians() throws {
        let rows = try FarRows()
        let folder = rows.folder
        let (weights, common) = (folder / "w.safetensors", ["--device", "cpu", "--quiet"])
        let train = ["train", "--model", "linear"] + rows.options + common
        let trained = try coppice(
            train + ["--epochs", "10", "--batch", "8", "--learning-rate", "0.01", "--save", weights, "--json"])
        #expect(try trained.json()["accuracy"] as? Double ?? 0 > 90, "\(trained.stderr)")
        let tested = try coppice(["evaluate", "--weights", weights, "--json"] + rows.options + common)
        #expect(try tested.json()["accuracy"] as? Double == trained.json()["accuracy"] as? Double)
        // Networks of scores write theirs too.
        let scored = try coppice(
            [
                "score", "--score", "el2n", "--model", "linear", "--score-epochs", "2", "--networks", "1", "--out",
                folder / "s.npy", "--networks-out", folder / "nets",
            ] + rows.options.prefix(4) + common)
        #expect(scored.status == 0, "\(scored.stderr)")
        let network = folder / "nets/network1-epoch2.safetensors"
        #expect(try coppice(["evaluate", "--weights", network] + rows.options + common).status == 0)
        expectComplaint(
            try coppice(["evaluate", "--weights", network, "--standardize"] + rows.options + common), code: 65,
            mentions: ["neither --standardize nor --normalize", "features has --standardize"])
        for (offset, words) in [(2e9, "have other medians"), (0, "nothing is subtracted")] {
            try rows.write(offset: offset)
            for command in [["evaluate", "--weights", weights], ["train", "--model", "linear", "--init", network]] {
                expectComplaint(
                    try coppice(command + rows.options + common), code: 65,
                    mentions: ["less the medians of their columns", words])
            }
        }
        let plain = try coppice(
            train + ["--epochs", "1", "--save", folder / "plain.safetensors"])
        #expect(plain.status == 0, "\(plain.stderr)")
        try rows.write(offset: 1e9)
        expectComplaint(
            try coppice(["evaluate", "--weights", folder / "plain.safetensors"] + rows.options + common), code: 65,
            mentions: ["on features as they are"])
    }

    @Test func clusteringsOfFormerDirectoriesAreRead() throws {
        let rows = try FarRows()
        let folder = rows.folder
        #expect(try rows.run("--out", folder / "out", "--quiet").status == 0)
        let clusterings = folder / "out/clusterings"
        let names = try folder.names(in: "out/clusterings")
        let renamed = names.filter { $0.contains("-features-") }
        #expect(renamed.count == 2 && !names.contains { $0.contains("pixels") })
        for name in renamed {
            let former = name.replacing("features", with: "pixels")
            try FileManager.default.moveItem(atPath: "\(clusterings)/\(name)", toPath: "\(clusterings)/\(former)")
        }
        let before = try rows.bytes("out/selections/experiment2-run1.npy")
        for name in ["runs.jsonl", "selections"] { try FileManager.default.removeItem(atPath: folder / "out/\(name)") }
        let again = try rows.run("--out", folder / "out")
        #expect(again.status == 0 && !again.stderr.contains("clustering far, k 5, minibatch"), "\(again.stderr)")
        #expect(try rows.bytes("out/selections/experiment2-run1.npy") == before)
        #expect(try !folder.names(in: "out/clusterings").contains { $0.contains("-features-") })
    }

    @Test func aStudyTakesItsOwnDataSetByName() throws {
        let rows = try FarRows()
        let folder = rows.folder
        let named = try rows.run("--out", folder / "out", "--quiet", "--dataset", "far")
        #expect(named.status == 0, "\(named.stderr)")
        expectComplaint(
            try rows.run("--out", folder / "out", "--quiet", "--dataset", "fra"), code: 64,
            mentions: ["--dataset fra is not known; far and mnist and "])
        // Images are not scaled.
        try SyntheticData(train: 60, test: 20).write(to: folder / "images")
        for (place, text) in [
            (":7:14:", rows.study("standardize: true")),
            (
                ":10:16:",
                rows.study().replacing("  - pruning_method: none\n", with: "")
                    .replacing("method: cluster", with: "method: cluster\n    normalize: true")
            ),
        ] {
            try text.write(toFile: folder / "far.yaml", atomically: true, encoding: .utf8)
            expectComplaint(
                try rows.run("--out", folder / "none", "--quiet", "--data", folder / "images", "--dataset", "mine"),
                code: 65, mentions: ["far.yaml" + place, "is for features, and the data set mine has images"])
        }
    }

    @Test func fewRunsAreToldBeforehand() throws {
        let rows = try FarRows()
        let plan = try rows.run("--dry-run", "--quiet")
        #expect(plan.stdout.contains("note: against the whole set: 2 runs cannot give a p-value below 0.5"), "\(plan)")
        #expect(try rows.run("--dry-run", "--quiet", "--runs", "9").stdout.contains("note:") == false)
        let json = try rows.run("--dry-run", "--quiet", "--json").json()
        #expect((json["notes"] as? [String])?.count == 1)
    }

    @Test func optionsOfImageFilesAreRefused() throws {
        let rows = try FarRows()
        let (folder, options) = (rows.folder, rows.options)
        let part = options.prefix(2)
        let commands = [
            ["cluster", "--k", "2"] + part,
            ["select", "--k", "2", "--strategy", "closest", "--size", "4", "--out", "k"] + part,
            ["dedup", "--k", "2", "--eps", "0.1", "--out", "k"] + part,
            ["score", "--score", "k-center", "--out", "s"] + part, ["train", "--model", "linear"] + options,
            ["evaluate", "--weights", folder / "w.safetensors"] + options, ["run", "probe"] + options,
            ["run", folder / "far.yaml"],
        ]
        let trained = try coppice(
            [
                "train", "--model", "linear", "--epochs", "1", "--device", "cpu", "--quiet", "--save",
                folder / "w.safetensors",
            ]
                + options)
        #expect(trained.status == 0)
        for command in commands {
            for option in ["--skip-bad", "--recheck"] {
                let outcome = try coppice(command + [option, "--quiet"], directory: folder.path)
                expectComplaint(outcome, code: 64, mentions: ["\(option) is for image files, and "])
            }
        }
    }
}
