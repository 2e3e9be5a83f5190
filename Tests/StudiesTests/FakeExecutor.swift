import Clustering
import Compute
import Datasets
import Foundation
import Networks
import Pruning
import Scoring
import Studies
import Support

/// An error of the device that no study knows of.
struct DeviceLost: Error {}

/// An executor that computes nothing: what it answers is a pure function of the job, as a real one's results are.
final class FakeExecutor: StudyExecutor {
    var device = "fake device"
    let suggestedReplicas = 3
    /// How often the device was got ready.
    var preparations: Int { prepared.count }
    /// What it was got ready for.
    private(set) var prepared: [(recipe: TrainingRecipe, later: Set<TrainingRecipe>)] = []
    var fingerprint = "fake data"
    var image = ImageShape(channels: 1, height: 4, width: 4)
    var count = 200
    /// Called before each training, with the number of trainings so far; may throw or cancel.
    var beforeTraining: (Int, [TrainingJob], CancellationFlag) throws -> Void = { _, _, _ in }
    /// The step at which a job's network diverges.
    var diverges: (TrainingJob) -> Int? = { _ in nil }
    /// Whether artifacts make themselves, as files of scores can.
    var makesScores = false
    /// How long a clustering takes.
    var fitSeconds = 0.0
    private(set) var fits: [ClusteringKey] = []
    /// The embeddings that were made, and what clusterings found of them.
    private(set) var embedded: [EmbeddingKey] = []
    private(set) var foundEmbeddings: [String?] = []
    /// The sets of score networks that were trained.
    private(set) var trained: [DynamicsKey] = []
    private(set) var batches: [[TrainingJob]] = []

    /// The reason why a recipe does not fit into memory.
    var memoryFault: (TrainingRecipe) -> String? = { _ in nil }

    /// The numbers of samples that memory was checked for.
    private(set) var memoryCounts: [Int] = []

    func checkMemory(of recipe: TrainingRecipe, count: Int) throws {
        memoryCounts.append(count)
        if let reason = memoryFault(recipe) { throw ComputeError.doesNotFit(reason: reason) }
    }

    func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) {
        prepared.append((recipe, later))
    }

    func dataset(_ set: TrainingSet) throws -> StudyDataset {
        let labels = (0..<count).map { UInt8($0 % 10) }
        let origins = set.validation.map { $0.split(ClassLabels(labels: labels, count: 10)).rest }
        return StudyDataset(
            shape: DatasetShape(count: origins?.count ?? count, featureCount: 16, classCount: 10),
            classes: ClassLabels(labels: origins.map { $0.map { labels[$0] } } ?? labels, count: 10),
            fingerprint: fingerprint, image: image, origins: origins)
    }

    func make(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws -> Artifact {
        if makesScores { return try key.kind.make(NoResources(), from: found, cancellation: cancellation) }
        if let key = key.kind as? DynamicsKey {
            trained.append(key)
            if fitSeconds > 0 { usleep(UInt32(fitSeconds * 1e6)) }
            let count = try dataset(key.trainingSet).shape.count
            func zeros(_ rows: Int) -> [Float] { [Float](repeating: 0, count: key.networks * rows * count) }
            var dynamics = TrainingDynamics(
                networks: key.networks, epochs: key.epochs, count: count, probability: zeros(key.epochs),
                margin: zeros(key.epochs), isRight: zeros(key.epochs), el2n: zeros(1), grand: zeros(1),
                entropy: zeros(1), largest: zeros(1), lead: zeros(1))
            if key.validation != nil {
                dynamics.recall = (0..<key.networks * 10).map { Float($0 % 10) / 20 + Float($0 / 10) / 100 }
            }
            return Artifact(dynamics: dynamics)
        }
        if let key = key.kind as? EmbeddingKey {
            embedded.append(key)
            if fitSeconds > 0 { usleep(UInt32(fitSeconds * 1e6)) }
            return try embed(key)
        }
        guard let key = key.kind as? ClusteringKey else {
            throw StudyError.executor(reason: "only clusterings and embeddings are known")
        }
        foundEmbeddings.append(found.embedded?.name)
        fits.append(key)
        if fitSeconds > 0 { usleep(UInt32(fitSeconds * 1e6)) }
        return Artifact(
            clustering: fit(key),
            spectrum: key.pcaComponents.map { components in
                PCASpectrum(variances: (0..<components).map { 9 - Double($0) / 2 }, totalVariance: 100)
            })
    }

    /// The samples of all epochs, each once, in the order in which they are drawn.
    private func seen(_ job: TrainingJob) -> [Int]? {
        guard let resampling = job.resampling, case .epochs(let epochs) = job.recipe.duration else { return nil }
        var seen: [Int] = []
        for index in resampling.prefix(epochs).joined() where !seen.contains(index) { seen.append(index) }
        return seen
    }

    /// The seconds of an embedding that served only reports.
    var reportSeconds = 0.0

    /// Sample i is at i in all dimensions.
    private func embed(_ key: EmbeddingKey) throws -> Artifact {
        let count = try dataset(key.trainingSet).shape.count
        var fitted = FittedEmbedding(
            points: (0..<count).flatMap { [Float](repeating: Float($0), count: key.size) })
        if key.isShown {
            fitted.reconstruction = Reconstruction(
                count: 2, originals: [Float](repeating: 0.5, count: 32),
                reconstructions: [Float](repeating: 0.25, count: 32),
                loss: Reconstruction.Loss(meanSquaredError: 0.0625, explained: 0.75), pca: nil)
            fitted.reportSeconds = reportSeconds
        }
        return Artifact(embedding: fitted, size: key.size)
    }

    /// The work of a job with dynamic pruning: the whole first epoch, and three quarters of each of the others.
    private func work(_ job: TrainingJob) -> TrainingWork? {
        guard job.recipe.dynamic != nil, case .epochs(let epochs) = job.recipe.duration else { return nil }
        let sizes = (0..<epochs).map { $0 == 0 ? job.indices.count : job.indices.count * 3 / 4 }
        let batch = job.recipe.batchSize
        return TrainingWork(
            steps: sizes.reduce(0) { $0 + ($1 + batch - 1) / batch }, images: sizes.reduce(0, +))
    }

    func fit(_ key: ClusteringKey) -> ClusterAssignment {
        var random = RandomStream(seed: key.seed, run: key.index, purpose: .clustering)
        let count = count - (key.validation ?? 0)
        // Cluster 0 is twice as likely as the others, so that quotas have something to do.
        let labels = (0..<count).map { _ in Int32(max(0, random.nextIndex(below: key.k + 1) - 1)) }
        let distances = (0..<count).map { _ in Float(random.nextUnit()) }
        return ClusterAssignment(labels: labels, squaredDistances: distances, k: key.k)
    }

    func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome] {
        try beforeTraining(batches.count, jobs, cancellation)
        batches.append(jobs)
        return jobs.map { job in
            var hash = UInt64(14_695_981_039_346_656_037)
            let model = job.recipe.model == TrainingRecipe().model ? [] : job.recipe.model.name.utf8.map { Int($0) }
            let set = job.evaluatedOn == .test ? [] : [1]
            for word in set + [job.run, Int(truncatingIfNeeded: job.seed), job.recipe.batchSize] + model + job.indices {
                hash = (hash ^ UInt64(truncatingIfNeeded: word)) &* 1_099_511_628_211
            }
            return TrainingOutcome(
                correct: Int(hash >> 40 % 10_000), count: 10_000,
                recall: (0..<10).map { Double(hash >> UInt64($0) % 101) },
                trainingSeconds: 0.5, evaluationSeconds: 0.25,
                replicas: jobs.count, diverged: diverges(job).map(Divergence.init(step:)), seen: seen(job),
                work: work(job))
        }
    }
}

