import Clustering
import Compute
import Datasets
import Scoring
import Support

/// What is computed of a training set once and kept for all runs that ask for it: named arrays with an element or a row
/// for each sample.
package struct Artifact: Sendable {
    /// An array's elements, row by row.
    package enum Values: Equatable, Sendable {
        case int32([Int32])
        case float32([Float])

        package var count: Int {
            switch self {
            case .int32(let values): values.count
            case .float32(let values): values.count
            }
        }
    }

    /// What an array's elements are.
    package enum Element: Sendable {
        case int32
        case float32
    }

    /// An array that a folder keeps as `NAME.npy`.
    package struct Field: Equatable, Sendable {
        let name: String
        let values: Values
        /// Its dimensions, slowest first; nil for a row for each sample.
        let shape: [Int]?
    }

    /// The arrays, in the order of the key's ``ArtifactKind/fields``.
    package let fields: [Field]
    /// The variances of the PCA that made it, or that reports compare it with; nil without a PCA.
    package let spectrum: PCASpectrum?
    /// The seconds of making it that do not count as a cost of selection: those for reports only, and those spent waiting for a
    /// busy device.
    package var uncountedSeconds = 0.0

    /// An artifact of these arrays.
    /// - Parameter shapes: the dimensions of each; nil where all have a row for each sample.
    init(_ fields: [(name: String, values: Values)], shapes: [[Int]]? = nil, spectrum: PCASpectrum? = nil) {
        self.fields = fields.indices.map {
            Field(name: fields[$0].name, values: fields[$0].values, shape: shapes?[$0])
        }
        self.spectrum = spectrum
    }

    /// The array of that name, where it holds whole numbers.
    func int32(_ name: String) -> [Int32]? {
        if case .int32(let values)? = fields.first(where: { $0.name == name })?.values { values } else { nil }
    }

    /// The array of that name, where it holds floats.
    func float32(_ name: String) -> [Float]? {
        if case .float32(let values)? = fields.first(where: { $0.name == name })?.values { values } else { nil }
    }
}

/// The variances that a principal component analysis found.
package struct PCASpectrum: Codable, Equatable, Sendable {
    /// Variance along each component, largest first, in squared units of the input.
    package var variances: [Double]
    /// The variance of the whole input in the same units: the sum over all components, those that were not kept too.
    package var totalVariance: Double

    /// A spectrum of these variances.
    package init(variances: [Double], totalVariance: Double) {
        self.variances = variances
        self.totalVariance = totalVariance
    }
}

