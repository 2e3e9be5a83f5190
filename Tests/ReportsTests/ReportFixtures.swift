import Compute
import Datasets
import Foundation
import Networks
import Pruning
import Scoring
import Support

@testable import Reports
@testable import Studies

/// An executor that trains nothing: its images are real ones of a few pixels, its counts of right answers the test's.
final class ToyExecutor: StudyExecutor {
    let device: String
    let suggestedReplicas = 5
    let images: Dataset
    private let correct: (TrainingJob) -> Int
    private let diverges: (TrainingJob) -> Int?

    init(
        images: Dataset, device: String = "toy device", diverges: @escaping (TrainingJob) -> Int? = { _ in nil },
        correct: @escaping (TrainingJob) -> Int
    ) {
        self.diverges = diverges
        self.images = images
        self.device = device
        self.correct = correct
    }

    /// 200 images of 6 by 5 pixels in two classes; the pixels of image i are all i.
    static func images(_ name: String = "mnist", first: UInt8 = 0) throws -> Dataset {
        let count = 200
        let pixels = (0..<count).flatMap { [UInt8](repeating: first &+ UInt8($0), count: 30) }
        let labels = (0..<count).map { UInt8($0 % 2) }
        return try Dataset(
            name: name, train: SampleSet(pixels: pixels, labels: labels, height: 6, width: 5),
            test: SampleSet(pixels: Array(pixels.prefix(300)), labels: Array(labels.prefix(10)), height: 6, width: 5))
    }

    func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) {}

    func dataset(_ set: TrainingSet) throws -> StudyDataset {
        let train = images.train
        return StudyDataset(
            shape: DatasetShape(count: train.count, featureCount: train.shape.height * train.shape.width),
            classes: ClassLabels(labels: train.labels, count: images.classCount),
            fingerprint: BackendExecutor.fingerprint(of: images),
            image: ImageShape(channels: 1, height: train.shape.height, width: train.shape.width))
    }

    /// Sample i is in cluster i modulo k; later samples lie further out. Scores of points differ by their name.
    func make(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws -> Artifact {
        if let key = key.kind as? ScoreKey {
            let step = key.score.utf8.reduce(1) { $0 + 2 * Int($1) }
            return Artifact([("scores", .float32((0..<found.count).map { Float($0 * step % 201) }))])
        }
        if let key = key.kind as? EmbeddingKey {
            var fitted = FittedEmbedding(points: [Float](repeating: 1, count: found.count * key.size))
            if key.isShown {
                let size = key.model?.model.side.map { $0 * $0 } ?? 30
                fitted.reconstruction = Reconstruction(
                    count: 3, originals: (0..<3 * size).map { Float($0 / size) / 4 },
                    reconstructions: .init(repeating: 0.25, count: 3 * size),
                    loss: Reconstruction.Loss(meanSquaredError: 0.0123, explained: 0.912),
                    pca: Reconstruction.Loss(meanSquaredError: 0.0234, explained: 0.834))
            }
            return Artifact(embedding: fitted, size: key.size)
        }
        guard let key = key.kind as? ClusteringKey else {
            throw StudyError.executor(reason: "only clusterings and embeddings are known")
        }
        return Artifact(
            clustering: ClusterAssignment(
                labels: images.train.labels.indices.map { Int32($0 % key.k) },
                squaredDistances: images.train.labels.indices.map { Float($0) }, k: key.k),
            spectrum: key.pcaComponents.map { count in
                PCASpectrum(variances: (0..<count).map { 9 - Double($0) / 2 }, totalVariance: 100)
            })
    }

    func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome] {
        jobs.map {
            TrainingOutcome(
                correct: correct($0), count: 10_000, trainingSeconds: 0.01 * Double($0.indices.count),
                evaluationSeconds: 0.25, replicas: jobs.count, diverged: diverges($0).map(Divergence.init(step:)),
                work: work($0.recipe, kept: $0.indices.count))
        }
    }
}

/// The work of a training with dynamic pruning, which leaves out half of the samples once; nil without it.
private func work(_ recipe: TrainingRecipe, kept: Int) -> TrainingWork? {
    recipe.dynamic == nil
        ? nil
        : TrainingWork(
            steps: recipe.steps(kept: kept) - kept / 2 / recipe.batchSize, images: recipe.images(kept: kept) - kept / 2)
}

