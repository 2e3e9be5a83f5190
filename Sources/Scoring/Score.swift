import Pruning
import Support

/// How one kind of score is made: a number for each sample of a training set, by which selections rank.
package struct Score: Sendable {
    /// What selections call it: ``Selection/score``.
    package let name: String
    /// Whether it is of a clustering.
    package let needsClustering: Bool
    private let make: @Sendable (ScoreInput) throws(ScoringError) -> [Float]

    /// A score of that name.
    init(
        _ name: String, needsClustering: Bool = false,
        make: @escaping @Sendable (ScoreInput) throws(ScoringError) -> [Float]
    ) {
        self.name = name
        self.needsClustering = needsClustering
        self.make = make
    }

    /// The scores of all samples, [count].
    /// - Throws: ``ScoringError/missing(what:score:)`` where the score is of something that is not in `input`.
    package func values(_ input: ScoreInput) throws(ScoringError) -> [Float] { try make(input) }
}

/// What scores are made of.
package struct ScoreInput: Sendable {
    /// A clustering of the samples.
    package var clustering: ClusterAssignment?

    /// Scores may be of these.
    package init(clustering: ClusterAssignment? = nil) { self.clustering = clustering }
}

extension Score {
    /// The registry: every score that a selection may name.
    package static let all: [Score] = [.distance]

    /// The score that selections call `name`.
    /// - Throws: ``ScoringError/unknown(name:)``.
    package static func named(_ name: String) throws(ScoringError) -> Score {
        guard let score = all.first(where: { $0.name == name }) else { throw .unknown(name: name) }
        return score
    }
}

/// Why there are no scores.
package enum ScoringError: Equatable, CategorizedError {
    /// No score has this name.
    case unknown(name: String)
    /// The score is of something that was not given.
    case missing(what: String, score: String)

    package var description: String {
        switch self {
        case .unknown(let name):
            "unknown score '\(excerpt(name))'; known scores: \(Score.all.map(\.name).joined(separator: ", "))"
        case .missing(let what, let score): "the score \(score) needs \(what), and there is none"
        }
    }

    package var category: ErrorCategory { .usage }
}

extension Selection {
    /// Whether samples are ranked within clusters, or by a score of them.
    package var needsClustering: Bool {
        groups.needClustering || score.flatMap { try? Score.named($0) }?.needsClustering == true
    }

    /// The input of ``select(_:from:random:)``, with the score that the selection names.
    /// - Throws: ``ScoringError``.
    package func input(
        count: Int, classes: ClassLabels?, from found: ScoreInput
    ) throws(ScoringError) -> SelectionInput {
        var scores: [Float]?
        if let score { scores = try Score.named(score).values(found) }
        return SelectionInput(count: count, classes: classes, clustering: found.clustering, scores: scores)
    }
}