/// One kind of artifact; a value is what makes an artifact of the kind the one it is, and is kept beside it.
package protocol ArtifactKind: Hashable, Sendable, Codable {
    /// What one is called, "clustering": the name of its description, and in sentences.
    static var name: String { get }
    /// The folder of all of them in a study's directory.
    static var folder: String { get }
    /// What making one is called: "fits".
    static var verb: String { get }

    /// Its arrays.
    var fields: [(name: String, element: Artifact.Element)] { get }
    /// The data set's name.
    var dataset: String { get }
    /// How many of its training samples are set aside; nil for none.
    var validation: Int? { get }
    /// The study's seed.
    var seed: UInt64 { get }
    /// A name for a directory, different for different keys.
    var fileName: String { get }
    /// The name that older directories have for it; nil where it has always been the same.
    var formerFileName: String? { get }
    /// The key that directories of the previous format have for it; nil if that is the same key.
    var former: Self? { get }
    /// What is made, in words for people.
    var title: String { get }

    /// What making it takes to grow along a line with: the number of clusters.
    var effort: Int { get }
    /// Above this, an effort takes long to measure.
    static var measuredEffort: Int { get }
    /// Images that the networks see that making it trains on `count` samples, all networks together.
    func trainedImages(count: Int) -> Int
    /// Artifacts of one preparation share what comes before the effort, loading and PCA.
    var preparation: String { get }

    /// What has to be made and provided before it.
    var needs: [ArtifactKey] { get }
    /// One of the same preparation and of no more effort that is made soon, from which the time of this one is told; `step` 2
    /// takes more than `step` 1, where that is possible.
    func measurable(step: Int) -> ArtifactKey

    /// Whether `artifact`, whose arrays are those of ``fields`` for `count` samples, may be one of this key.
    func accepts(_ artifact: Artifact, count: Int) -> Bool
    /// Puts it where selections and scores look for it.
    func provide(_ artifact: Artifact, to input: inout ScoreInput)
    /// How what one that was kept before was made of has changed since, as part of a sentence; nil where it has not.
    func change(since artifact: Artifact) -> String?
    /// Whether anything can be told without what it is made of.
    var canBeChecked: Bool { get }
    /// Checks what can be told without what it is made of, which may take long to make.
    /// - Parameter found: what is known of the samples.
    /// - Throws: what ``make(_:from:cancellation:)`` would throw.
    func check(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws
    /// Makes it.
    /// - Parameter found: what the artifacts that it is made of have provided.
    /// - Throws: `CancellationError`, ``ClusteringError``, ``ScoringError``, and errors of the device and of reading data.
    func make(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws -> Artifact
}

extension ArtifactKind {
    /// The samples that it is of.
    package var trainingSet: TrainingSet {
        TrainingSet(dataset, validation: validation.map { ValidationSplit(count: $0, seed: seed) })
    }
    package var formerFileName: String? { nil }
    package var former: Self? { nil }
    package func trainedImages(count: Int) -> Int { 0 }
    package var needs: [ArtifactKey] { [] }
    package func measurable(step: Int) -> ArtifactKey { ArtifactKey(self) }
    package func change(since artifact: Artifact) -> String? { nil }
    package var canBeChecked: Bool { false }
    package func check(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws {}
}

/// What artifacts are made of.
package protocol ArtifactResources {
    /// The indices of a training set's samples in its data set, and how many samples that has; nil where it has all of them.
    func origins(of set: TrainingSet) throws -> (indices: [Int], count: Int)?
    /// What to compute on.
    func preparedBackend() throws -> any Backend
    /// The points of a training set: its samples, or `embedded` if not nil, projected onto principal components if
    /// their number is not nil, with room for `kmeans`.
    func points(
        _ set: TrainingSet, components: Int?, embedded: EmbeddedRows?, for kmeans: KMeans
    ) throws -> PointSource
    /// A training set's points as scores take them, all in the backend's memory, likewise.
    func residentPoints(
        _ set: TrainingSet, components: Int?, embedded: EmbeddedRows?
    ) throws -> (points: Points, shift: [Double]?)
    /// Trains a network and returns its embeddings of a training set's samples.
    func embedding(_ key: EmbeddingKey, cancellation: CancellationFlag) throws -> FittedEmbedding
    /// What is recorded of a training set's samples while `networks` networks are trained by `recipe`, with their recalls on
    /// the validation split where there is one.
    func dynamics(
        _ recipe: TrainingRecipe, networks: Int, seed: UInt64, index: Int, cancellation: CancellationFlag
    ) throws -> TrainingDynamics
}

/// The key of an artifact of any kind.
package struct ArtifactKey: Hashable, Sendable {
    /// The registry: every kind that there is.
    static let kinds: [any ArtifactKind.Type] = [
        EmbeddingKey.self, ClusteringKey.self, DynamicsKey.self, ScoreKey.self,
    ]

    /// The key as its own kind has it.
    package let kind: any ArtifactKind

    /// The key of an artifact.
    package init(_ kind: some ArtifactKind) { self.kind = kind }

    package static func == (left: ArtifactKey, right: ArtifactKey) -> Bool {
        AnyHashable(left.kind) == AnyHashable(right.kind)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(kind)) }

    /// "fits the clustering NAME".
    var making: String { "\(type(of: kind).verb) the \(type(of: kind).name) \(kind.fileName)" }

    /// What shares the time of its preparation, with all artifacts of one kind.
    var family: ArtifactFamily { ArtifactFamily(kind: type(of: kind).name, preparation: kind.preparation) }
}

/// Artifacts of one kind and preparation: their costs lie on a line.
struct ArtifactFamily: Hashable {
    /// The kind's name.
    let kind: String
    let preparation: String
}
