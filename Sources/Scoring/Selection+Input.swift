import Pruning

extension Selection {
    /// Whether samples are ranked within clusters, or by a score of them.
    package var needsClustering: Bool {
        groups.needClustering || known?.needsClustering == true
    }

    /// Whether it takes a number of clusters.
    package var takesClusterCount: Bool { needsClustering || known?.needs.contains(.clusterCount) == true }

    /// Whether it is of the samples as points, clustered or scored.
    package var takesPoints: Bool { takesClusterCount || known?.needs.contains(.points) == true }

    /// The score that it names; nil where it names none, or a file.
    private var known: Score? { score.flatMap { try? Score.named($0) } }

    /// The input of ``select(_:from:random:)``, with the score that the selection names: where high means easy, with its
    /// sign turned, as orders keep what is hard or easy.
    /// - Throws: what ``Score/values(_:)`` throws.
    package func input(count: Int, classes: ClassLabels?, from found: ScoreInput) throws -> SelectionInput {
        var scores: [Float]?
        if let score, order.needsScore {
            scores = try found.values ?? Score.named(score).values(found)
            if known?.isHighHard == false { scores = scores?.map { -$0 } }
        }
        var input = SelectionInput(count: count, classes: classes, clustering: found.clustering, scores: scores)
        if balance == .recall { input.recalls = found.dynamics?.meanRecall }
        if order.needsMeanProbability { input.meanProbability = found.dynamics?.meanProbability }
        return input
    }
}
