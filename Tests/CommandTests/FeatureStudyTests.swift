import Datasets
import Foundation
import Studies
import Support
import TestSupport
import Testing

/// Rows of features around three centres, of half precision in two shards, with words for classes.
private struct MadeFeatures {
    let folder: TemporaryFolder
    static let (count, testCount, width) = (240, 90, 6)

    init() throws {
        folder = try TemporaryFolder()
        let words = ["ant", "bee", "cow"]
        var random = RandomStream(seed: 3, run: 0, purpose: .testing)
        func rows(_ count: Int) -> [Float] {
            (0..<count * Self.width).map { element in
                let (row, column) = element.quotientAndRemainder(dividingBy: Self.width)
                return (column == row % 3 ? 40 : 0) + Float(random.nextIndex(below: 60))
            }
        }
        let train = rows(Self.count)
        let half = 100 * Self.width
        try FileManager.default.createDirectory(atPath: folder / "x", withIntermediateDirectories: true)
        try NumPy.write(Array(train[..<half]), shape: [100, Self.width], to: folder / "x/train-0.npy")
        try NumPy.write(Array(train[half...]), shape: [Self.count - 100, Self.width], to: folder / "x/train-1.npy")
        try NumPy.write(rows(Self.testCount), shape: [Self.testCount, Self.width], to: folder / "x/test.npy")
        func labels(_ count: Int) -> [UInt8] { Array((0..<count).map { words[$0 % 3] + "\n" }.joined().utf8) }
        _ = try folder.file("x/y.txt", labels(Self.count))
        _ = try folder.file("x/z.txt", labels(Self.testCount))
        _ = try folder.file("x/ids.txt", Array((0..<Self.count).map { "row-\($0)\n" }.joined().utf8))
    }

    var options: [String] {
        [
            "--features", folder / "x/train-*.npy", "--labels", folder / "x/y.txt", "--test-features",
            folder / "x/test.npy", "--test-labels", folder / "x/z.txt",
        ]
    }

    /// A study that names the files, in a folder of its own beside theirs.
    func study(_ more: String = "", runs: Int = 2) throws -> String {
        try folder.file(
            "studies/rows.yaml",
            Array(
                """
                dataset:
                  name: rows
                  features: ../x/train-*.npy
                  labels: ../x/y.txt
                  test_features: ../x/test.npy
                  test_labels: ../x/z.txt
                  ids: ../x/ids.txt
                model: linear
                runs: \(runs)
                epochs: 3
                batch_size: 16
                score_epochs: 2
                networks: 2
                \(more)
                experiments:
                  - pruning_method: none
                  - pruning_method: random
                    sizes: [10%, 40]
                  - pruning_method: cluster
                    ks: 4
                    use_pca: [true, false]
                    pca_components: 2
                    selection_strategies: [closest, furthest]
                    sizes: 40
                  - pruning_method: score
                    scores: [el2n, k-center]
                    sizes: 40

                """.utf8))
    }

    func run(_ arguments: [String], interrupting: String? = nil) throws -> Outcome {
        try coppice(["run"] + arguments + ["--device", "cpu"], interrupting: interrupting)
    }

    func text(_ path: String) throws -> String { try String(contentsOfFile: folder / path, encoding: .utf8) }

    /// Everything of the finished runs but times.
    func rows(_ out: String) throws -> [String] {
        try StoredStudy(reading: folder / out).results.records
            .map { "\($0.experimentID) \($0.runID) \($0.kept) \($0.accuracy ?? -1)" }.sorted()
    }
}

