import Compute
@testable import Datasets
import Foundation
import Networks
import Support
import TestSupport
import Testing

@testable import Studies

private let cluster = "pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest"
private let layers = "[flatten, linear: 9, tanh, linear: 4, linear: inputs]"
private let mine = "{name: mine, layers: \(layers)}"
private let model = ModelSpec(
    name: "mine",
    layers: [.flatten, .linear(.count(9)), .tanh, .linear(.count(4)), .linear(.inputs)])

/// Users' own autoencoders as `embedding` of a study.
@Suite struct OwnEmbeddingTests {
    private static let images = DatasetShape(
        count: 200, featureCount: 3 * 9 * 12, classCount: 10, sample: SampleShape(channels: 3, height: 9, width: 12))

    private func plan(_ yaml: String, _ shape: DatasetShape = images) throws -> StudyPlan {
        let study = try StudyReader(file: "s.yaml", acceptsAnyDataset: true).read(yaml)
        return try StudyPlan(study, shapes: Dictionary(uniqueKeysWithValues: study.datasets.map { ($0, shape) }))
    }

    private func keys(_ plan: StudyPlan) -> [EmbeddingKey] {
        plan.artifactUses.keys.compactMap { $0.kind as? EmbeddingKey }.sorted { $0.fileName < $1.fileName }
    }

    // MARK: - Words

