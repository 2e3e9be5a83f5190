import Clustering
import Pruning
import Scoring
import Support

/// Which clusters a case selects within; its runs take several clusterings of this recipe.
package struct ClusteringRecipe: Hashable, Sendable {
    /// The number of clusters.
    package let k: Int
    /// The points to cluster.
    package let embedding: StudyEmbedding
    /// Which k-means.
    package let kmeans: KMeansKind
    /// Whether the samples are features, not images.
    package var isOfFeatures = false

    /// What is clustered, in words for people.
    package var points: String { embedding.text(isOfFeatures: isOfFeatures) }
    /// The dimensions that PCA leaves; nil without PCA.
    package var pcaComponents: Int? { embedding.pcaComponents }

    /// The text of a table's column; nil where the clustering has no use for it, or it is another's.
    package func word(column: String) -> String? {
        switch column {
        case "k": "\(k)"
        case "kmeans": kmeans.rawValue
        default: embedding.word(column: column)
        }
    }
}

/// What makes a clustering the one it is. No selection, size or quota: all of them share it.
package struct ClusteringKey: ArtifactKind {
    /// The data set's name.
    package let dataset: String
    /// How many of its training samples are set aside; nil for none.
    package let validation: Int?
    /// The number of clusters.
    package let k: Int
    /// The dimensions that PCA leaves; nil without PCA.
    package let pcaComponents: Int?
    /// Which k-means.
    package let kmeans: String
    /// The study's seed.
    package let seed: UInt64
    /// Which clustering of this seed, from 0: the run whose random numbers it draws.
    package let index: Int
    /// The embedding to cluster; nil if no network makes the points.
    package let embedding: EmbeddingKey?
    /// The form of the sums that it was made with. Clusterings of another form have other bits, and are not used for this one.
    private var format: Int? = Self.currentFormat
    /// In the first form, which has no number, sums of blocks were added in float32. In the second they are whole units, exact
    /// in any order.
    package static let currentFormat = 2
    /// Whether the samples are features, after which its file is named. It follows from the data set, and is no part of the
    /// description that is kept beside it.
    private var isOfFeatures = false

    private enum CodingKeys: CodingKey {
        case dataset, validation, k, pcaComponents, kmeans, seed, index, embedding, format
    }

    init(_ recipe: ClusteringRecipe, of set: TrainingSet, seed: UInt64, index: Int) {
        dataset = set.dataset
        validation = set.validation?.count
        k = recipe.k
        pcaComponents = recipe.pcaComponents
        kmeans = recipe.kmeans.rawValue
        self.seed = seed
        self.index = index
        embedding = EmbeddingKey(recipe.embedding, of: set, seed: seed, index: index)
        isOfFeatures = recipe.isOfFeatures
    }

    /// Whether both have the same description, which is all that a directory keeps.
    package static func == (one: ClusteringKey, other: ClusteringKey) -> Bool {
        (one.dataset, one.validation, one.k, one.pcaComponents) == (
            other.dataset, other.validation, other.k, other.pcaComponents
        ) && (one.kmeans, one.seed, one.index) == (other.kmeans, other.seed, other.index)
            && (one.embedding, one.format) == (other.embedding, other.format)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(dataset)
        hasher.combine(validation)
        hasher.combine(k)
        hasher.combine(pcaComponents)
        hasher.combine(kmeans)
        hasher.combine(seed)
        hasher.combine(index)
        hasher.combine(embedding)
        hasher.combine(format)
    }

    /// Which k-means, typed.
    package var kmeansKind: KMeansKind { KMeansKind(rawValue: kmeans) ?? .minibatch }

    private var points: String {
        embedding?.points ?? pcaComponents.map { "pca\($0)" } ?? (isOfFeatures ? "features" : "pixels")
    }

    // MARK: - The kind

    package static let name = "clustering"
    package static let folder = "clusterings"
    package static let verb = "fits"
    package var fields: [(name: String, element: Artifact.Element)] { [("labels", .int32), ("distances", .float32)] }
    package static let measuredEffort = 500

    package var fileName: String { fileName(of: points) }
    package var former: ClusteringKey? {
        var key = self
        key.format = nil
        return key
    }
    package var formerFileName: String? { points == "features" ? fileName(of: "pixels") : nil }
    private func fileName(of points: String) -> String {
        "\(trainingSet.fileName)-k\(k)-\(points)-\(kmeans)-seed\(seed)-\(index)"
    }
    package var title: String {
        "clustering \(trainingSet.title), k \(k), "
            + ((embedding?.words ?? pcaComponents.map { "PCA \($0)" }).map { "\($0), " } ?? "")
            + "\(kmeans) \(index + 1)"
    }
    package var effort: Int { k }
    package var preparation: String { "\(trainingSet.fileName)-\(points)-\(kmeans)" }

    package var needs: [ArtifactKey] { embedding.map { [ArtifactKey($0)] } ?? [] }

    /// As many as the article allowed its mini-batches passes.
    private static let lloydIterations = 20

    package func accepts(_ artifact: Artifact, count: Int) -> Bool {
        guard let assignment = ClusterAssignment(artifact, k: k) else { return false }
        return assignment.labels.count == count && assignment.squaredDistances.count == count
            && assignment.labels.allSatisfy { (0..<Int32(k)).contains($0) }
    }

    package func provide(_ artifact: Artifact, to input: inout ScoreInput) {
        input.clustering = ClusterAssignment(artifact, k: k)
    }

    /// Clusters the images' pixels (0 to 255), the features as they are, or their projections, as the article did; or
    /// their embeddings by a network.
    package func make(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws -> Artifact {
        let kind: KMeans.Kind = kmeansKind == .lloyd ? .lloyd(iterations: Self.lloydIterations) : .miniBatch()
        let kmeans = KMeans(k: k, kind: kind, seed: seed, run: index)
        let source = try resources.points(
            trainingSet, components: pcaComponents, embedded: embedding?.rows(of: found), for: kmeans)
        try cancellation.check()
        let clustering = try kmeans.fit(source, on: resources.preparedBackend())
        return Artifact(
            clustering: ClusterAssignment(labels: clustering.labels, squaredDistances: clustering.distances, k: k),
            spectrum: source.pca.map {
                PCASpectrum(variances: $0.explainedVariance, totalVariance: $0.totalVariance)
            })
    }
}

extension Artifact {
    /// A clustering, and the spectrum where its points were projected.
    package init(clustering: ClusterAssignment, spectrum: PCASpectrum? = nil) {
        self.init(
            [("labels", .int32(clustering.labels)), ("distances", .float32(clustering.squaredDistances))],
            spectrum: spectrum)
    }
}

extension ClusterAssignment {
    /// The clustering that an artifact holds; nil where it holds another thing.
    package init?(_ artifact: Artifact, k: Int) {
        guard let labels = artifact.int32("labels"), let distances = artifact.float32("distances") else { return nil }
        self.init(labels: labels, squaredDistances: distances, k: k)
    }
}