/// Studies of features, from files to tables.
@Suite struct FeatureStudyTests {
    @Test func aStudyNamesItsFilesAndGoesOn() throws {
        let made = try MadeFeatures()
        let study = try made.study(runs: 24)
        let plan = try made.run([study, "--dry-run", "--quiet"])
        #expect(plan.status == 0 && plan.stdout.contains("samples to train on"), "\(plan.stdout)\(plan.stderr)")
        let stopped = try made.run([study, "--out", made.folder / "out", "--no-report"], interrupting: "[30/")
        #expect(stopped.status == 130, "\(stopped.stderr)")
        let status = try coppice("status", made.folder / "out")
        #expect(status.status == 0 && status.stdout.contains("samples to train on"), "\(status.stdout)")
        let resumed = try made.run([study, "--out", made.folder / "out", "--no-report", "--quiet"])
        #expect(resumed.status == 0, "\(resumed.stderr)")
        let whole = try made.run([study, "--out", made.folder / "whole", "--quiet", "--no-report"])
        #expect(whole.status == 0)
        #expect(try made.rows("out") == made.rows("whole"))
        #expect(try made.rows("out").count == 9 * 24)
        let summary = try made.text("out/summary.csv").split(separator: "\n")
        let header = summary[0].split(separator: ",")
        let median = try #require(header.firstIndex(of: "median_accuracy"))
        #expect(Double(summary[1].split(separator: ",")[median]) ?? 0 > 60, "\(summary[1])")
        #expect(try coppice("report", made.folder / "out", "--quiet").status == 0)
        let page = try made.text("out/report.html")
        #expect(page.contains("rows: 240 training samples, 3 classes, 6 features"))
        #expect(page.contains("Samples kept") && !page.contains("images kept") && !page.contains("Images kept"))
        #expect(page.contains("closest, k 4, features") && !page.contains(", pixels"))
        #expect(page.contains("coppice run study.yaml") && !page.contains("study.yaml --data"))
        // The directory knows where its data are.
        let stored = try StoredStudy(reading: made.folder / "out")
        guard case .features(let files) = stored.study.datasetDescriptions[0].source else {
            Issue.record("no features")
            return
        }
        #expect(files.labels.hasPrefix("/") && files.labels.hasSuffix("/x/y.txt"))
    }

    @Test func optionsGiveTheSameResultsAsKeys() throws {
        let made = try MadeFeatures()
        let study = try made.study("standardize: true")
        let byKeys = try made.run([study, "--out", made.folder / "keys", "--no-report", "--quiet"])
        #expect(byKeys.status == 0, "\(byKeys.stderr)")
        // In place of a study's images, under a name of their own.
        let images = try made.folder.file(
            "images.yaml",
            Array(
                try made.text("studies/rows.yaml").split(separator: "\n").drop { !$0.hasPrefix("model") }
                    .filter { $0 != "standardize: true" }.joined(separator: "\n").utf8))
        let byOptions = try made.run(
            [images, "--out", made.folder / "options", "--no-report", "--quiet", "--standardize"] + made.options)
        #expect(byOptions.status == 0, "\(byOptions.stderr)")
        #expect(try made.rows("keys") == made.rows("options"))
        #expect(try StoredStudy(reading: made.folder / "options").study.datasets == ["features"])
        // As they are, they are other data.
        let plain = try made.run([images, "--out", made.folder / "options", "--no-report", "--quiet"] + made.options)
        expectComplaint(plain, code: 73, mentions: ["standardize is true there and not given here"])
        let named = try made.run(
            [study, "--out", made.folder / "named", "--no-report", "--quiet", "--dataset", "mine"] + made.options)
        #expect(named.status == 0, "\(named.stderr)")
        #expect(try StoredStudy(reading: made.folder / "named").study.datasets == ["mine"])
        #expect(try made.rows("named") == made.rows("keys"))
    }

    @Test func shardsAndMovedFilesAreOneStudy() throws {
        let made = try MadeFeatures()
        let study = try made.study()
        for shard in ["1/2", "2/2"] {
            let part = try made.run([study, "--out", made.folder / "out", "--no-report", "--quiet", "--shard", shard])
            #expect(part.status == 0, "\(part.stderr)")
        }
        #expect(try made.rows("out").count == 18)
        try FileManager.default.moveItem(atPath: made.folder / "x", toPath: made.folder / "moved")
        let text = try made.text("studies/rows.yaml")
        try text.replacing("../x/", with: "../moved/").write(toFile: study, atomically: true, encoding: .utf8)
        let again = try made.run([study, "--out", made.folder / "out", "--no-report", "--quiet"])
        #expect(again.status == 0, "\(again.stderr)")
        #expect(try made.text("out/study.yaml").contains("/moved/y.txt"))
        // Other values under the same name.
        try damage(made.folder / "moved/train-1.npy") { $0[$0.count - 1] ^= 1 }
        let other = try made.run([study, "--out", made.folder / "out", "--no-report", "--quiet"])
        expectComplaint(other, code: 73, mentions: ["another data set rows"])
    }

