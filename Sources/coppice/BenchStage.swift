import Clustering
import Compute
import Datasets
import KernelChecks
import Networks
import Support

/// A part of a study that `coppice bench` times as a whole: many kernels with the host between them, on made data of
/// MNIST's size.
enum BenchStage: String, CaseIterable, Encodable {
    case training, evaluation, pca, lloyd, minibatch, dedup

    /// Times the stage on data of MNIST's size, a training that of `model`; `limits` are the device's.
    func time(
        on backend: any Backend, seed: UInt64, replicas: Int?, model: ModelSpec, limits: Roofline
    ) throws -> [StageTiming] {
        let bench = StageBench(backend, seed: seed, limits: limits)
        switch self {
        case .training:
            let several = replicas ?? backend.suggestedReplicas
            return try (several == 1 ? [1] : [1, several]).flatMap { try bench.training(of: model, networks: $0) }
        case .evaluation: return [try bench.evaluation()]
        case .pca: return [try bench.pca()]
        case .lloyd: return [try bench.lloyd()]
        case .minibatch: return try bench.miniBatch()
        case .dedup: return try MadeStage(.ofDedup, on: backend, seed: seed).dedup(limits: limits)
        }
    }
}

/// So many networks, in words.
func networkCount(_ count: Int) -> String { "\(count) network\(count == 1 ? "" : "s")" }

/// How long a stage took.
struct StageTiming: Encodable {
    var stage: BenchStage
    var name: String
    var seconds: Double
    /// 10^9 operations a second, where it is known how many there were.
    var gflops: Double?
    /// The sum of its kernels' least times by the roofline model, divided by its time.
    var share: Double?
    /// Networks side by side, where there are any.
    var replicas: Int?
    /// Images or points that were timed, for each network; a figure for more was scaled up from these.
    var samples: Int
    /// Rows and columns of what was clustered or projected, its clusters, and iterations or batches.
    var rows: Int?
    var dim: Int?
    var k: Int?
    var iterations: Int?
    /// Principal components that were found.
    var components: Int?

    enum CodingKeys: String, CodingKey {
        case stage, seconds, gflops, share, replicas, samples, rows, dim, k, iterations, components
        case name = "case"
    }

    /// A timing of `work`, each so many times.
    init(
        _ stage: BenchStage, _ name: String, seconds: Double, work: [(OperationCost, times: Double)], limits: Roofline,
        replicas: Int? = nil, samples: Int
    ) {
        self.stage = stage
        self.name = name
        self.seconds = seconds
        self.replicas = replicas
        self.samples = samples
        guard !work.isEmpty else { return }
        gflops = work.reduce(0) { $0 + $1.0.operations * $1.times } / seconds / 1e9
        share = work.reduce(0) { $0 + limits.seconds($1.0) * $1.times } / seconds
    }
}

/// Made data of MNIST's size, and the stages on them.
private struct StageBench {
    private let backend: any Backend
    private let seed: UInt64
    private let limits: Roofline

    private static let (rows, pixels, components, tested, classes) = (60_000, 784, 50, 10_000, 10)
    /// Seconds that a training is timed for, about; what takes longer is cut down to fewer images.
    private static let longest = 4.0

    init(_ backend: any Backend, seed: UInt64, limits: Roofline) {
        self.backend = backend
        self.seed = seed
        self.limits = limits
    }

    /// A step, and an epoch, of so many networks.
    func training(of model: ModelSpec, networks: Int) throws -> [StageTiming] {
        // Models that do not resize images take MNIST's size.
        let shape = SampleShape(height: model.side ?? 28, width: model.side ?? 28)
        let trainer = Trainer(
            try images(Self.rows, shape), model: model, normalisation: Normalisation(mean: 0.5, std: 0.25), on: backend)
        func seconds(_ images: Int) throws -> Double {
            let runs = (0..<networks).map { TrainingRun(subset: Array(0..<images), seed: seed, run: $0) }
            let options = TrainingOptions(length: .epochs(1), batchSize: KernelWork.batch)
            return try trainer.train(runs, options: options).seconds
        }
        // The first steps compile the kernels.
        _ = try seconds(2 * KernelWork.batch)
        let pilot = 16
        let step = try seconds(pilot * KernelWork.batch) / Double(pilot)
        let steps = Self.rows / KernelWork.batch
        let timed = min(steps, max(pilot, Int(Self.longest / step)))
        // A whole epoch has a short batch at its end.
        let samples = timed == steps ? Self.rows : timed * KernelWork.batch
        let batches = Double(samples) / Double(KernelWork.batch)
        let total = try seconds(samples)
        let work = try StepWork.launches(of: model, shape, classes: Self.classes, samples: KernelWork.batch)
            .map { networks * $0.cost }
        // The default model is not named.
        let prefix = model == ModelLibrary.leNet5 ? "" : "\(model.name), "
        func timing(_ name: String, batches count: Double) -> StageTiming {
            StageTiming(
                .training, "\(prefix)\(name), \(networkCount(networks))", seconds: total * count / batches,
                work: work.map { ($0, times: count) }, limits: limits, replicas: networks, samples: samples)
        }
        return [
            timing("a step of \(KernelWork.batch)", batches: 1),
            timing("an epoch of 60,000", batches: Double(Self.rows) / Double(KernelWork.batch)),
        ]
    }

