import Pruning
import Synchronization

/// What a study has to know of a training set.
public struct StudyDataset: Sendable {
    /// Samples and values a sample.
    public var shape: DatasetShape
    /// The class of each training sample.
    public var classes: ClassLabels
    /// A hash of the data or the like: equal for equal data, so that results of two sets are never mixed.
    public var fingerprint: String
    /// The fingerprint that format 2 of a directory had at first, of the values alone; nil where there is none. It is
    /// computed only where a directory has another fingerprint.
    public var formerFingerprint: (@Sendable () -> String)?
    /// Planes, rows and columns of its images; nil where the samples are no images.
    public var image: ImageShape?
    /// What whoever runs a study on it should know, classes that only the test set has for one.
    public var notices: [String]

    /// A training set.
    public init(
        shape: DatasetShape, classes: ClassLabels, fingerprint: String,
        formerFingerprint: (@Sendable () -> String)? = nil, image: ImageShape? = nil, notices: [String] = []
    ) {
        self.formerFingerprint = formerFingerprint
        self.shape = shape
        self.classes = classes
        self.fingerprint = fingerprint
        self.image = image
        self.notices = notices
    }
}

/// The extents of an image.
public struct ImageShape: Equatable, Sendable {
    /// Planes; 1 for greyscale.
    public var channels: Int
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int

    /// `channels` planes of `height` rows and `width` columns.
    public init(channels: Int, height: Int, width: Int) {
        self.channels = channels
        self.height = height
        self.width = width
    }
}

/// The extents of a training set, enough to plan by.
public struct DatasetShape: Equatable, Sendable {
    /// How many training samples there are.
    public var count: Int
    /// How many values a sample has: 784 for MNIST, which bounds `pca_components`.
    public var featureCount: Int

    /// `count` samples of `featureCount` values.
    public init(count: Int, featureCount: Int) {
        self.count = count
        self.featureCount = featureCount
    }
}

/// What makes a clustering the one it is. No strategy, size or quota: all of them share it.
public struct ClusteringKey: Hashable, Sendable, Codable {
    /// The data set's name.
    public let dataset: String
    /// The number of clusters.
    public let k: Int
    /// The dimensions that PCA leaves; nil without PCA.
    public let pcaComponents: Int?
    /// Which k-means.
    public let kmeans: String
    /// The study's seed.
    public let seed: UInt64
    /// Which clustering of this seed, from 0: the run whose random numbers it draws.
    public let index: Int

    /// Which k-means, typed.
    public var kind: KMeansKind { KMeansKind(rawValue: kmeans) ?? .minibatch }

    /// A name for a directory, different for different keys.
    public var fileName: String {
        "\(dataset)-k\(k)-" + (pcaComponents.map { "pca\($0)" } ?? "pixels") + "-\(kmeans)-seed\(seed)-\(index)"
    }
}

/// One network to train and test.
public struct TrainingJob: Equatable, Sendable {
    /// The experiment, counted from 1.
    public let experimentID: Int
    /// The run, counted from 0: the index of its streams of random numbers, so that run i has the same initial weights
    /// and order of samples in every experiment.
    public let run: Int
    /// The data set's name.
    public let dataset: String
    /// What it trains on: indices of training samples, none twice.
    public let indices: [Int]
    /// The study's seed.
    public let seed: UInt64
    /// How long it trains.
    public let duration: TrainingDuration
    /// Samples in a batch.
    public let batchSize: Int
    /// Adam's learning rate.
    public let learningRate: Double
}

/// Where a training left the finite numbers: a loss, a weight or a running statistic was infinite or not a number.
public struct Divergence: Codable, Hashable, Sendable {
    /// The first step, counted from 1, whose loss is not finite; the last one of the training where all losses are finite
    /// and a weight, a running statistic or the network's output on the test images is not.
    public var step: Int

    /// At a step, counted from 1.
    public init(step: Int) { self.step = step }
}

/// What a trained network reached.
public struct TrainingOutcome: Equatable, Sendable {
    /// Test images that were classified rightly; 0 where the network diverged.
    public var correct: Int
    /// Test images.
    public var count: Int
    /// The run's share of the training: wall seconds divided by replicas.
    public var trainingSeconds: Double
    /// The run's share of the evaluation, likewise.
    public var evaluationSeconds: Double
    /// How many networks trained together.
    public var replicas: Int
    /// Where the network diverged; nil where it did not.
    public var diverged: Divergence?
    /// Whether the steps were too small to move the network's weights.
    public var isUnmoved: Bool

    /// The accuracy in percent; nil where the network diverged.
    public var accuracy: Double? { diverged == nil ? 100 * Double(correct) / Double(count) : nil }

    /// The outcome of one job.
    public init(
        correct: Int, count: Int, trainingSeconds: Double, evaluationSeconds: Double, replicas: Int,
        diverged: Divergence? = nil, isUnmoved: Bool = false
    ) {
        self.correct = diverged == nil ? correct : 0
        self.count = count
        self.trainingSeconds = trainingSeconds
        self.evaluationSeconds = evaluationSeconds
        self.replicas = replicas
        self.diverged = diverged
        self.isUnmoved = isUnmoved
    }
}

/// What a study's runs are computed by.
public protocol StudyExecutor {
    /// The training set of that name, for which no device is needed.
    func dataset(_ name: String) throws -> StudyDataset

    /// Gets the device ready for the training sets that were asked for. Called before all that follows, and only where
    /// there is something to compute; again is no error.
    func prepare() throws

    /// The device, as result rows name it.
    var device: String { get }

    /// How many networks the device likes to train side by side.
    var suggestedReplicas: Int { get }

    /// Fits a clustering to the whole training set.
    /// - Throws: `CancellationError` where it was stopped by `cancellation`, and any error of the device.
    func fit(_ key: ClusteringKey, cancellation: CancellationFlag) throws -> ClusterAssignment

    /// The variances of the PCA that the last ``fit(_:cancellation:)`` projected by; nil where it had none.
    var lastSpectrum: PCASpectrum? { get }

    /// Trains networks together, one replica a job, and tests each. All jobs have the same data set, number of samples,
    /// duration, batch size and learning rate, not always the same seed; results do not depend on which jobs share a call.
    /// - Returns: one outcome a job, in the same order.
    /// - Throws: `ComputeError.outOfMemory` where fewer jobs might fit, `CancellationError` where it was stopped by
    ///   `cancellation`, and any error of the device.
    func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome]
}

/// Says that work should stop. A signal handler may raise it.
public final class CancellationFlag: Sendable {
    private let raised = Atomic(false)

    /// A flag that is down.
    public init() {}

    /// Asks whoever looks at the flag to stop.
    public func cancel() { raised.store(true, ordering: .relaxed) }

    /// Whether the flag was raised.
    public var isCancelled: Bool { raised.load(ordering: .relaxed) }

    /// - Throws: `CancellationError` once the flag is raised.
    public func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
