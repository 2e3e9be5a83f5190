import Compute

/// A training and the tests of its networks.
public struct TestedTraining: Sendable {
    /// When a network had reached an accuracy for the first time.
    public struct Milestone: Hashable, Sendable {
        /// Passes over its subset.
        public var epochs: Int
        /// Wall time of the training until then, in seconds; tests are not counted.
        public var seconds: Double
    }

    /// One network per run: as it was at its milestone, otherwise as it was at the end.
    public var weights: [LeNet5Weights]
    /// The last test of each network, which is that of its ``weights``.
    public var evaluations: [Evaluation]
    /// When each network reached the accuracy that was asked for; nil where it did not, or where none was asked for.
    public var milestones: [Milestone?]
    /// Passes that the training made over the subsets.
    public var epochs: Int
    /// Mean loss of each step, for each run: [step][run].
    public var losses: [[Float]]
    /// Wall time of the training alone.
    public var seconds: Double
    /// Wall time of all tests.
    public var evaluationSeconds: Double

    /// A training of `epochs` passes that was tested once, at its end.
    public init(
        _ result: TrainingResult, epochs: Int, tested evaluation: (results: [Evaluation], seconds: Double)
    ) {
        weights = result.weights
        evaluations = evaluation.results
        milestones = result.weights.map { _ in nil }
        self.epochs = epochs
        losses = result.losses
        seconds = result.seconds
        evaluationSeconds = evaluation.seconds
    }
}

extension Trainer {
    /// Trains `runs` together until each of them gets `accuracy` percent of the test images right, or `options.length` is
    /// over. Networks are tested after every epoch; before the first one there is no test.
    ///
    /// A network that is there is kept as it is then and tested no more, so that its weights, its accuracy and its number
    /// of epochs depend on no other run: they are those of a training of so many epochs, bit for bit.
    /// - Throws: what ``train(_:options:progress:afterEpoch:)`` and ``Evaluator/evaluate(_:)`` throw.
    public func train(
        _ runs: [TrainingRun], options: TrainingOptions, until accuracy: Double, testedBy evaluator: Evaluator,
        progress: (TrainingProgress) -> Bool = { _ in true }
    ) throws(NetworkError) -> TestedTraining {
        var milestones = [TestedTraining.Milestone?](repeating: nil, count: runs.count)
        var finished = [LeNet5Weights?](repeating: nil, count: runs.count)
        var evaluations = [Evaluation?](repeating: nil, count: runs.count)
        var (epochs, evaluationSeconds) = (0, 0.0)
        let result = try train(
            runs, options: options, progress: progress,
            afterEpoch: { epoch throws(NetworkError) in
                epochs = epoch.epochs
                let open = milestones.indices.filter { milestones[$0] == nil }
                let tested = try evaluator.evaluate(open.map { epoch.weights[$0] })
                evaluationSeconds += tested.seconds
                for (run, evaluation) in zip(open, tested.results) {
                    evaluations[run] = evaluation
                    guard evaluation.accuracy >= accuracy else { continue }
                    milestones[run] = .init(epochs: epoch.epochs, seconds: epoch.seconds)
                    finished[run] = epoch.weights[run]
                }
                return milestones.contains(nil)
            })
        guard epochs > 0 else {
            return TestedTraining(result, epochs: 0, tested: try evaluator.evaluate(result.weights))
        }
        var training = TestedTraining(
            result, epochs: epochs, tested: (evaluations.compactMap { $0 }, evaluationSeconds))
        training.weights = zip(finished, result.weights).map { $0 ?? $1 }
        training.milestones = milestones
        return training
    }
}
