import Clustering
import Compute
import Networks
import Pruning
import Support

/// How one kind of score is made: a number for each sample of a training set, by which selections rank.
///
/// A greedy order, which picks one sample after another, is a score too: the first pick's is the highest, and samples that
/// were not picked have 0. Each score lives in a file of its own, which names its paper.
package struct Score: Sendable {
    /// What a score is made of, beside the number of samples.
    package enum Need: Hashable, Sendable {
        /// ``ScoreInput/clustering``.
        case clustering
        /// ``ScoreInput/points`` and ``ScoreInput/backend``.
        case points
        /// ``ScoreInput/classes``.
        case classes
        /// ``ScoreInput/dynamics``.
        case dynamics
        /// ``ScoreParameters/k``.
        case clusterCount
    }

    /// What selections call it: ``Selection/score``.
    package let name: String
    /// What it is made of.
    package let needs: Set<Need>
    /// Whether a high score means that a sample is hard: far, uncertain or seldom right. Selections that keep the hard
    /// samples keep those of low scores where it does not.
    package let isHighHard: Bool
    /// Which samples its paper keeps, and within what.
    package let paper: PapersChoice
    /// Whether it is a greedy order, which is kept as it is.
    package let isOrder: Bool
    /// Whether it changes with the number of samples that are kept, so that no selection is a part of a larger one.
    package let dependsOnSize: Bool
    /// Whether it draws random numbers, so that ``ScoreInput/seed`` and ``ScoreInput/run`` change it.
    package let isSeeded: Bool
    /// Whether it takes ``ScoreParameters/window``.
    package let usesWindow: Bool
    /// Whether it takes ``ScoreParameters/neighbors`` and ``ScoreParameters/gamma``.
    package let usesNeighbors: Bool
    /// Whether `--eps` may cut it: its paper keeps what is below a threshold.
    package let takesThreshold: Bool
    /// What the values have added to the score as its paper has it, so that float32 keeps the digits that tell samples apart;
    /// `coppice score` subtracts it again.
    package let offset: Double
    private let make: @Sendable (ScoreInput) throws -> [Float]

    /// A score of that name.
    init(
        _ name: String, needs: Set<Need> = [], isHighHard: Bool = true, paper: PapersChoice = PapersChoice(),
        isOrder: Bool = false, dependsOnSize: Bool = false, isSeeded: Bool = false, usesWindow: Bool = false,
        usesNeighbors: Bool = false, takesThreshold: Bool = false, offset: Double = 0,
        make: @escaping @Sendable (ScoreInput) throws -> [Float]
    ) {
        self.name = name
        self.needs = needs
        self.isHighHard = isHighHard
        self.paper = paper
        self.isOrder = isOrder
        self.dependsOnSize = dependsOnSize
        self.isSeeded = isSeeded
        self.usesWindow = usesWindow
        self.usesNeighbors = usesNeighbors
        self.takesThreshold = takesThreshold
        self.offset = offset
        self.make = make
    }

    /// Whether it is of a clustering.
    package var needsClustering: Bool { needs.contains(.clustering) }

    /// The scores of all samples, [count], none of them NaN.
    /// - Throws: ``ScoringError``, ``ClusteringError``, ``ComputeError`` and `CancellationError`.
    package func values(_ input: ScoreInput) throws -> [Float] {
        let values = try make(input)
        guard values.count == input.count || input.count == 0 else {
            throw ScoringError.countMismatch(score: name, got: values.count, expected: input.count)
        }
        if let index = values.firstIndex(where: \.isNaN) { throw ScoringError.notANumber(score: name, index: index) }
        return values
    }
}

/// What the paper of a score keeps.
package struct PapersChoice: Hashable, Sendable {
    /// What samples are ranked within.
    package var groups: Groups
    /// Which are kept first.
    package var order: Order

    /// The paper's choice; by default the hard samples of the whole set.
    package init(within groups: Groups = .none, keeping order: Order = .hard) {
        self.groups = groups
        self.order = order
    }
}

/// What scores are made of.
package struct ScoreInput {
    /// How many samples there are.
    package var count: Int
    /// The class of each.
    package var classes: ClassLabels?
    /// A clustering of the samples.
    package var clustering: ClusterAssignment?
    /// The samples as points: pixels, projections or features, all in the backend's memory.
    package var points: Points?
    /// What was subtracted from every coordinate of ``points``, as ``PointSource/shift`` says; nil where nothing was. Cosines
    /// are of the coordinates with it.
    package var shift: [Double]?
    /// The backend that holds ``points`` and computes.
    package var backend: (any Backend)?
    /// The samples' embeddings by a network, from which ``points`` are made.
    package var embedded: EmbeddedRows?
    /// What was recorded while networks were trained on the samples.
    package var dynamics: TrainingDynamics?
    /// The graph of ``Score/d2``, where it was made before.
    package var graph: D2Graph?
    /// The group of each sample, [count], from 0, that a greedy order picks within; nil for the whole set.
    package var groups: [Int32]?
    /// The most samples that will be kept: a greedy order need not go further.
    package var size: Int
    /// The numbers that scores take.
    package var parameters: ScoreParameters
    /// The seed of every random number.
    package var seed: UInt64
    /// Which of the scores of this seed, from 0: the run whose random numbers it draws.
    package var run: Int
    /// Raised when scoring should stop.
    package var cancellation: CancellationFlag
    /// The scores themselves, [count], where they were made before or come from a file.
    package var values: [Float]?

    /// Input for the scores of `count` samples.
    package init(
        count: Int = 0, classes: ClassLabels? = nil, clustering: ClusterAssignment? = nil, points: Points? = nil,
        shift: [Double]? = nil, backend: (any Backend)? = nil, dynamics: TrainingDynamics? = nil,
        groups: [Int32]? = nil, size: Int? = nil,
        parameters: ScoreParameters = ScoreParameters(), seed: UInt64 = 1, run: Int = 0,
        cancellation: CancellationFlag = CancellationFlag()
    ) {
        self.count = count
        self.classes = classes
        self.clustering = clustering
        self.points = points
        self.shift = shift
        self.backend = backend
        self.dynamics = dynamics
        self.groups = groups
        self.size = size ?? count
        self.parameters = parameters
        self.seed = seed
        self.run = run
        self.cancellation = cancellation
    }

    /// The points and what they are on.
    /// - Throws: ``ScoringError/missing(what:score:)``.
    func located(for score: String) throws(ScoringError) -> (points: Points, backend: any Backend) {
        guard let points, let backend else { throw .missing(what: "the samples as points", score: score) }
        return (points, backend)
    }
}

extension Score {
    /// The registry: every score that a selection may name.
    package static let all: [Score] = [.distance] + ofGeometry + ofGreedyOrders + ofDynamics

    /// The score that selections call `name`.
    /// - Throws: ``ScoringError/unknown(name:)``.
    package static func named(_ name: String) throws(ScoringError) -> Score {
        guard let score = all.first(where: { $0.name == name }) else { throw .unknown(name: name) }
        return score
    }
}
