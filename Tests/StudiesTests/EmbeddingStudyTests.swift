import Clustering
import Compute
@testable import Datasets
import Foundation
import Networks
import Pruning
import Scoring
import Support
import Testing

@testable import Studies

private let shapes = ["mnist": DatasetShape(count: 200, featureCount: 16, classCount: 10)]
private let cluster = "pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest"

/// Keys above all entries and in one, and what they make together.
private let nearestSizes: [(above: String, entry: String, expected: StudyEmbedding)] = [
    ("embedding_size: 6", "embedding: pca, pca_components: 5", .pca(5)),
    ("embedding_size: 6", "use_pca: true, pca_components: 5", .pca(5)),
    ("embedding_size: 6", "use_pca: true", .pca(6)),
    ("embedding_size: 6", "embedding: autoencoder", .autoencoder(size: 6, epochs: 10)),
    ("pca_components: 6", "embedding: pca, embedding_size: 5", .pca(5)),
    ("pca_components: 6", "use_pca: true, embedding_size: 5", .pca(5)),
    ("embedding_size: 6, pca_components: 6", "embedding: pca", .pca(6)),
    ("embedding_size: 6, pca_components: 7", "embedding: pca, embedding_size: 5", .pca(5)),
    ("embedding_size: 6", "use_pca: false", .pixels),
    ("embedding_size: 6", "embedding: lenet5, pca_components: 5", .lenet5(epochs: 10)),
]

/// `embedding` in studies: words, plans, artifacts.
@Suite struct EmbeddingStudyTests {
    private func plan(_ yaml: String) throws -> StudyPlan { try StudyPlan(study(yaml), shapes: shapes) }

    // MARK: - Words

    @Test(arguments: [
        ("use_pca: true, pca_components: 4", "embedding: pca, pca_components: 4"),
        ("use_pca: true, pca_components: 4", "embedding: pca, embedding_size: 4"),
        ("use_pca: true, pca_components: 4", "use_pca: true, embedding_size: 4"),
        ("use_pca: false, pca_components: 4", "embedding: pixels, pca_components: 4"),
        ("use_pca: [true, false], pca_components: 4", "embedding: [pca, pixels], embedding_size: 4"),
        ("pca_components: 4", "embedding: pixels, pca_components: 4, embedding_epochs: 7"),
    ])
    func pcaAndPixelsAreWhatUsePCASaid(old: String, new: String) throws {
        let score = "pruning_method: score, scores: k-center, sizes: 20"
        let (was, now) = (
            "experiments: [{\(cluster), \(old)}, {\(score), \(old)}]",
            "experiments: [{\(cluster), \(new)}, {\(score), \(new)}]"
        )
        #expect(try study(was) == study(now))
        #expect(try study(was).yaml == study(now).yaml)
        #expect(try !study(now).yaml.contains("embedding"))
        let (one, other) = (try plan(was), try plan(now))
        #expect(one.experiments == other.experiments && one.artifactUses == other.artifactUses)
        #expect(one.artifactUses.keys.allSatisfy { !($0.kind is EmbeddingKey) })
    }

    /// The descriptions of artifacts without networks do not mention embeddings.
    @Test func keysOfArtifactsWithoutNetworks() throws {
        let plan = try plan(
            "{pca_components: 4, experiments: [{\(cluster), use_pca: true, runs: 1}, {pruning_method: score,"
                + " scores: k-center, sizes: 20, use_pca: true, runs: 1}]}")
        let clustering = try #require(plan.clusteringUses.keys.first)
        #expect(
            try JSON.text(clustering)
                == #"{"dataset":"mnist","format":2,"index":0,"k":3,"kmeans":"minibatch","pca_components":4,"seed":1}"#)
        #expect(clustering.fileName == "mnist-k3-pca4-minibatch-seed1-0")
        let score = try #require(plan.artifactUses.keys.compactMap { $0.kind as? ScoreKey }.first)
        #expect(try !JSON.text(score).contains("embedding"))
        let digest = try digest(score)
        #expect(score.fileName == "mnist-k-center-seed1-0-\(digest)")
    }

    private func digest(_ key: ScoreKey) throws -> String {
        var hash = SHA256()
        hash.update(try JSON.text(key))
        return String(hash.digest.prefix(12))
    }