/// What artifacts are made of that need nothing.
private struct NoResources: ArtifactResources {
    private struct Missing: Error {}
    func origins(of set: TrainingSet) throws -> (indices: [Int], count: Int)? { nil }
    func preparedBackend() throws -> any Backend { throw Missing() }
    func points(
        _ set: TrainingSet, components: Int?, embedded: EmbeddedRows?, for kmeans: KMeans
    ) throws -> PointSource { throw Missing() }
    func residentPoints(
        _ set: TrainingSet, components: Int?, embedded: EmbeddedRows?
    ) throws -> (points: Points, shift: [Double]?) { throw Missing() }
    func embedding(_ key: EmbeddingKey, cancellation: CancellationFlag) throws -> FittedEmbedding { throw Missing() }
    func dynamics(
        _ recipe: TrainingRecipe, networks: Int, seed: UInt64, index: Int, cancellation: CancellationFlag
    ) throws -> TrainingDynamics { throw Missing() }
}

/// Images of 4x4 pixels of noise, whose classes take turns.
func noise(_ count: Int, classes: Int, run: Int) throws -> SampleSet {
    var random = RandomStream(seed: 5, run: run, purpose: .testing)
    return try SampleSet(
        pixels: (0..<16 * count).map { _ in UInt8(random.nextIndex(below: 256)) },
        labels: (0..<count).map { UInt8($0 % classes) }, height: 4, width: 4)
}

/// A directory that is gone with the value.
final class TemporaryDirectory {
    let path: String

    /// What a study makes again after its directory is gone goes with the process.
    private static let parent: URL = {
        atexit { try? FileManager.default.removeItem(at: TemporaryDirectory.parent) }
        return FileManager.default.temporaryDirectory.appendingPathComponent("coppice-studies-\(getpid())")
    }()

    init() throws {
        path = Self.parent.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a results directory inside, which is not there yet.
    var results: String { path + "/results" }

    func text(_ name: String) throws -> String { try String(contentsOfFile: results + "/" + name, encoding: .utf8) }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: results + "/" + name, atomically: true, encoding: .utf8)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: results + "/" + name) }
}

func study(_ yaml: String) throws -> Study { try StudyReader(file: "test.yaml").read(yaml) }

/// The error that `body` ends with, if it is a study's.
func studyError(_ body: () throws -> Void) -> StudyError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StudyError
    }
}

/// A small study of every kind of experiment: 1 + 2 + 2 * 2 * 4 = 19 experiments of 3 runs.
let everything = """
    runs: 3
    epochs: 2
    experiments:
      - pruning_method: none
      - pruning_method: random
        sizes: [20, 50%]
      - pruning_method: cluster
        sizes: [20, 100]
        ks: [3, 7]
        use_pca: false
        selection_strategies: [closest, furthest, random, hybrid]
        n_closest: 2
    """
