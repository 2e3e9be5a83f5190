import Foundation
import Networks
import Studies
import TestSupport
import Testing

/// Users' models, in files of their own and in studies.
@Suite struct ModelReaderTests {
    private static let text = """
        name: mine
        side: 20
        layers:
          - conv: {out: 8, kernel: 3, padding: 1}
          - batch_norm
          - tanh
          - avg_pool: 2
          - flatten
          - linear: 30
          - relu
          - linear: classes
        """
    private static let model = ModelSpec(
        name: "mine",
        layers: [
            .conv(out: 8, kernel: 3, padding: 1), .batchNorm, .tanh, .avgPool(2), .flatten, .linear(.count(30)), .relu,
            .linear(.classes),
        ], side: 20)

    private static func yaml(_ model: String) -> String {
        "{model: \(model), experiments: [{pruning_method: none}]}"
    }

    @Test func aFileIsReadAsItsLayersSay() throws {
        #expect(try ModelReader(file: "m.yaml").read(Self.text) == Self.model)
        #expect(ModelReader.isFile("m.yaml") && ModelReader.isFile("./m") && !ModelReader.isFile("mlp"))
    }

    @Test(arguments: [
        ("", "m.yaml: the model is empty"),
        ("name: [", "m.yaml:2:1: this is not YAML"),
        ("layers: [relu]", "m.yaml:1:1: this model has no name"),
        ("{name: x, layer: []}", "m.yaml:1:11: unknown key layer; the nearest known one is layers"),
        ("{name: a/b, layers: [relu]}", "m.yaml:1:8: name is a/b; a name of at most 60 letters"),
        ("{name: LeNet5, layers: [relu]}", "m.yaml:1:8: name is LeNet5, and the library has a model lenet5"),
        ("name: x", "m.yaml:1:1: the model x has no layers"),
        ("{name: x, layers: relu}", "m.yaml:1:19: layers must be a list"),
        ("{name: x, layers: []}", "m.yaml:1:19: layers has 0 entries; 1 to 200 are accepted"),
        ("{name: x, side: 0, layers: [relu]}", "m.yaml:1:17: side is 0;"),
        ("name: x\nlayers:\n  - rule", "m.yaml:3:5: unknown layer rule; the nearest known one is relu"),
        ("name: x\nlayers:\n  - conv2d: 3", "m.yaml:3:5: unknown key conv2d; the nearest known one is conv"),
        ("name: x\nlayers:\n  - relu:", "m.yaml:3:5: relu takes no value; write - relu"),
        ("name: x\nlayers:\n  - max_pool", "m.yaml:3:5: max_pool has no value; write max_pool: 2"),
        ("name: x\nlayers:\n  - linear: 0", "m.yaml:3:13: linear is 0;"),
        (
            "name: x\nlayers:\n  - linear: class",
            "m.yaml:3:13: linear is class; a number of values, classes or inputs is needed"
        ),
        ("name: x\nlayers:\n  - conv: {out: 3}", "m.yaml:3:11: conv has no kernel; write conv: {out: 6, kernel: 5"),
        (
            "name: x\nlayers:\n  - conv: {out: 3, kernels: 5}",
            "m.yaml:3:20: unknown key kernels; the nearest known one is kernel"
        ),
        ("name: x\nlayers:\n  - conv: {out: 3, kernel: 256}", "m.yaml:3:28: kernel is 256;"),
        (
            "name: x\nlayers:\n  - linear: 3\n    max_pool: 2",
            "m.yaml:3:5: this entry has 2 keys where one layer is needed"
        ),
    ]) func aFaultIsNamedWithItsPlace(text: String, sentence: String) throws {
        let error = try #require(throws: StudyError.self, "\(text)") { try ModelReader(file: "m.yaml").read(text) }
        #expect(error.description.hasPrefix(sentence), "\(error)")
        #expect(error.category == .badData)
    }

    @Test func aStudyNamesAFileBesideIt() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("models/mine.yaml", Array(Self.text.utf8))
        let file = folder / "study.yaml"
        let study = try StudyReader(file: file).read(Self.yaml("models/mine.yaml"))
        #expect(study.groups.map(\.settings.recipe.model) == [Self.model])
        // A directory has the layers, whatever becomes of the file.
        try FileManager.default.removeItem(atPath: folder / "models/mine.yaml")
        #expect(try StudyReader(file: "/elsewhere/study.yaml").read(study.yaml) == study.resolved)
        let error = try #require(throws: StudyError.self) {
            try StudyReader(file: file).read(Self.yaml("models/mine.yaml"))
        }
        #expect(
            error.description == "\(file):1:9: the model models/mine.yaml: cannot be read: No such file or directory")
        #expect(error.category == .noInput)
    }

    @Test func otherLayersAreAnotherStudy() throws {
        let flow = "{name: mine, layers: [flatten, {linear: 9}, relu, {linear: classes}]}"
        let first = try study(Self.yaml(flow))
        #expect(first.isSame(as: try study(Self.yaml(flow))))
        #expect(!first.isSame(as: try study(Self.yaml(flow.replacing("9", with: "8")))))
        #expect(!first.isSame(as: try study(Self.yaml("mlp"))))
    }

    @Test func oneNameIsOneModel() throws {
        let entry = { (width: Int) in
            "{pruning_method: none, model: {name: mine, layers: [flatten, {linear: \(width)}, relu, {linear: classes}]}}"
        }
        let error = try #require(throws: StudyError.self) {
            try study("experiments: [\(entry(3)), \(entry(4))]")
        }
        #expect(
            error.description.contains("the model mine has other layers in an earlier entry; give each its own name"))
        #expect(try study("experiments: [\(entry(3)), {pruning_method: none, model: mlp}]").groups.count == 2)
        let unknown = try #require(throws: StudyError.self) { try study(Self.yaml("mpl")) }
        #expect(unknown.description.contains("unknown model mpl; the nearest known one is mlp"))
    }
}
