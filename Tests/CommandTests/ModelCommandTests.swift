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
        (["nope"], 64, "unknown model 'nope'"), (["nope.yaml"], 66, "nope.yaml: cannot be read: No such file"),
        (["lenet5", "--size", "5"], 64, "lenet5 takes images, and samples of 5 values are none"),
        (["mlp", "--size", "5", "--side", "5"], 64, "give one kind"),
        (["mlp", "--classes", "0"], 64, "--classes is 0"),
        (["/"], 66, "it is not a regular file"),
    ]) func whatCannotBeShownIsSaid(arguments: [String], code: Int, sentence: String) throws {
        let outcome = try coppice(["model", "show"] + arguments)
        #expect(outcome.status == Int32(code) && outcome.stdout.isEmpty, "\(outcome.stderr)")
        #expect(outcome.stderr.hasPrefix("coppice: ") && outcome.stderr.contains(sentence), "\(outcome.stderr)")
    }

    /// The printed module runs, its tensors have the names and shapes of the weights, and it gives the same answers.
    @Test(.enabled(if: hasRecipesPython, "the recipes' Python is not in .venv/recipes"), arguments: ["lenet5", "mlp"])
    func thePrintedModuleTakesTheWeights(model: String) throws {
        let folder = try TemporaryFolder()
        let data = SyntheticData()
        try data.write(to: folder / "data")
        let trained = try coppice(
            [
                "train", "--data", folder / "data", "--quiet", "--json", "--model", model, "--epochs", "1", "--save",
                folder / "w.safetensors",
            ])
        #expect(trained.status == 0, "\(trained.stderr)")
        let weights = try Safetensors.read(folder / "w.safetensors")
        let shape = weights.tensors.mapValues(\.shape)
        let classes = "\(data.classes)"
        let module = try coppice(["model", "show", model, "--torch", "--classes", classes]).stdout
        _ = try folder.file("module.py", Array(module.utf8))
        let script = """
            import json, torch
            from module import model
            print(json.dumps({k: list(v.shape) for k, v in model.state_dict().items() if "num_batches" not in k}))
            print(list(model(torch.zeros(2, 1, \(model == "mlp" ? "28, 28" : "32, 32"))).shape))
            """
        _ = try folder.file("look.py", Array(script.utf8))
        let outcome = try recipe("python3 look.py", in: folder)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let lines = outcome.stdout.split(separator: "\n")
        let found = try JSONDecoder().decode([String: [Int]].self, from: Data((lines.first ?? "").utf8))
        #expect(found == shape)
        #expect(lines.last == "[2, \(classes)]")
    }
}