    @Test func sizesAndEpochsAreThoseOfTheKeys() throws {
        let plan = try plan(
            """
            embedding: [pixels, pca, autoencoder]
            embedding_size: 5
            experiments:
              - {\(cluster)}
              - {\(cluster), embedding: lenet5, embedding_size: 84, embedding_epochs: 3}
              - {\(cluster), embedding: autoencoder, embedding_size: 16}
              - {pruning_method: random, sizes: 20}
            """)
        #expect(
            plan.experiments.map(\.embedding) == [
                .pixels, .pca(5), .autoencoder(size: 5, epochs: 10), .lenet5(epochs: 3),
                .autoencoder(size: 16, epochs: 10), nil,
            ])
        #expect(plan.notices.isEmpty)
        #expect(
            plan.experiments.map { experiment in
                (["apply_pca", "pca_components"] + StudyEmbedding.columns)
                    .map { experiment.word(column: $0) ?? "-" }.joined(separator: " ")
            } == [
                "False - pixels - -", "True 5 pca 5 -", "False - autoencoder 5 10", "False - lenet5 84 3",
                "False - autoencoder 16 10", "- - - - -",
            ])
        let unset = try self.plan("experiments: [{\(cluster), embedding: [autoencoder, lenet5], pca_components: 7}]")
        #expect(unset.experiments.map(\.embedding) == [.autoencoder(size: 7, epochs: 10), .lenet5(epochs: 10)])
    }

    /// An entry's number overrides one above all entries, whichever of the two keys has it; nothing is ignored
    /// silently.
    @Test(arguments: nearestSizes)
    func theNearestSizeCounts(above: String, entry: String, expected: StudyEmbedding) throws {
        let plan = try plan("{\(above), experiments: [{\(cluster), \(entry)}]}")
        #expect(plan.experiments.map(\.embedding) == [expected] && plan.notices.isEmpty, "\(plan.notices)")
    }

    /// Giving the default size does not make another study: a directory can be resumed without the key.
    @Test func theSizeOfLeNetLeavesComponentsAsTheyAre() throws {
        let plain = try study("experiments: [{\(cluster), embedding: lenet5}]")
        let told = try study("experiments: [{\(cluster), embedding: lenet5, embedding_size: 84}]")
        #expect(told == plain && told.yaml == plain.yaml && told.groups[0].settings.pcaComponents == 50)
    }

    @Test(arguments: [
        "{embedding: [lenet5, pixels], embedding_epochs: 2, experiments: [{\(cluster)}, {pruning_method: none}]}",
        "experiments: [{\(cluster), embedding: autoencoder, embedding_size: 9}, {\(cluster), use_pca: true}]",
        "{embedding: autoencoder, experiments: [{pruning_method: score, scores: [herding, el2n], sizes: 9}]}",
    ])
    func theResolvedStudyReadsBackEqual(yaml: String) throws {
        let original = try study(yaml)
        let again = try study(original.yaml)
        #expect(again == original.resolved && again.yaml == original.yaml && again.notices.isEmpty)
        #expect(original.yaml.contains("embedding_epochs"))
    }

    @Test(arguments: [
        BadStudy.experiment(
            "\(cluster), embedding: autoencodr",
            "unknown embedding autoencodr; the nearest known one is autoencoder (pixels, pca, autoencoder, lenet5 are known)"
        ),
        .experiment("\(cluster), embedding: [pca, pca]", "pca stands twice in embedding"),
        .experiment("\(cluster), embedding: []", "embedding is an empty list"),
        .experiment(
            "\(cluster), embedding: pca, embedding_size: 0",
            "embedding_size is 0; a whole number from 1 to 1000000 is needed"),
        .experiment(
            "\(cluster), embedding: lenet5, embedding_epochs: 0",
            "embedding_epochs is 0; a whole number from 1 to 1000000 is needed"),
        .experiment(
            "\(cluster), embedding: lenet5, embedding_size: 64",
            "embedding_size is 64, and lenet5 gives 84 values; leave embedding_size out"),
        .experiment(
            "\(cluster), embedding: [autoencoder, lenet5], embedding_size: 64",
            "embedding_size is 64, and lenet5 gives 84 values"),
        .experiment(
            "\(cluster), embedding: pca, embedding_size: 6, pca_components: 5",
            "embedding_size is 6 and pca_components 5: both say how many values a point has"),
        BadStudy(
            "embedding_size: 6\npca_components: 5\nexperiments:\n  - {\(cluster), use_pca: true}\n",
            "test.yaml:1:17: embedding_size is 6 and pca_components 5: both say how many values a point has"),
        BadStudy(
            "embedding: pca\nexperiments:\n  - {\(cluster), use_pca: true}\n",
            "test.yaml:3:89: use_pca and embedding conflict: both say what the samples are as points, and embedding is given"
                + " at test.yaml:1:12; give one"),
        BadStudy(
            "embedding: pca\nexperiments:\n  - {pruning_method: none, use_pca: true}\n",
            "use_pca and embedding conflict"),
        .experiment("\(cluster), use_pca: false, embedding: pixels", "use_pca and embedding conflict"),
        .experiment("\(cluster), embeding: pca", "unknown key embeding; the nearest known one is embedding"),
    ])
    func isRefusedWithItsPlaceAndWhatWouldDo(bad: BadStudy) {
        let error = studyError { _ = try study(bad.yaml) }
        #expect(error?.category == .badData)
        let description = error?.description ?? "no error"
        #expect(description.hasPrefix("test.yaml:") && description.contains(bad.error), "\(description)")
    }

    @Test(arguments: [
        ("embedding: pca, embedding_size: 17", "2:112: embedding_size is 17; mnist has room for 1 to 16"),
        ("embedding: pca", "2:5: embedding_size is 50 (the default); mnist has room for 1 to 16"),
        (
            "embedding: autoencoder, embedding_size: 17",
            "2:120: embedding_size is 17, and a sample of mnist has 16 values: an autoencoder's code has from 1 to 16"
        ),
        ("embedding: autoencoder", "2:5: embedding_size is 50 (the default), and a sample of mnist has 16 values"),
    ])
    func whatDoesNotFitTheSetIsRefused(keys: String, message: String) throws {
        let error = studyError { _ = try plan("experiments:\n  - {\(cluster), \(keys)}") }
        #expect(error?.category == .badData)
        #expect(error?.description.contains("test.yaml:\(message)") == true, "\(error?.description ?? "no error")")
    }

    /// The error names the key that set the number.
    @Test(arguments: [
        ("use_pca: true", "1:17: embedding_size is 17; mnist has room for 1 to 16"),
        ("embedding: pca, pca_components: 18", "3:112: pca_components is 18; mnist has room for 1 to 16"),
        ("use_pca: true, pca_components: 18", "3:111: pca_components is 18; mnist has room for 1 to 16"),
    ])
    func theKeyOfTheNumberIsNamed(keys: String, message: String) throws {
        let error = studyError { _ = try plan("embedding_size: 17\nexperiments:\n  - {\(cluster), \(keys)}") }
        #expect(error?.category == .badData)
        #expect(error?.description.contains("test.yaml:\(message)") == true, "\(error?.description ?? "no error")")
    }

    @Test func featuresHaveNoLeNet() throws {
        var study = try study("experiments: [{\(cluster), embedding: [pixels, lenet5]}]")
        study.groups[0].settings.recipe.isOfFeatures = true
        let error = studyError { _ = try StudyPlan(study, shapes: shapes) }
        #expect(
            error?.description.contains(
                "embedding is lenet5, and the data set mnist has features: lenet5 takes images alone") == true)
    }

    @Test func anEmbeddingOfAListIsRefusedWithItsOwnPlace() throws {
        var features = try study("embedding:\n  - pixels\n  - lenet5\nexperiments: [{\(cluster)}]")
        features.groups[0].settings.recipe.isOfFeatures = true
        let lenet = studyError { _ = try StudyPlan(features, shapes: shapes) }
        #expect(lenet?.description.hasPrefix("test.yaml:3:5: embedding is lenet5, and") == true)
        // The size is the default, which is too large.
        for method in ["pca", "autoencoder"] {
            let error = studyError {
                _ = try plan("experiments:\n  - {\(cluster),\n     embedding: [pixels,\n       \(method)]}")
            }
            #expect(error?.description.hasPrefix("test.yaml:4:8: embedding_size is 50 (the default)") == true)
        }
    }

    @Test(arguments: [
        ("pruning_method: random, sizes: 5, embedding: pca", "embedding has no effect with pruning_method random"),
        ("pruning_method: none, embedding_epochs: 2", "embedding_epochs has no effect with pruning_method none"),
        (
            "pruning_method: score, scores: el2n, sizes: 5, embedding: pca",
            "embedding has no effect with these scores"
        ),
        ("\(cluster), embedding: pca, embedding_epochs: 2", "embedding_epochs has no effect with embedding pca"),
        ("\(cluster), embedding: pixels, embedding_size: 2", "embedding_size has no effect with embedding pixels"),
        ("\(cluster), use_pca: false, embedding_size: 2", "embedding_size has no effect without the key embedding"),
    ])
    func idleKeysAreNoted(keys: String, notice: String) throws {
        let study = try study("experiments: [{\(keys)}]")
        #expect(study.notices.count == 1 && study.notices[0].contains(notice), "\(study.notices)")
        // They do not make another study.
        #expect(study.groups[0].settings.embeddingEpochs == 10)
    }

    @Test func keysAtTheTopAreForWhomeverTheyConcern() throws {
        let study = try study(
            "{embedding: pca, embedding_epochs: 3, embedding_size: 4, experiments: [{pruning_method: none}, {\(cluster)}]}"
        )
        #expect(study.notices.isEmpty)
        #expect(
            study.groups.map(\.embeddings) == [[], [.pca]] && study.groups.map(\.settings.pcaComponents) == [50, 4])
    }

    // MARK: - Artifacts

    private static let yaml = """
        runs: 4
        clustering_seeds: 2
        embedding: [autoencoder, lenet5]
        pca_components: 5
        experiments:
          - {pruning_method: random, sizes: 20}
          - {pruning_method: cluster, sizes: [20, 40], ks: [3, 4], selection_strategies: [closest, furthest]}
        """

    @Test func anEmbeddingIsMadeOncePerClusteringSeedAndServesAllCases() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.fitSeconds = 0.01
        executor.reportSeconds = 100
        let results = try StudyRunner(study(Self.yaml), directory: temporary.results, executor: executor).run()
        // Two methods and two seeds; two ks each.
        #expect(executor.embedded.count == 4 && Set(executor.embedded).count == 4 && executor.fits.count == 8)
        // Every clustering found its embedding.
        #expect(zip(executor.fits, executor.foundEmbeddings).allSatisfy { $0.embedding?.fileName == $1 })
        #expect(
            Set(executor.embedded.map(\.fileName)) == [
                "mnist-autoencoder5-epochs10-seed1-0", "mnist-autoencoder5-epochs10-seed1-1",
                "mnist-lenet5-epochs10-seed1-0", "mnist-lenet5-epochs10-seed1-1",
            ])
        #expect(executor.fits.contains { $0.fileName == "mnist-k3-autoencoder5-epochs10-minibatch-seed1-1" })
        #expect(results.plan.scoreImages == 4 * 10 * 200 && results.plan.artifactNetworks == "embeddings")
        // The runs that select by them share the time of making them; time for reports alone does not count.
        let seconds = results.records.map(\.selectionSeconds)
        let ofClusters = zip(results.records, seconds).filter { $0.0.experimentID > 1 }.map(\.1)
        #expect(ofClusters.count == 64 && ofClusters.allSatisfy { $0 < 1 })
        // Three embeddings that reports show nothing of, and eight clusterings.
        #expect(ofClusters.reduce(0, +) >= 0.11)
        let again = FakeExecutor()
        let same = try StudyRunner(study(Self.yaml), directory: temporary.results, executor: again).run()
        #expect(again.embedded.isEmpty && again.batches.isEmpty && same.records == results.records)
        // Raising the runs beyond the clusterings' number goes on with the same ones.
        let more = Self.yaml.replacing("runs: 4", with: "runs: 6")
        _ = try StudyRunner(study(more), directory: temporary.results, executor: again).run()
        #expect(again.embedded.isEmpty && again.fits.isEmpty && !again.batches.isEmpty)
    }

    @Test func anEmbeddingWithABitTurnedIsMadeAgain() throws {
        let temporary = try TemporaryDirectory()
        _ = try StudyRunner(study(Self.yaml), directory: temporary.results, executor: FakeExecutor()).run()
        let name = "mnist-autoencoder5-epochs10-seed1-0"
        let stored = try StoredStudy(reading: temporary.results)
        let key = try #require(
            stored.results.plan.artifactUses.keys.compactMap { $0.kind as? EmbeddingKey }.first { $0.fileName == name })
        let shown = try #require(stored.reconstruction(key))
        #expect(shown.count == 2 && shown.originals == [Float](repeating: 0.5, count: 32))
        #expect(shown.loss == Reconstruction.Loss(meanSquaredError: 0.0625, explained: 0.75) && shown.pca == nil)
        let file = temporary.results + "/embeddings/\(name)/reconstructions.npy"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count - 4] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
        #expect(stored.reconstruction(key) == nil)
        try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl")
        let executor = FakeExecutor()
        _ = try StudyRunner(study(Self.yaml), directory: temporary.results, executor: executor).run()
        #expect(executor.embedded == [key] && executor.fits.isEmpty)
    }

    @Test func scoresOfPointsTakeTheEmbeddingOfTheirRun() throws {
        let plan = try plan(
            """
            runs: 3
            embedding: autoencoder
            pca_components: 5
            experiments:
              - {pruning_method: score, scores: [k-center, semdedup, el2n], ks: 3, sizes: [20, 40]}
            """)
        for experiment in plan.experiments {
            for run in 0..<3 {
                let keys = experiment.artifacts(run: run)
                let embeddings = keys.compactMap { $0.kind as? EmbeddingKey }
                let score = keys.compactMap { $0.kind as? ScoreKey }.first
                if experiment.selection.score == "el2n" {
                    #expect(embeddings.isEmpty && score?.embedding == nil)
                } else {
                    #expect(embeddings.map(\.index) == [run] && score?.embedding == embeddings.first)
                    #expect(score?.needs.first == ArtifactKey(embeddings[0]) && score?.canBeChecked == false)
                }
            }
        }
        // One k-center order for each embedding, shared by both sizes, though k-center itself draws no random numbers.
        let orders = plan.artifactUses.keys.compactMap { $0.kind as? ScoreKey }.filter { $0.score == "k-center" }
        #expect(orders.count == 3 && Set(orders.map(\.fileName)).count == 3)
    }

    @Test func anInterruptedStudyGoesOn() throws {
        let temporary = try TemporaryDirectory()
        let flag = CancellationFlag()
        let error = studyError {
            _ = try StudyRunner(
                study(Self.yaml), directory: temporary.results, executor: FakeExecutor(), cancellation: flag,
                report: { if case .making(let key, _) = $0, key.kind is ClusteringKey { flag.cancel() } }
            ).run()
        }
        #expect(error?.category == .cancelled)
        let executor = FakeExecutor()
        let results = try StudyRunner(study(Self.yaml), directory: temporary.results, executor: executor).run()
        let alone = try StudyRunner(
            study(Self.yaml), directory: TemporaryDirectory().results, executor: FakeExecutor()
        ).run()
        #expect(executor.embedded.count == 3)
        #expect(results.records.map(\.correct) == alone.records.map(\.correct))
    }

    /// Networks are trained and samples embedded for real.
    @Test func realEmbeddingsAreClustered() throws {
        let temporary = try TemporaryDirectory()
        let data = try Dataset(
            name: "mnist", train: noise(40, classes: 4, run: 0), test: noise(20, classes: 4, run: 1))
        let yaml = """
            runs: 1
            steps: 1
            batch_size: 8
            model: linear
            embedding_epochs: 1
            pca_components: 3
            experiments:
              - {pruning_method: cluster, sizes: 10, ks: 3, kmeans: lloyd, selection_strategies: closest,
                 embedding: [autoencoder, lenet5]}
              - {pruning_method: score, sizes: 10, scores: k-center, embedding: autoencoder}
            """
        func run(in path: String) throws -> (StudyResults, StoredStudy) {
            var seen = 0
            let executor = BackendExecutor(on: CPUBackend(), load: { _ in data }, progress: { seen = max(seen, $0) })
            let results = try StudyRunner(study(yaml), directory: path, executor: executor).run()
            #expect(seen == 40)
            return (results, try StoredStudy(reading: path))
        }
        let (results, stored) = try run(in: temporary.results)
        #expect(results.records.count == 3 && results.records.allSatisfy { $0.kept == 10 })
        let keys = stored.results.plan.artifactUses.keys.compactMap { $0.kind as? EmbeddingKey }
        #expect(keys.map(\.size).sorted() == [3, 84])
        let coder = try #require(keys.first { $0.isAutoencoder })
        let shown = try #require(stored.reconstruction(coder))
        let pixels = try #require(data.test.pixels)
        // The first of each class, then the next ones.
        #expect(shown.count == 10 && shown.originals == pixels.prefix(160).map { Float($0) / 255 })
        // An epoch on noise does not reach what PCA, the best linear code, keeps.
        let (own, pca) = (try #require(shown.loss.explained), try #require(shown.pca?.explained))
        #expect(0.2 < pca && pca < 0.6 && own < pca)
        #expect(try #require(shown.pca).meanSquaredError < shown.loss.meanSquaredError)
        #expect(stored.spectrum(of: TrainingSet("mnist"), components: 3)?.variances.count == 3)
        // The points are those of the network that the key describes.
        let recipe = try coder.recipe
        let store = try SampleStore.make(data.train, for: recipe.model, classes: 4, on: CPUBackend())
        let embedder = try Embedder.fit(
            store, recipe, normalisation: recipe.normalisation(of: data.channels), on: CPUBackend())
        let points = try NumPyArray.read(temporary.results + "/embeddings/\(coder.fileName)/points.npy")
        let embedded = try embedder.embed(store)
        #expect(points.shape == [40, 3] && points.floats == embedded)
        let again = try run(in: TemporaryDirectory().results).0
        #expect(again.records.map(\.correct) == results.records.map(\.correct))
    }

    /// The PCA for comparison with an autoencoder is only for reports: if it cannot be computed, or would take longer
    /// than the training, the study goes on without it.
    @Test func aSpectrumThatCannotBeMadeIsLeftOut() throws {
        let (backend, images) = (CPUBackend(), try noise(40, classes: 4, run: 0))
        let spectrum = BackendExecutor.spectrum(of: images, components: 3, on: backend)
        #expect(spectrum?.variances.count == 3)
        #expect(BackendExecutor.spectrum(of: images, components: 17, on: backend) == nil)
        #expect(BackendExecutor.spectrum(of: images, components: 3, mostOrder: 16, on: backend) == spectrum)
        #expect(BackendExecutor.spectrum(of: images, components: 3, mostOrder: 15, on: backend) == nil)
        let large = Self.features(scale: 1e30)
        #expect(throws: ClusteringError.self) { _ = try FeatureMatrix(large, forComponents: true) }
        #expect(BackendExecutor.spectrum(of: large, components: 3, on: backend) == nil)
    }

    /// Noise of 16 values.
    private static func features(scale: Float) -> SampleSet {
        var random = RandomStream(seed: 8, run: 0, purpose: .testing)
        return SampleSet(
            valid: .floats((0..<640).map { _ in scale * Float(random.nextUniform(-1, 1)) }), count: 40,
            shape: .vector(16), labels: (0..<40).map { UInt8($0 % 4) })
    }

    /// A study has no key for an embedding's learning rate: the error says what can be changed.
    @Test func anEmbeddingThatDivergesIsNamed() throws {
        let samples = Self.features(scale: 1e25)
        let data = try Dataset(name: "mnist", train: samples, test: samples, isOfImages: false)
        let executor = BackendExecutor(on: CPUBackend(), load: { _ in data })
        let key = try #require(
            EmbeddingKey(.autoencoder(size: 3, epochs: 1), of: TrainingSet("mnist"), seed: 1, index: 0))
        var message = ""
        do {
            _ = try executor.embedding(key, cancellation: CancellationFlag())
        } catch let error as NetworkError {
            message = error.description
            #expect(error.category == .badData)
        }
        #expect(message.hasPrefix("the embedding autoencoder 3 (1 epoch) of mnist: autoencoder-3 diverged at step"))
        #expect(message.hasSuffix("standardize: true brings features into a range that it learns"), "\(message)")
    }
}
