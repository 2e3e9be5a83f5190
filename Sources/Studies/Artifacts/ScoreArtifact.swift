import Pruning
import Scoring
import Support

/// What makes the scores of a training set what they are: scores of points, greedy orders, and files of scores, which are
/// copied, so that a directory has what its runs were selected by. Orders over a score and their sizes are no part of it:
/// they share one artifact.
package struct ScoreKey: ArtifactKind {
    /// The data set's name.
    package let dataset: String
    /// How many of its training samples are set aside; nil for none.
    package let validation: Int?
    /// The score, by name or by file.
    package let score: String
    /// The file, where it is one.
    package let file: ScoreFile?
    /// The dimensions that PCA leaves of the points; nil without PCA.
    package let pcaComponents: Int?
    /// The embedding that makes the points; nil if no network does.
    package let embedding: EmbeddingKey?
    /// Its parameters; those that it does not take have their defaults.
    package let parameters: ScoreParameters
    /// What a greedy order picks within, as `within` names it; nil for the whole set, and for scores.
    package let groups: String?
    /// The most samples that a greedy order picks; nil for scores.
    package private(set) var size: Int?
    /// The clustering that it is of, or picks within; nil without.
    package private(set) var clustering: ClusteringKey?
    /// The training dynamics that it is computed from; nil without.
    package let dynamics: DynamicsKey?
    /// The study's seed.
    package let seed: UInt64
    /// Which scores of this seed, from 0: the run whose random numbers it draws.
    package let index: Int

    init(
        _ recipe: ScoringRecipe, of set: TrainingSet, embedding: EmbeddingKey?, clustering: ClusteringKey?,
        dynamics: DynamicsKey?, seed: UInt64, index: Int
    ) {
        dataset = set.dataset
        validation = set.validation?.count
        score = recipe.score
        file = recipe.file
        pcaComponents = recipe.pcaComponents
        self.embedding = embedding
        parameters = recipe.parameters
        groups = recipe.groups?.rawValue
        size = recipe.size
        self.clustering = clustering
        self.dynamics = dynamics
        self.seed = seed
        self.index = index
    }

    // MARK: - The kind

    package static let name = "score"
    package static let folder = "scores"
    package static let verb = "computes"
    package var fields: [(name: String, element: Artifact.Element)] { [("scores", .float32)] }
    package static let measuredEffort = 1000

    package var fileName: String {
        var hash = SHA256()
        hash.update((try? JSON.text(self)) ?? "")
        let label = score.split(separator: "/").last.map(String.init) ?? score
        let plain = label.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(30)
        return "\(trainingSet.fileName)-\(plain)-seed\(seed)-\(index)-\(hash.digest.prefix(12))"
    }
    package var former: ScoreKey? {
        guard let clustering = clustering?.former else { return nil }
        var key = self
        key.clustering = clustering
        return key
    }
    package var formerFileName: String? { former?.fileName }
    package var title: String { file == nil ? "score \(trainingSet.title), \(score) \(index + 1)" : "scores \(score)" }
    package var effort: Int { size ?? 1 }
    package var preparation: String {
        "\(trainingSet.fileName)-\(score)-\(embedding?.points ?? pcaComponents.map { "pca\($0)" } ?? "points")"
    }

    package var needs: [ArtifactKey] {
        let keys: [(any ArtifactKind)?] = [embedding, clustering, dynamics]
        return keys.compactMap { $0.map { ArtifactKey($0) } }
    }

    /// A few hundred picks of a greedy order.
    package func measurable(step: Int) -> ArtifactKey {
        var key = self
        key.size = size.map { min($0, 250 * step) }
        return ArtifactKey(key)
    }

    package func accepts(_ artifact: Artifact, count: Int) -> Bool {
        guard let scores = artifact.float32("scores") else { return false }
        return scores.count == count && !scores.contains(where: \.isNaN)
    }

    package func provide(_ artifact: Artifact, to input: inout ScoreInput) {
        input.values = artifact.float32("scores")
    }

    /// A file may have other scores by now; one that is gone cannot tell.
    package func change(since artifact: Artifact) -> String? {
        // Of a part of the training set, the checksum of the whole file in `environment.json` tells.
        guard validation == nil, let file, let found = try? ScoreFile.scores(file.path),
            found != artifact.float32("scores")
        else { return nil }
        return ScoreFile.change(of: score)
    }

    /// A graph takes no networks. With the default `gamma` there is nothing to check, and neither clusters nor what networks
    /// make of the samples are known yet.
    package var canBeChecked: Bool {
        parameters.gamma != nil && dynamics != nil && embedding == nil
            && groups.flatMap { Groups(rawValue: $0) }?.needClustering != true
    }

    /// Whether `gamma` lets messages through, before networks are trained.
    package func check(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws {
        var input = found
        input.parameters = parameters
        input.cancellation = cancellation
        if let groups = groups.flatMap({ Groups(rawValue: $0) }) {
            input.groups = try groups.labels(classes: input.classes, clustering: nil)
        }
        (input.points, input.shift) = try resources.residentPoints(
            trainingSet, components: pcaComponents, embedded: nil)
        input.backend = try resources.preparedBackend()
        _ = try D2Graph(input)
    }

    package func make(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws -> Artifact {
        if let file {
            // A file has a score for every training sample, set aside or not.
            let origins = try resources.origins(of: trainingSet)
            let all = try ScoreFile.scores(file.path, count: origins?.count ?? found.count)
            return Artifact([("scores", .float32(origins.map { $0.indices.map { all[$0] } } ?? all))])
        }
        let score = try Score.named(score)
        var input = found
        input.values = nil
        input.parameters = parameters
        input.seed = seed
        input.run = index
        input.cancellation = cancellation
        if let size { input.size = size }
        if score.needs.contains(.points) {
            (input.points, input.shift) = try resources.residentPoints(
                trainingSet, components: pcaComponents, embedded: embedding?.rows(of: found))
            input.backend = try resources.preparedBackend()
        }
        if let groups, let groups = Groups(rawValue: groups) {
            input.groups = try groups.labels(classes: input.classes, clustering: input.clustering)
        }
        return Artifact([("scores", .float32(try score.values(input)))])
    }
}