/// A study's directory that is gone with the value.
final class ToyStudy {
    let directory: String
    let images: Dataset

    /// Runs `yaml` with the given counts of right answers of 10,000, on a device of that name.
    init(
        _ yaml: String, images: Dataset? = nil, device: String = "toy device", session: [String: String] = [:],
        diverges: @escaping (TrainingJob) -> Int? = { _ in nil }, correct: @escaping (TrainingJob) -> Int
    ) throws {
        let images = try images ?? ToyExecutor.images()
        self.images = images
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path + "/toy"
        let study = try StudyReader(file: "test.yaml", acceptsAnyDataset: true).read(yaml)
        _ = try StudyRunner(
            study, directory: directory,
            executor: ToyExecutor(images: images, device: device, diverges: diverges, correct: correct), replicas: 4,
            environment: [
                "coppice": "0.0.1", "device": device, "driver": "7.1", "platform": "none",
                "started": "2026-01-02T03:04:05Z", "command": "run toy.yaml --seed 1",
            ].merging(session) { $1 }
        ).run()
    }

    deinit {
        try? FileManager.default.removeItem(at: URL(fileURLWithPath: directory).deletingLastPathComponent())
    }

    func stored() throws -> StoredStudy { try StoredStudy(reading: directory) }

    /// Writes the report and reads the page back.
    @discardableResult
    func report(gnuplot: Bool = true, images: Dataset? = nil) async throws -> (page: String, notices: [String]) {
        let images = images ?? self.images
        let notices = try await StudyReport.write(
            try stored(), images: { _ in images }, gnuplot: gnuplot ? await Gnuplot() : nil)
        return (try text("report.html"), notices)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: directory + "/" + name, encoding: .utf8) }

    func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/" + folder).sorted()
    }

    /// The whole set, two random sizes and clusters' parts of them, run often enough to decide.
    static let everything = """
        runs: 12
        pca_components: 4
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: [20, 100]}
          - pruning_method: cluster
            sizes: [20, 100]
            ks: [3, 7]
            use_pca: true
            selection_strategies: [closest, furthest, random, hybrid]
        """

    /// Better the larger the set, with a little noise that differs between cases.
    static func plausible(_ job: TrainingJob) -> Int {
        9000 + 4 * job.indices.count + (job.run * 7 + job.experimentID * 3) % 11
    }
}

/// Results of a plan on 200 samples without a directory; `correct` is nil for runs that are not finished, and `diverged` has
/// the step of those that diverged.
func results(
    _ yaml: String, diverged: (_ experiment: Int, _ run: Int) -> Int? = { _, _ in nil },
    correct: (_ experiment: Int, _ run: Int) -> Int?
) throws -> StudyResults {
    let study = try StudyReader(file: "test.yaml", acceptsAnyDataset: true).read(yaml)
    let shapes = study.datasets.map { ($0, DatasetShape(count: 200, featureCount: 16)) }
    let plan = try StudyPlan(study, shapes: Dictionary(uniqueKeysWithValues: shapes))
    let records = plan.runs.compactMap { run -> RunRecord? in
        guard let correct = correct(run.experimentID, run.run) else { return nil }
        let experiment = plan.experiment(run.experimentID)
        let size = experiment.size
        return RunRecord(
            experimentID: run.experimentID, runID: run.runID,
            outcome: TrainingOutcome(
                correct: correct, count: 10_000, recall: [Double(correct) / 100, nil, 99.5],
                trainingSeconds: 0.1 * Double(size), evaluationSeconds: 0.5,
                replicas: 1, diverged: diverged(run.experimentID, run.run).map(Divergence.init(step:)),
                work: work(experiment.recipe, kept: size)),
            selectionSeconds: 0, requested: size, kept: size, perClass: [size / 4, size - size / 4], device: "toy")
    }
    return StudyResults(plan: plan, records: records)
}

/// Whether plots can be drawn here.
let hasGnuplot = ["/usr/bin/gnuplot", "/usr/local/bin/gnuplot"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
}
