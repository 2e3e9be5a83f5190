import Foundation
import Networks
import TestSupport
import Testing

/// `coppice model`, and `--model` with a file.
@Suite struct ModelCommandTests {
    private static let file = "name: mine\nlayers: [flatten, linear: 20, relu, linear: classes]\n"

    @Test func theLibraryIsListed() throws {
        let text = try coppice(["model", "list"]).stdout
        let models = try #require(try coppice(["model", "list", "--json"]).json()["models"] as? [[String: Any]])
        #expect(models.compactMap { $0["name"] as? String } == ModelLibrary.names)
        #expect(models.allSatisfy { text.contains($0["summary"] as? String ?? "?") })
        let wide = try #require(models.first { $0["name"] as? String == "lenet5-wide4" })
        #expect(wide["parameters"] as? Int == 972_730 && wide["path"] as? String == "fused")
        #expect(text.contains("lenet5-wide4  972730 parameters, fused network"))
        let probe = try #require(models.first { $0["name"] as? String == "linear" })
        #expect(probe["parameters"] as? Int == 7850 && probe["path"] as? String == "layered")
        #expect((probe["layers"] as? [Any])?.first as? String == "flatten")
        let features = try coppice(["model", "list", "--size", "384", "--classes", "3", "--json"]).json()
        let ofFeatures = try #require(features["models"] as? [[String: Any]])
        #expect(ofFeatures.compactMap { $0["name"] as? String } == ["mlp", "linear", "autoencoder"])
        #expect(ofFeatures[1]["parameters"] as? Int == 1155)
        #expect(ofFeatures.last?["parameters"] as? Int == 230_336)
    }

    /// What is shown is a file that another name makes one's own.
    @Test func whatIsShownCanBeTrained() throws {
        let folder = try TemporaryFolder()
        let data = SyntheticData.all[1]
        try data.write(to: folder / "data")
        let shown = try coppice(["model", "show", "mlp"]).stdout
        let refused = try folder.file("same.yaml", Array(shown.utf8))
        expectComplaint(
            try coppice(["model", "show", refused]), code: 65,
            mentions: ["the library has a model mlp", "same.yaml:2:7"])
        let file = try folder.file("mine.yaml", Array(shown.replacing("name: mlp", with: "name: mine").utf8))
        let weights = folder / "w.safetensors"
        let train = ["train", "--data", folder / "data", "--quiet", "--json", "--model", file, "--epochs", "6"]
        let trained = try coppice(train + ["--save", weights])
        #expect(trained.status == 0, "\(trained.stderr)")
        let accuracy = try #require(try trained.json()["accuracy"] as? Double)
        #expect(accuracy > 90)
        let evaluate = ["evaluate", "--data", folder / "data", "--weights", weights, "--quiet", "--json"]
        for more in [[], ["--model", file]] {
            #expect(try coppice(evaluate + more).json()["accuracy"] as? Double == accuracy)
        }
        let other = try folder.file(
            "other.yaml",
            Array(
                shown.replacing("name: mlp", with: "name: mine")
                    .replacing("300", with: "200").utf8))
        expectComplaint(
            try coppice(evaluate + ["--model", other]), code: 65,
            mentions: ["another model under the name mine: layer 2 is linear: 300 there and linear: 200 here"])
        expectComplaint(
            try coppice(train + ["--save", file]), code: 64, mentions: ["--model"])
    }