    @Test func aFileAndLayersInTheStudyAreTheSame() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("models/mine.yaml", Array("name: mine\nlayers: \(layers)\n".utf8))
        let file = folder / "study.yaml"
        func yaml(_ value: String) -> String {
            "{embedding_epochs: 2, experiments: [{\(cluster), embedding: [pca, \(value), autoencoder], pca_components: 5}]}"
        }
        let study = try StudyReader(file: file).read(yaml("models/mine.yaml"))
        let own = try OwnAutoencoder(model)
        #expect(study.groups[0].embeddings == [.pca, .own(own), .autoencoder] && study.notices.isEmpty)
        let inline = try StudyReader(file: file).read(yaml(mine))
        #expect(inline == study && inline.yaml == study.yaml)
        // A directory has the layers, whatever becomes of the file.
        try FileManager.default.removeItem(atPath: folder / "models/mine.yaml")
        let again = try StudyReader(file: "/elsewhere/study.yaml").read(study.yaml)
        #expect(again == study.resolved && again.yaml == study.yaml && again.notices.isEmpty)
        let error = try #require(throws: StudyError.self) {
            try StudyReader(file: file).read(yaml("models/mine.yaml"))
        }
        #expect(error.description.hasPrefix("\(file):1:"))
        #expect(error.description.hasSuffix(": the model models/mine.yaml: cannot be read: No such file or directory"))
        #expect(error.category == .noInput)
        // One value need be no list.
        let one = try StudyReader(file: file).read("experiments: [{\(cluster), embedding: \(mine)}]")
        #expect(try StudyReader(file: file).read(one.yaml) == one.resolved)
    }

    @Test func casesAreNamedAfterTheModel() throws {
        let plan = try plan("experiments: [{\(cluster), embedding: [\(mine), pixels], embedding_epochs: 3}]")
        let own = try OwnAutoencoder(model)
        #expect(plan.experiments.map(\.embedding) == [.own(own, epochs: 3), .pixels])
        #expect(plan.experiments[0].clustering?.points == "mine 4 (3 epochs)")
        #expect(
            (["apply_pca", "pca_components"] + StudyEmbedding.columns).map {
                plan.experiments[0].word(column: $0) ?? "-"
            } == ["False", "-", "mine", "4", "3"])
        #expect(plan.notices.isEmpty)
        #expect(plan.scoreImages == 5 * 3 * 200)
    }

    /// The number of values is the code's: the same number is no conflict, and the components of PCA are another matter.
    @Test func theSizeIsTheCodes() throws {
        for keys in ["", ", embedding_size: 4", ", pca_components: 7"] {
            let plan = try plan("experiments: [{\(cluster), embedding: \(mine)\(keys)}]")
            #expect(plan.experiments.map(\.embedding?.size) == [4] && plan.notices.isEmpty)
        }
        let both = try plan("experiments: [{\(cluster), embedding: [pca, \(mine)], pca_components: 7}]")
        #expect(both.experiments.map(\.embedding?.size) == [7, 4])
    }

    // MARK: - Refusals

    @Test(arguments: [
        (
            "embedding: {name: net, layers: [flatten, linear: 4, relu, linear: classes]}",
            "s.yaml:1:12: embedding: net is a classifier: its last layer, layer 4, is linear: classes, and that of an"
                + " autoencoder is linear: inputs"
        ),
        (
            "embedding: {name: net, layers: [flatten, linear: 4, linear: inputs, relu]}",
            "s.yaml:1:12: embedding: layer 4 of net (relu) comes after linear: inputs, which must be the last layer of an"
                + " autoencoder"
        ),
        (
            "embedding: [pca, {name: net, layers: [flatten, linear: inputs]}]",
            "s.yaml:1:18: embedding: net has no code"
        ),
        (
            "embedding: {name: net, layers: [flatten, linear: 4, relu, linear: 4, linear: inputs]}",
            "s.yaml:1:12: embedding: the code of net is ambiguous: layers 2 and 4 both have 4 values"
        ),
        (
            "embedding: {name: PCA, layers: \(layers)}",
            "s.yaml:1:12: the name of the model PCA is that of the embedding pca; give this model another name"
        ),
        (
            "embedding: {name: Features, layers: \(layers)}",
            "s.yaml:1:12: the name of the model Features is that of the embedding features; give this model another name"
        ),
        (
            "embedding: {name: Autoencoder, layers: \(layers)}",
            "s.yaml:1:19: name is Autoencoder, and the library has a model autoencoder; give this one another name"
        ),
        ("embedding: {name: net, layers: [rule]}", "s.yaml:1:33: unknown layer rule; the nearest known one is relu"),
        ("embedding: [\(mine), \(mine)]", "the model mine stands twice in embedding"),
        (
            "embedding: [\(mine), {name: mine, layers: [flatten, linear: 4, linear: inputs]}]",
            "the model mine has other layers earlier in the list; give each its own name"
        ),
        (
            "embedding: [\(mine), {name: Mine, layers: \(layers)}]",
            "the name of the model Mine differs by upper and lower case alone from the model mine earlier in the list"
        ),
        (
            "embedding: [{name: my_ae, layers: \(layers)}, {name: My-ae, layers: \(layers)}]",
            "the name of the model My-ae differs by '.', '-' and '_' alone from the model my_ae earlier in the list"
        ),
        (
            "embedding: {name: pca., layers: \(layers)}",
            "s.yaml:1:12: the name of the model pca. is that of the embedding pca"
        ),
        ("embedding: mlp", "s.yaml:1:12: unknown embedding mlp; the nearest known one is"),
        (
            "embedding: [\((0..<101).map { "m\($0).yaml" }.joined(separator: ", "))]",
            "embedding has 101 values; 1 to 100"
        ),
        ("embedding: [[\(mine)]]", "s.yaml:1:13: embedding holds a list where a word is needed"),
        (
            "embedding_size: 5\nembedding: [pca, \(mine)]",
            "s.yaml:1:17: embedding_size is 5, and mine gives 4 values; leave embedding_size out, or give mine an entry of"
                + " its own without it"
        ),
        (
            "embedding: {name: deep, layers: [flatten, linear: 325, linear: inputs]}",
            "embedding: the code of deep has 325 values, and its input only 324: a code of 1 to 324 values is accepted (the"
                + " samples of mnist are 3x9x12)"
        ),
        (
            "embedding: {name: small, side: 4, layers: [flatten, linear: 49, linear: inputs]}",
            "embedding: the code of small has 49 values, and its input only 48"
        ),
        (
            "embedding: {name: conv, layers: [conv: {out: 4, kernel: 3}, max_pool: 8, flatten, linear: 9, linear: inputs]}",
            "embedding: conv: layer 2 (max_pool) has windows of 8x8, which do not fit into 4x7x10 (the samples of mnist are"
                + " 3x9x12)"
        ),
        (
            "embedding: {name: raw, layers: [linear: 9, linear: inputs]}",
            "embedding: raw: layer 1 (linear) takes a vector, not 3x9x12; put flatten before it"
        ),
        (
            "dataset: features\nmodel: linear\nembedding: {name: sided, side: 9, layers: \(layers)}",
            "s.yaml:3:12: embedding is sided, which takes images (side: 9), and the data set features has features; a model"
                + " without side is accepted"
        ),
    ]) func aFaultIsNamedWithItsPlace(keys: String, sentence: String) throws {
        let error = try #require(throws: StudyError.self, "\(keys)") {
            try plan("\(keys)\nexperiments:\n  - {\(cluster)}\n")
        }
        #expect(error.description.hasPrefix("s.yaml:") && error.description.contains(sentence), "\(error)")
        #expect(error.category == .badData)
    }

    /// A fault in a file of layers is named with its place there, one of what the study makes of it with the study's.
    @Test(arguments: [
        ("name: mine\nlayers: [flatten, rule]\n", "m.yaml:2:19: unknown layer rule"),
        ("layers: \(layers)\nname: pixels\n", "s.yaml:1:107: the name of the model pixels is that of the embedding"),
    ]) func aFaultOfAFileIsNamed(text: String, sentence: String) throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("m.yaml", Array(text.utf8))
        let error = try #require(throws: StudyError.self) {
            try StudyReader(file: folder / "s.yaml").read("experiments: [{\(cluster), embedding: [pca, m.yaml]}]")
        }
        #expect(error.description.hasPrefix(folder / sentence), "\(error)")
    }

    @Test func oneNameIsOneModelInAllEntries() throws {
        func yaml(_ other: String) -> String {
            "experiments:\n  - {\(cluster), embedding: \(mine)}\n  - {\(cluster), embedding: [pca, \(other)]}\n"
        }
        let error = try #require(throws: StudyError.self) {
            try study(yaml("{name: mine, layers: [flatten, linear: 4, linear: inputs]}"))
        }
        #expect(
            error.description.contains("test.yaml:3:")
                && error.description.contains(
                    "the model mine has other layers in an earlier entry; give each its own name")
        )
        #expect(try study(yaml(mine)).groups.count == 2)
    }

    @Test func itHasNoEffectWherePointsHaveNone() throws {
        let study = try study("experiments: [{pruning_method: random, sizes: 5, embedding: \(mine)}]")
        #expect(
            study.notices.count == 1 && study.notices[0].contains("embedding has no effect with pruning_method random"))
        #expect(!study.yaml.contains("mine"))
    }

    // MARK: - Keys and directories

    /// Directories of studies without own models stay as they were.
    @Test func keysOfBuiltInEmbeddingsStayAsTheyWere() throws {
        let plan = try plan(
            "{runs: 1, experiments: [{\(cluster), embedding: [autoencoder, lenet5], pca_components: 5}]}")
        #expect(
            try keys(plan).map { try JSON.text($0) } == [
                #"{"dataset":"mnist","epochs":10,"index":0,"method":"autoencoder","seed":1,"size":5}"#,
                #"{"dataset":"mnist","epochs":10,"index":0,"method":"lenet5","seed":1,"size":84}"#,
            ])
        #expect(
            keys(plan).map(\.fileName) == [
                "mnist-autoencoder5-epochs10-seed1-0", "mnist-lenet5-epochs10-seed1-0",
            ])
    }

    @Test func theKeyHasTheLayers() throws {
        func key(_ layers: String) throws -> EmbeddingKey {
            let plan = try plan("{runs: 1, experiments: [{\(cluster), embedding: {name: mine, layers: \(layers)}}]}")
            return try #require(keys(plan).first)
        }
        let first = try key(layers)
        #expect(first.fileName.hasPrefix("mnist-mine-") && first.fileName.hasSuffix("-epochs10-seed1-0"))
        #expect(try JSON.value(EmbeddingKey.self, of: JSON.data(first, keys: .asWritten), keys: .asWritten) == first)
        #expect(first.isAutoencoder && first.isShown && first.words == "mine 4" && first.size == 4)
        #expect(try first.recipe.model == model && first.recipe.training.length == .epochs(10))
        // The code is as wide as before.
        let other = try key(layers.replacing("9", with: "8"))
        #expect(other != first && other.fileName != first.fileName && other.preparation != first.preparation)
        #expect(try key(layers) == first)
    }

    private static let yaml = """
        runs: 4
        clustering_seeds: 2
        embedding: [autoencoder, \(mine)]
        pca_components: 5
        experiments:
          - {pruning_method: cluster, sizes: [20, 40], ks: 3, selection_strategies: [closest, furthest]}
        """

    @discardableResult
    private func run(_ yaml: String, in path: String) throws -> (FakeExecutor, StudyResults) {
        let executor = FakeExecutor()
        let results = try StudyRunner(study(yaml), directory: path, executor: executor).run()
        return (executor, results)
    }

    @Test func aDirectoryRefusesOtherLayers() throws {
        let temporary = try TemporaryDirectory()
        let (first, _) = try run(Self.yaml, in: temporary.results)
        #expect(first.embedded.count == 4 && first.embedded.count { $0.method == "mine" } == 2)
        #expect(zip(first.fits, first.foundEmbeddings).allSatisfy { $0.embedding?.fileName == $1 })
        let (again, _) = try run(Self.yaml, in: temporary.results)
        #expect(again.embedded.isEmpty && again.fits.isEmpty && again.batches.isEmpty)
        let edited = Self.yaml.replacing("linear: 9", with: "linear: 8")
        let error = try #require(throws: StudyError.self) { try run(edited, in: temporary.results) }
        #expect(error.category == .cannotCreate)
        #expect(
            error.description.contains("in entry 1 of experiments, embedding is [autoencoder, {name: mine"), "\(error)")
        // Without results nothing is mixed, and the edited model is fitted anew.
        try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl")
        for table in ["results.csv", "summary.csv"] {
            try? FileManager.default.removeItem(atPath: "\(temporary.results)/\(table)")
        }
        let (other, results) = try run(edited, in: temporary.results)
        #expect(other.embedded.map(\.method) == ["mine", "mine"])
        #expect(
            other.fits.allSatisfy { $0.embedding?.method == "mine" } && results.records.count == results.plan.runs.count
        )
        #expect(try StoredStudy(reading: temporary.results).results.records.count == results.records.count)
    }

    /// Networks are trained and samples embedded for real, by one process and by two shards.
    @Test func shardsComeToTheSame() throws {
        let data = try Dataset(name: "mnist", train: noise(40, classes: 4, run: 0), test: noise(20, classes: 4, run: 1))
        let yaml = """
            runs: 2
            steps: 1
            batch_size: 8
            model: linear
            embedding_epochs: 1
            embedding: [\(mine), {name: conv, side: 6, layers: [conv: {out: 2, kernel: 3}, relu, flatten, linear: 3, linear: inputs]}]
            experiments:
              - {pruning_method: cluster, sizes: 10, ks: 3, kmeans: lloyd, selection_strategies: closest}
              - {pruning_method: score, sizes: 10, scores: k-center}
            """
        func run(_ shard: String?, in path: String) throws {
            let executor = BackendExecutor(on: CPUBackend(), load: { _ in data })
            _ = try StudyRunner(study(yaml), directory: path, shard: shard.flatMap(Shard.init), executor: executor)
                .run()
        }
        let (whole, parts) = (try TemporaryDirectory(), try TemporaryDirectory())
        try run(nil, in: whole.results)
        for shard in ["1/2", "2/2"] { try run(shard, in: parts.results) }
        let (one, two) = (try StoredStudy(reading: whole.results), try StoredStudy(reading: parts.results))
        #expect(one.results.records.count == 8 && two.results.records.count == 8)
        #expect(one.results.records.map(\.correct) == two.results.records.map(\.correct))
        for run in one.results.plan.runs {
            let kept = one.selection(of: run)
            #expect(kept?.count == 10 && kept == two.selection(of: run))
        }
        let stored = keys(one.results.plan)
        #expect(stored.count == 4)
        for key in stored {
            let file = "/embeddings/\(key.fileName)/points.npy"
            let points = try NumPyArray.read(whole.results + file)
            #expect(points.shape == [40, key.size])
            #expect(points.floats == (try NumPyArray.read(parts.results + file).floats))
            // The points are those of the network that the key describes.
            let recipe = try key.recipe
            let store = try SampleStore.make(data.train, for: recipe.model, classes: 4, on: CPUBackend())
            let embedder = try Embedder.fit(
                store, recipe, normalisation: recipe.normalisation(of: data.channels), on: CPUBackend())
            #expect(try points.floats == embedder.embed(store))
        }
        // Of the one that resizes, the originals are as large as the reconstructions, and PCA is of something else.
        for key in stored where key.isShown {
            let shown = try #require(one.reconstruction(key))
            let sided = key.method == "conv"
            #expect(shown.count == 10 && shown.originals.count == 10 * (sided ? 36 : 16))
            #expect(shown.loss.explained != nil && (shown.pca == nil) == sided)
        }
    }

    /// A network is fitted to features as to images.
    @Test func featuresAreEmbedded() throws {
        var random = RandomStream(seed: 8, run: 0, purpose: .testing)
        let samples = SampleSet(
            valid: .floats((0..<640).map { _ in Float(random.nextUniform(-1, 1)) }), count: 40, shape: .vector(16),
            labels: (0..<40).map { UInt8($0 % 4) })
        let data = try Dataset(name: "rows", train: samples, test: samples, isOfImages: false)
        let executor = BackendExecutor(on: CPUBackend(), load: { _ in data })
        let embedding = StudyEmbedding.own(try OwnAutoencoder(model), epochs: 1)
        let key = try #require(EmbeddingKey(embedding, of: TrainingSet("rows"), seed: 1, index: 0))
        let fitted = try executor.embedding(key, cancellation: CancellationFlag())
        #expect(fitted.points.count == 160 && fitted.points.allSatisfy(\.isFinite) && fitted.spectrum != nil)
        let shown = try #require(fitted.reconstruction)
        let values = (0..<10).flatMap { row in (0..<16).map { column in row * 16 + column } }
        guard case .floats(let floats) = samples.values else { return }
        #expect(shown.originals == values.map { floats[$0] } && shown.pca != nil)
    }
}
