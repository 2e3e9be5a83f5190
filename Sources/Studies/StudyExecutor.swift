import Datasets
import Networks
import Pruning
import Scoring
import Support

/// What a study has to know of a training set.
package struct StudyDataset: Sendable {
    /// Samples and values a sample.
    package var shape: DatasetShape
    /// The class of each training sample.
    package var classes: ClassLabels
    /// A hash of the data or the like: equal for equal data, so that results of two sets are never mixed.
    package var fingerprint: String
    /// Planes, rows and columns of its images; nil where the samples are no images.
    package var image: ImageShape?
    /// The indices in the data set of its samples; nil where it has all of them.
    package var origins: [Int]?
    /// What whoever runs a study on it should know, classes that only the test set has for one.
    package var notices: [String]

    /// A training set.
    package init(
        shape: DatasetShape, classes: ClassLabels, fingerprint: String,
        image: ImageShape? = nil, origins: [Int]? = nil, notices: [String] = []
    ) {
        self.shape = shape
        self.classes = classes
        self.fingerprint = fingerprint
        self.image = image
        self.origins = origins
        self.notices = notices
    }
}

/// The extents of an image.
package struct ImageShape: Equatable, Sendable {
    /// Planes; 1 for greyscale.
    package var channels: Int
    /// Rows.
    package var height: Int
    /// Columns.
    package var width: Int

    /// `channels` planes of `height` rows and `width` columns.
    package init(channels: Int, height: Int, width: Int) {
        self.channels = channels
        self.height = height
        self.width = width
    }
}

/// The extents of a training set, enough to plan by.
package struct DatasetShape: Equatable, Sendable {
    /// How many training samples there are.
    package var count: Int
    /// How many values a sample has: 784 for MNIST, which bounds `pca_components`.
    package var featureCount: Int
    /// How many classes there are, empty ones included; 0 where that is not known.
    package var classCount: Int
    /// Planes, rows and columns of a sample; nil if unknown, and then no model is checked against it.
    package var sample: SampleShape?

    /// `count` samples of `featureCount` values.
    package init(count: Int, featureCount: Int, classCount: Int = 0, sample: SampleShape? = nil) {
        self.count = count
        self.featureCount = featureCount
        self.classCount = classCount
        self.sample = sample
    }

    /// The shape of what a validation split leaves.
    func without(_ validation: ValidationSplit?) -> DatasetShape {
        var rest = self
        rest.count -= validation?.count ?? 0
        return rest
    }
}

/// What a trained network is evaluated on.
package enum EvaluationSet: Sendable {
    /// The test set.
    case test
    /// The validation split, for whatever the test set must not decide.
    case validation
}

/// One network to train and test.
package struct TrainingJob: Equatable, Sendable {
    /// The experiment, counted from 1.
    package let experimentID: Int
    /// The run, counted from 0: the index of its streams of random numbers, so that run i has the same initial weights
    /// and order of samples in every experiment.
    package let run: Int
    /// What it trains on: indices of samples of the recipe's training set, none twice.
    package let indices: [Int]
    /// The study's seed.
    package let seed: UInt64
    /// What is trained, on which data, and how.
    package let recipe: TrainingRecipe
    /// What it is evaluated on.
    package var evaluatedOn = EvaluationSet.test
    /// Where every epoch takes its samples, `indices` the first; nil where all epochs take `indices`.
    package var resampling: RepeatedSampling? = nil
}

/// Where a training left the finite numbers: a loss, a weight or a running statistic was infinite or not a number.
package struct Divergence: Codable, Hashable, Sendable {
    /// The first step, counted from 1, whose loss is not finite; the last one of the training where all losses are finite
    /// and a weight, a running statistic or the network's output on the test images is not.
    package var step: Int

    /// At a step, counted from 1.
    package init(step: Int) { self.step = step }
}

/// What a trained network reached.
package struct TrainingOutcome: Equatable, Sendable {
    /// Images of the test set, or of the validation split, that were classified correctly; 0 where the network diverged.
    package var correct: Int
    /// Images of that set.
    package var count: Int
    /// Percent of each class's images in it that were classified correctly; nil for a class without any. Empty where the network
    /// diverged.
    package var recall: [Double?]
    /// The run's share of the training: wall seconds divided by replicas.
    package var trainingSeconds: Double
    /// The run's share of the evaluation, likewise.
    package var evaluationSeconds: Double
    /// How many networks trained together.
    package var replicas: Int
    /// Where the network diverged; nil where it did not.
    package var diverged: Divergence?
    /// Whether the steps were too small to move the network's weights.
    package var isUnmoved: Bool
    /// Of a job with a ``TrainingJob/resampling`` the samples that it was trained on, each once, in the order of first
    /// sight; nil for the others.
    package var seen: [Int]?
    /// The steps and images of a job whose recipe is ``TrainingRecipe/dynamic``; nil for others.
    package var work: TrainingWork?

    /// The accuracy in percent; nil where the network diverged.
    package var accuracy: Double? { diverged == nil ? 100 * Double(correct) / Double(count) : nil }

    /// The outcome of one job.
    package init(
        correct: Int, count: Int, recall: [Double?] = [], trainingSeconds: Double, evaluationSeconds: Double,
        replicas: Int,
        diverged: Divergence? = nil, isUnmoved: Bool = false, seen: [Int]? = nil, work: TrainingWork? = nil
    ) {
        self.correct = diverged == nil ? correct : 0
        self.count = count
        self.recall = diverged == nil ? recall : []
        self.trainingSeconds = trainingSeconds
        self.evaluationSeconds = evaluationSeconds
        self.replicas = replicas
        self.diverged = diverged
        self.isUnmoved = isUnmoved
        self.seen = seen
        self.work = work
    }
}

/// What a study's runs are computed by.
package protocol StudyExecutor {
    /// A training set, for which no device is needed. The fingerprint is that of the whole data set.
    func dataset(_ set: TrainingSet) throws -> StudyDataset

    /// Gets the device ready to train runs of `recipe`: their samples are there when this returns, and those that neither
    /// it nor one of the `later` recipes takes may be gone. Called before all that follows, only where there is something
    /// to compute, and again for each other recipe.
    func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) throws

    /// Refuses a recipe of which the device has no memory to train even one network on `count` samples.
    /// - Throws: `ComputeError.doesNotFit`.
    func checkMemory(of recipe: TrainingRecipe, count: Int) throws

    /// The device, as result rows name it.
    var device: String { get }

    /// How many networks the device likes to train side by side.
    var suggestedReplicas: Int { get }

    /// Makes an artifact of the whole training set.
    /// - Parameter found: what the artifacts that it is made of have provided.
    /// - Throws: `CancellationError` where it was stopped by `cancellation`, and any error of the device.
    func make(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws -> Artifact

    /// Checks what can be told of an artifact before what it is made of is made.
    /// - Throws: what ``make(_:from:cancellation:)`` would throw.
    func check(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws

    /// Trains networks together, one replica per job, and tests each. All jobs have the same recipe, evaluation set and number
    /// of samples, not always the same seed; results do not depend on which jobs share a call.
    /// - Returns: one outcome per job, in the same order.
    /// - Throws: `ComputeError.outOfMemory` where fewer jobs might fit, `CancellationError` where it was stopped by
    ///   `cancellation`, and any error of the device.
    func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome]
}

extension StudyExecutor {
    package func checkMemory(of recipe: TrainingRecipe, count: Int) throws {}
    package func check(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws {}
}