    @Test func aStudyTrainsAUsersModel() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let model = try folder.file("mine.yaml", Array(Self.file.utf8))
        let study = try folder.file(
            "study.yaml",
            Array("{model: mine.yaml, epochs: 1, runs: 1, dataset: mnist, experiments: [{pruning_method: none}]}".utf8))
        let run = ["run", study, "--data", folder / "data", "--out", folder / "out", "--quiet", "--device", "cpu"]
        let first = try coppice(run)
        #expect(first.status == 0, "\(first.stderr)")
        #expect(try String(contentsOfFile: folder / "out/study.yaml", encoding: .utf8).contains("- linear: 20"))
        // The file changes, and with it the study; its directory can be read without it.
        try Data(Self.file.replacing("20", with: "21").utf8).write(to: URL(fileURLWithPath: model))
        expectComplaint(try coppice(run), code: 73, mentions: ["another study", "{linear: 20}", "{linear: 21}"])
        try FileManager.default.removeItem(atPath: model)
        #expect(try coppice(["report", folder / "out", "--quiet"]).status == 0)
        expectComplaint(
            try coppice(run), code: 66, mentions: ["study.yaml:1:9: the model mine.yaml: cannot be read"])
    }

    @Test(arguments: [
        (["nope"], 64, "unknown model 'nope'"), (["autoencodr"], 64, "the nearest is autoencoder (lenet5, "),
        (["nope.yaml"], 66, "nope.yaml: cannot be read: No such file"),
        (["lenet5", "--size", "5"], 64, "lenet5 takes images, and --size 5 is for features"),
        (["mlp", "--size", "5", "--side", "5"], 64, "give one kind"),
        (["mlp", "--classes", "0"], 64, "--classes is 0"),
        (["/"], 66, "it is not a regular file"),
    ]) func whatCannotBeShownIsSaid(arguments: [String], code: Int, sentence: String) throws {
        let outcome = try coppice(["model", "show"] + arguments)
        #expect(outcome.status == Int32(code) && outcome.stdout.isEmpty, "\(outcome.stderr)")
        #expect(outcome.stderr.hasPrefix("coppice: ") && outcome.stderr.contains(sentence), "\(outcome.stderr)")
    }

    /// A model that does not fit is refused before anything is clustered or trained.
    @Test func whatDoesNotFitIsRefusedFirst() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let model = try folder.file(
            "wide.yaml", Array("name: wide\nlayers: [conv: {out: 2, kernel: 29}, flatten, linear: classes]\n".utf8))
        let data = ["--data", folder / "data", "--device", "cpu"]
        let fits = "wide: layer 1 (conv) has a 29x29 kernel, which does not fit into 1x28x28"
        let shift = "a shift of 28 is too large for images of 28x28; from 0 to 27 is accepted"
        let moved = ["--model", "linear", "--augment", "shift=28"]
        for (arguments, words) in [
            (["train", "--model", model, "--epochs", "0"], fits), (["train", "--epochs", "1"] + moved, shift),
            (["score", "--score", "el2n", "--out", folder / "s.npy", "--model", model], fits),
            (["score", "--score", "el2n", "--out", folder / "s.npy"] + moved, shift),
            (
                [
                    "select", "--score", "el2n", "--within", "cluster", "--k", "3", "--size", "9", "--out",
                    folder / "k.npy", "--model", model,
                ], fits
            ),
        ] {
            let outcome = try coppice(arguments + data)
            #expect(outcome.status == 65 && outcome.stderr.contains("coppice: \(words)"), "\(outcome.stderr)")
            #expect(!outcome.stderr.contains("training") && !outcome.stderr.contains("clustering"), "\(outcome.stderr)")
        }
        let study = try folder.file(
            "study.yaml",
            Array(
                "{epochs: 1, runs: 1, experiments: [{pruning_method: none}, {pruning_method: none, model: wide.yaml}]}"
                    .utf8))
        expectComplaint(
            try coppice(["run", study, "--out", folder / "out", "--quiet"] + data), code: 65,
            mentions: ["study.yaml:1:90: \(fits) (the samples of mnist are 1x28x28)"])
        #expect(!FileManager.default.fileExists(atPath: folder / "out"))
    }

    /// NetworksTests compute by the printed modules; this is what a user copies.
    @Test func theModuleIsPrintedForTheSamplesThatAreAskedFor() throws {
        let ofImages = try coppice([
            "model", "show", "mlp", "--torch", "--channels", "3", "--side", "32", "--classes", "4",
        ])
        #expect(ofImages.stdout.contains("# It takes [batch, 3, 32, 32]: "), "\(ofImages.stdout)")
        #expect(ofImages.stdout.contains("nn.Linear(3072, 300)") && ofImages.stdout.contains("nn.Linear(100, 4)"))
        let ofFeatures = try coppice(["model", "show", "mlp", "--torch", "--size", "384"])
        #expect(ofFeatures.stdout.contains("# It takes [batch, 384]: "), "\(ofFeatures.stdout)")
    }
}