    /// The test of one network.
    func evaluation() throws -> StageTiming {
        let store = try images(Self.tested, SampleShape(height: 32, width: 32))
        let normalisation = Normalisation(mean: 0.5, std: 0.25)
        let run = TrainingRun(subset: Array(0..<64), seed: seed, run: 0)
        let weights = try Trainer(store, normalisation: normalisation, on: backend)
            .train([run], options: TrainingOptions(length: .steps(1))).weights
        let evaluator = Evaluator(store, normalisation: normalisation, on: backend)
        let seconds = try median { try evaluator.evaluate(weights).seconds }
        let batches = Double(Self.tested) / Double(KernelWork.batch)
        return StageTiming(
            .evaluation, "10,000 images", seconds: seconds,
            work: try KernelWork.evaluationStep(networks: 1).map { ($0.cost, times: batches) }, limits: limits,
            replicas: 1,
            samples: Self.tested)
    }

    /// PCA of images of bytes: covariance, eigenvectors, projection.
    func pca() throws -> StageTiming {
        let matrix = try FeatureMatrix(
            bytes: bytes(Self.rows * Self.pixels), count: Self.rows, dimensions: Self.pixels)
        let seconds = try median {
            try clock {
                _ = try PCA.fit(matrix, components: Self.components, on: backend).project(matrix, on: backend)
                try backend.finish()
            }
        }
        var timing = StageTiming(
            .pca, "60000x784 to 50, fit and projection", seconds: seconds,
            work: OperationCost.pca(Self.rows, Self.pixels, Self.components, bytes: true).map { ($0, times: 1) },
            limits: limits, samples: Self.rows)
        (timing.rows, timing.dim, timing.components) = (Self.rows, Self.pixels, Self.components)
        return timing
    }

    /// Lloyd's iterations from a random start, the last assignment included.
    func lloyd() throws -> StageTiming {
        let (k, points) = (500, try points())
        let fitted = try medianFit(
            KMeans(k: k, kind: .lloyd(iterations: 20, tolerance: 0), start: .random, seed: seed), points)
        var timing = StageTiming(
            .lloyd, "60000x50, k \(k), \(fitted.iterations) iterations", seconds: fitted.startSeconds + fitted.seconds,
            work: work(Self.rows, k).fit(iterations: fitted.iterations), limits: limits, samples: Self.rows)
        (timing.rows, timing.dim, timing.k, timing.iterations) = (Self.rows, Self.components, k, fitted.iterations)
        return timing
    }

    /// The article's mini-batches, the last assignment included, and the k-means++ start that goes before them.
    func miniBatch() throws -> [StageTiming] {
        let (k, points, batch) = (500, try points(), KMeans.MiniBatch().batch)
        let fitted = try medianFit(KMeans(k: k, kind: .miniBatch(), seed: seed), points)
        return [
            StageTiming(
                .minibatch, "60000x50, k \(k), k-means++ start", seconds: fitted.startSeconds, work: [],
                limits: limits, samples: Self.rows),
            StageTiming(
                .minibatch, "60000x50, k \(k), \(fitted.iterations) batches of \(batch)", seconds: fitted.seconds,
                work: [
                    (work(batch, k).assignment, times: Double(fitted.iterations)),
                    (work(batch, k).update, times: Double(fitted.iterations)),
                    (work(Self.rows, k).assignment, times: 1),
                ], limits: limits, samples: Self.rows),
        ]
    }

    private func work(_ rows: Int, _ k: Int) -> LloydWork {
        LloydWork(rows: rows, k: k, dimensions: Self.components)
    }

    private func medianFit(_ kmeans: KMeans, _ points: Points) throws -> KMeansClustering {
        // The bound of the coordinates is known beforehand, as it is for rows that were read from a file.
        let source = try PointSource(points, isDirect: false).bounded(on: backend)
        _ = try kmeans.fit(source, on: backend)
        let fits = try (0..<3).map { _ in try kmeans.fit(source, on: backend) }
        return fits.sorted { $0.startSeconds + $0.seconds < $1.startSeconds + $1.seconds }[1]
    }

    /// The median of three, after one that compiles the kernels.
    private func median(_ seconds: () throws -> Double) throws -> Double {
        _ = try seconds()
        return try (0..<3).map { _ in try seconds() }.sorted()[1]
    }

    private func clock(_ body: () throws -> Void) throws -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func images(_ count: Int, _ shape: SampleShape) throws -> SampleStore {
        try SampleStore(
            pixels: bytes(count * shape.featureCount), labels: (0..<count).map { UInt8($0 % Self.classes) },
            shape: shape, classes: Self.classes, on: backend)
    }

    private func points() throws -> Points {
        var random = RandomStream(seed: seed, run: 1, purpose: .testing)
        let values = (0..<Self.rows * Self.components).map { _ in Float(random.nextWord() >> 8) * 0x1p-24 }
        return try FeatureMatrix(floats: values, count: Self.rows, dimensions: Self.components).points(on: backend)
    }

    private func bytes(_ count: Int) -> [UInt8] {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for start in stride(from: 0, to: count, by: 4) {
                let word = random.nextWord()
                for byte in 0..<min(4, count - start) {
                    buffer[start + byte] = UInt8(truncatingIfNeeded: word >> (8 * UInt32(byte)))
                }
            }
            initialized = count
        }
    }
}