    @Test func aStudyNamesItsFolderOfImages() throws {
        let folder = try TemporaryFolder()
        for (name, seed) in [("shapes", 7), ("more", 8)] as [(String, UInt64)] {
            try SyntheticData(train: 60, test: 20, seed: seed).write(to: folder / name)
        }
        let study = try folder.file(
            "s.yaml",
            Array(
                """
                {dataset: {name: mine, data: shapes}, model: linear, runs: 1, epochs: 1,
                 experiments: [{pruning_method: none}, {pruning_method: none, dataset: {name: others, data: more}}]}
                """.utf8))
        let named = try coppice("run", study, "--out", folder / "out", "--quiet", "--device", "cpu")
        #expect(named.status == 0, "\(named.stderr)")
        let stored = try StoredStudy(reading: folder / "out")
        #expect(stored.study.datasetDescriptions.map(\.folder) == [folder / "shapes", folder / "more"])
        #expect(Set(stored.environment.datasets.values.map(\.fingerprint)).count == 2)
        // A folder of the command line takes the place of both.
        let given = try coppice(
            "run", study, "--data", folder / "shapes", "--out", folder / "given", "--quiet", "--device", "cpu")
        expectComplaint(given, code: 64, mentions: ["mine", "others"])
    }

    @Test func trainAndEvaluateTakeFeatures() throws {
        let made = try MadeFeatures()
        let (weights, compute) = (made.folder / "w.safetensors", ["--device", "cpu", "--json"])
        let trained = try coppice(
            ["train"] + made.options + ["--model", "linear", "--epochs", "20", "--save", weights] + compute)
        #expect(
            trained.status == 0 && trained.stderr.contains("training 1 network on 240 samples"), "\(trained.stderr)")
        let tested = try coppice(["evaluate"] + made.options + ["--weights", weights] + compute)
        #expect(tested.status == 0, "\(tested.stderr)")
        let accuracy = try trained.json()["accuracy"] as? Double
        #expect(try tested.json()["accuracy"] as? Double == accuracy)
        #expect(accuracy ?? 0 > 60)
        // The weights say how features were scaled, and which class has which number.
        for command in [["evaluate", "--weights", weights], ["train", "--model", "linear", "--init", weights]] {
            expectComplaint(
                try coppice(command + made.options + ["--standardize", "--quiet"] + compute), code: 65,
                mentions: ["w.safetensors", "neither --standardize nor --normalize", "features has --standardize"])
        }
        let bytes = try made.folder.file("bytes.npy", [])
        try NumPy.write([UInt8](repeating: 7, count: 239 * 6) + [1, 2, 3, 4, 5, 6], shape: [240, 6], to: bytes)
        var narrow = made.options
        narrow[try #require(narrow.firstIndex(of: "--features")) + 1] = bytes
        narrow[try #require(narrow.firstIndex(of: "--test-features")) + 1] = bytes
        narrow[try #require(narrow.firstIndex(of: "--test-labels")) + 1] = made.folder / "x/y.txt"
        expectComplaint(
            try coppice(["evaluate", "--weights", weights] + narrow + ["--quiet"] + compute), code: 65,
            mentions: ["trained on float features, and features has uint8 ones"])
        var renamed = made.options
        let words = try #require(renamed.firstIndex(of: "--labels")) + 1
        let lines = try String(contentsOfFile: renamed[words], encoding: .utf8)
        let tests = try #require(renamed.firstIndex(of: "--test-labels")) + 1
        let testLines = try String(contentsOfFile: renamed[tests], encoding: .utf8)
        let first = try #require(Set(lines.split(separator: "\n")).min())
        for (place, text) in [(words, lines), (tests, testLines)] {
            renamed[place] = try made.folder.file("renamed-\(place)", Array(text.replacing(first, with: "zebra").utf8))
        }
        expectComplaint(
            try coppice(["evaluate", "--weights", weights] + renamed + ["--quiet"] + compute), code: 65,
            mentions: ["its classes are \(first), ", "zebra; the same names in the same order are needed"])
        for (command, code) in [(["train"], 64), (["train", "--model", "lenet5"], 64)] as [([String], Int32)] {
            expectComplaint(
                try coppice(command + made.options + ["--quiet"]), code: code,
                mentions: ["lenet5 takes images", "--model mlp or linear"])
        }
    }

    /// What is read is not written over.
    @Test func trainingKeepsItsInputs() throws {
        let made = try MadeFeatures()
        let files = try made.folder.names(in: "x").sorted()
        let before = try files.map { try Data(contentsOf: URL(fileURLWithPath: made.folder / "x/\($0)")) }
        for option in ["--save", "--trace"] {
            for file in files where file != "ids.txt" {
                let outcome = try coppice(
                    ["train"] + made.options + ["--model", "linear", "--epochs", "1", "--device", "cpu", "--quiet"]
                        + [option, made.folder / "x/\(file)"])
                expectComplaint(outcome, code: 64, mentions: ["\(option) ", file, "which is read"])
            }
        }
        #expect(try files.map { try Data(contentsOf: URL(fileURLWithPath: made.folder / "x/\($0)")) } == before)
        let twice = try coppice(
            ["train"] + made.options + ["--model", "linear", "--quiet", "--save", made.folder / "a", "--trace"]
                + [made.folder / "x/../a"])
        expectComplaint(twice, code: 64, mentions: ["--trace ", "is the file of --save, which is written too"])
    }

    @Test func optionsThatDoNotFitAreRefused() throws {
        let made = try MadeFeatures()
        let (options, study) = (made.options, try made.study())
        let cases: [([String], [String])] = [
            (
                ["train", "--model", "linear"] + options.prefix(4),
                ["--features needs --test-features and --test-labels too"]
            ),
            (
                ["train", "--model", "linear"] + options.prefix(2),
                ["needs --labels and --test-features and --test-labels"]
            ),
            (["train"] + options.suffix(2), ["--test-labels is for --features"]),
            (["train", "--standardize"], ["--standardize is for --features"]),
            (["train", "--data", "x"] + options, ["--features and --data are mutually exclusive"]),
            (["run", "probe"], ["give --features, --labels, --test-features and --test-labels"]),
            (["run", "probe", "--data", made.folder / "x"], ["give --features"]),
            (["run", "probe", "--ids", "x"], ["--ids is for --features"]),
            (["run", "probe", "--transposed"] + options, ["--transposed is for the images"]),
            (["run", "quickstart", "--normalize"], ["--normalize is for features"]),
            (["run", study, "--data", "x"], ["--data is for images, and the data set rows is of features"]),
        ]
        for (arguments, words) in cases {
            let outcome = try coppice(arguments + ["--quiet"], environment: ["COPPICE_DATA": made.folder / "none"])
            expectComplaint(outcome, code: 64, mentions: words)
        }
        expectComplaint(
            try coppice(["run", "article", "--quiet"] + options), code: 65,
            mentions: ["model is lenet5, which takes images", "mlp or linear is needed"])
        // The name of images is taken for features, with a word.
        let named = try coppice(["run", "probe", "--dry-run", "--dataset", "mnist", "--device", "cpu"] + options)
        #expect(
            named.status == 0 && named.stderr.contains("note: the results call these features mnist"), "\(named.stderr)"
        )
        let clash = try coppice(["run", "probe", "--quiet", "--out", made.folder / "x/test.npy"] + options)
        expectComplaint(clash, code: 64, mentions: ["--out"])
    }
}
