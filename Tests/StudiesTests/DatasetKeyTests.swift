import Datasets
import Foundation
import Support
import TestSupport
import Testing

@testable import Studies

private let rows = "name: rows, features: X.npy, labels: y.txt, test_features: T.npy, test_labels: z.txt"
private let none = "experiments: [{pruning_method: none}]"

/// `dataset:` written out, and what is done to features.
@Suite struct DatasetKeyTests {
    @Test func aMappingNamesTheFilesRelativeToTheStudy() throws {
        let yaml = """
            dataset:
              name: rows
              features: [train-*.npy, more.npz:X]
              labels: y.txt
              test_features: /elsewhere/T.npy
              test_labels: z.txt
              ids: X.jsonl
            standardize: true
            model: linear
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: 5%}
            """
        let study = try StudyReader(file: "/data/study.yaml").read(yaml)
        let dataset = try #require(study.datasetDescriptions.first)
        #expect(study.datasetDescriptions.count == 1 && dataset.name == "rows" && dataset.isOfFeatures)
        #expect(dataset.scaling == RequestedScaling(standardize: true))
        #expect(
            dataset.source
                == .features(
                    FeatureFiles(
                        features: ["/data/train-*.npy", "/data/more.npz:X"], labels: "/data/y.txt",
                        testFeatures: ["/elsewhere/T.npy"], testLabels: "/data/z.txt", identifiers: "/data/X.jsonl")))
        // As a directory keeps it.
        #expect(try StudyReader(file: "/results/study.yaml").read(study.yaml) == study.resolved)
        #expect(study.yaml.contains("standardize: true") && !study.yaml.contains("normalize"))
    }

    @Test func aFolderIsNamedAndTheNameServesEveryEntry() throws {
        let study = try StudyReader(file: "/data/study.yaml").read(
            "{dataset: {name: digits, data: ../mnist}, experiments: [{pruning_method: none}, {pruning_method: none,"
                + " dataset: digits, model: mlp}]}")
        #expect(study.datasetDescriptions.count == 1)
        #expect(study.datasetDescriptions.first?.folder == "/data/../mnist")
        #expect(study.datasetDescriptions.first?.isOfFeatures == false)
        #expect(try StudyReader(file: "x").read(study.yaml) == study.resolved)
    }

    @Test func eachEntryMayHaveDataOfItsOwn() throws {
        let study = try study(
            "{model: linear, experiments: [{pruning_method: none, dataset: {\(rows)}}, {pruning_method: none},"
                + " {pruning_method: none, dataset: {\(rows.replacing("rows", with: "scaled"))}, normalize: true}]}")
        #expect(study.datasets == ["rows", "mnist", "scaled"])
        #expect(study.datasetDescriptions.map(\.isOfFeatures) == [true, false, true])
        #expect(study.datasetDescriptions.map(\.scaling.normalize) == [false, false, true])
        #expect(try StudyReader(file: "x").read(study.yaml) == study.resolved)
    }

    @Test func aPatternsFolderMeansItself() throws {
        let folder = try TemporaryFolder()
        for name in ["a[1]/x-1.npy", "a1/x-2.npy"] { _ = try folder.file(name, npyFile("|u1", [1, 2], [1, 2])) }
        let pattern = Paths.absolute("x-*.npy", from: folder / "a[1]")
        #expect(Formats.files(ofMatrix: pattern) == [folder / "a[1]/x-1.npy"])
        #expect(Paths.absolute("x-1.npy", from: folder / "a[1]") == folder / "a[1]/x-1.npy")
        #expect(Paths.absolute("/x-*.npy", from: folder / "a[1]") == "/x-*.npy")
    }

    @Test(arguments: [
        BadStudy("dataset: {\(rows), label: y}\n\(none)", ":1:97: unknown key label; the nearest known one is labels"),
        BadStudy("dataset: {features: X.npy}\n\(none)", ":1:10: this data set has no name"),
        BadStudy("dataset: {name: a/b, data: x}\n\(none)", ":1:17: name is a/b; a name of at most 60 letters"),
        BadStudy(
            "dataset: {name: a}\n\(none)", ":1:10: the data set a has neither data (a folder of images) nor features"),
        BadStudy(
            "dataset: {name: a, data: d, features: x}\n\(none)",
            ":1:26: data and features conflict: both are the samples; give one"),
        BadStudy(
            "dataset: {name: a, data: d, labels: y}\n\(none)", ":1:37: labels is for features; those of data are in"),
        BadStudy("dataset: {name: a, ids: y}\n\(none)", ":1:25: ids is for features, and this data set has none"),
        BadStudy(
            "dataset: {name: a, features: x, labels: y}\n\(none)",
            ":1:10: the data set a has no test_features, no test_labels; features need labels, test_features and"),
        BadStudy("dataset: {name: a, data: ''}\n\(none)", ":1:26: data is \"\"; a path is needed"),
        BadStudy("dataset: {name: a, data: [x]}\n\(none)", ":1:26: data holds a list where a path is needed"),
        BadStudy("dataset: {name: a, features: []}\n\(none)", ":1:30: features is an empty list"),
        BadStudy("dataset: {name: a, features: [x, x]}\n\(none)", "x stands twice in features"),
        BadStudy("dataset: {name: a, features: }\n\(none)", ":1:20: features has no value"),
        BadStudy("dataset: [mnist]\n\(none)", ":1:10: dataset holds a list where a word is needed"),
        BadStudy("standardize: maybe\n\(none)", ":1:14: standardize is maybe; true or false is needed"),
        BadStudy("standardize: true\n\(none)", ":1:14: standardize is for features, and the data set mnist has images"),
        BadStudy(
            "dataset: {\(rows)}\nmodel: linear\nexperiments: [{pruning_method: none}, {pruning_method: none, dataset: mnist, normalize: true}]",
            ":3:89: normalize is for features, and the data set mnist has images"),
        BadStudy(
            "dataset: {\(rows)}\n\(none)",
            ":2:15: model is lenet5, which takes images, and the data set rows is of features; mlp or linear is needed"),
        BadStudy(
            "dataset: features\nexperiments: [{pruning_method: none, model: lenet5}]",
            ":2:45: model is lenet5, which takes images, and the data set features is of features"),
        BadStudy(
            "dataset: {\(rows)}\nmodel: linear\nexperiments: [{pruning_method: none}, {pruning_method: none, standardize: true}]",
            ":3:75: the data set rows is scaled in another way in an earlier entry; give each its own name"),
        BadStudy(
            "dataset: {\(rows)}\nmodel: linear\nexperiments: [{pruning_method: none}, {pruning_method: none, dataset: {name: rows, data: d}}]",
            ":3:71: the data set rows has other files in an earlier entry; give each its own name"),
    ])
    func whatIsWrongIsRefusedWithItsPlace(bad: BadStudy) {
        let error = studyError { _ = try study(bad.yaml) }
        #expect(error?.category == .badData)
        #expect(
            error?.description.contains("test.yaml" + (bad.error.hasPrefix(":") ? bad.error : ":")) == true,
            "\(error?.description ?? "none")")
        #expect(error?.description.contains(bad.error) == true, "\(error?.description ?? "none")")
    }

    @Test func optionsTakeThePlaceOfTheStudysData() throws {
        let files = FeatureFiles(features: ["X"], labels: "y", testFeatures: ["T"], testLabels: "z")
        let images = try study("{model: linear, experiments: [{pruning_method: none}]}")
        let taken = try images.overriding(
            features: files, name: "mine", scaling: RequestedScaling(standardize: true))
        #expect(taken.datasetDescriptions.map(\.name) == ["mine"])
        #expect(taken.datasetDescriptions.first?.source == .features(files))
        #expect(taken.datasetDescriptions.first?.scaling.standardize == true)
        let leNet = try study("{experiments: [{pruning_method: none}]}")
        let error = studyError { _ = try leNet.overriding(features: files, name: "mine", scaling: RequestedScaling()) }
        #expect(error?.description.contains("test.yaml:1:16: model is lenet5, which takes images") == true)
    }

    /// Names and fingerprints tell data apart, not where they are.
    @Test func movedFilesAreTheSameDataAndOthersAreNot() throws {
        let temporary = try TemporaryDirectory()
        func run(_ folder: String, _ more: String = "", data: String = "data") throws {
            let executor = FakeExecutor()
            executor.fingerprint = data
            let study = try StudyReader(file: folder + "/s.yaml").read(
                "{dataset: {\(rows)}, model: linear, runs: 2, \(more)experiments: [{pruning_method: random, sizes: 10}]}"
            )
            _ = try StudyRunner(study, directory: temporary.results, executor: executor).run()
        }
        try run("/old")
        #expect(try temporary.text("study.yaml").contains("features: \"/old/X.npy\""))
        try run("/new")
        #expect(try StoredStudy(reading: temporary.results).results.records.count == 2)
        #expect(try temporary.text("study.yaml").contains("features: \"/new/X.npy\""))
        let other = studyError { try run("/new", data: "other data") }
        #expect(other?.description.contains("another data set rows: data there, other data here") == true)
        let scaled = studyError { try run("/new", "standardize: true, ") }
        #expect(scaled?.description.contains("standardize is not given there and true here") == true)
    }

    /// A directory keeps no word on whether samples are features, so that a key that was read is the one that was written.
    @Test(arguments: [false, true]) func aKeyOfAClusteringIsItsDescription(isOfFeatures: Bool) throws {
        let recipe = ClusteringRecipe(k: 3, embedding: .pixels, kmeans: .lloyd, isOfFeatures: isOfFeatures)
        let key = ClusteringKey(recipe, of: TrainingSet("rows"), seed: 5, index: 1)
        let read = try JSONDecoder().decode(ClusteringKey.self, from: JSONEncoder().encode(key))
        #expect(read == key && Set([read, key]).count == 1)
        #expect(ClusteringKey(recipe, of: TrainingSet("rows"), seed: 5, index: 2) != key)
        #expect(ClusteringKey(recipe, of: TrainingSet("others"), seed: 5, index: 1) != key)
        #expect(key.fileName.contains(isOfFeatures ? "-features-" : "-pixels-"))
    }
}
