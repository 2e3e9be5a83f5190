import Compute

/// A training and the tests of its networks.
package struct TestedTraining: Sendable {
    /// When a network had reached an accuracy for the first time.
    package struct Milestone: Hashable, Sendable {
        /// Passes over its subset.
        package var epochs: Int
        /// Wall time of the training until then, in seconds; tests are not counted.
        package var seconds: Double
        /// The steps and images trained until then.
        package var work: TrainingWork
    }

    /// One network per run: as it was at its milestone, otherwise as it was at the end.
    package var weights: [ModelWeights]
    /// The last test of each network, which is that of its ``weights``; nil for one that diverged.
    package var evaluations: [Evaluation?]
    /// When each network reached the accuracy that was asked for; nil where it did not, or where none was asked for.
    package var milestones: [Milestone?]
    /// For each run the step, counted from 1, at which it diverged, before it reached any milestone; the last one where
    /// only its test shows it.
    package var divergedSteps: [Int?]
    /// As ``TrainingResult/movedWeights``.
    package var movedWeights: [Int]
    /// As ``TrainingResult/work``, of the whole training.
    package var work: [TrainingWork]
    /// Passes that the training made over the subsets.
    package var epochs: Int
    /// Mean loss of each step, for each run: [step][run].
    package var losses: [[Float]]
    /// Wall time of the training alone.
    package var seconds: Double
    /// Wall time of all tests.
    package var evaluationSeconds: Double

    /// The steps and images that each network of ``weights`` was trained on.
    package var workOfWeights: [TrainingWork] { zip(milestones, work).map { $0?.work ?? $1 } }

    /// A training of `epochs` passes, tested once, at its end. What diverged is no network that could be tested.
    /// - Throws: what ``Evaluator/evaluate(_:)`` throws.
    package init(_ result: TrainingResult, epochs: Int, testedBy evaluator: Evaluator) throws(NetworkError) {
        let whole = result.weights.indices.filter { result.divergedSteps[$0] == nil }
        let tested = try evaluator.evaluate(whole.map { result.weights[$0] })
        var evaluations = [Evaluation?](repeating: nil, count: result.weights.count)
        for (run, evaluation) in zip(whole, tested.results) where evaluation.isFinite { evaluations[run] = evaluation }
        self.init(result, epochs: epochs, evaluations: evaluations, seconds: tested.seconds)
    }

    fileprivate init(_ result: TrainingResult, epochs: Int, evaluations: [Evaluation?], seconds: Double) {
        weights = result.weights
        self.evaluations = evaluations
        milestones = result.weights.map { _ in nil }
        divergedSteps = evaluations.indices.map { run in
            evaluations[run] == nil ? result.divergedSteps[run] ?? result.work[run].steps : nil
        }
        movedWeights = result.movedWeights
        work = result.work
        self.epochs = epochs
        losses = result.losses
        self.seconds = result.seconds
        evaluationSeconds = seconds
    }
}

extension Trainer {
    /// Trains `runs` together until each of them gets `accuracy` percent of the test images right or has diverged, or
    /// `options.length` is over. Networks are tested after every epoch; before the first one there is no test.
    ///
    /// A network that is there is kept as it is then and tested no more, so that its weights, its accuracy and its
    /// number of epochs depend on no other run: with a constant learning rate and without ``TrainingOptions/dynamic``
    /// they are bit-identical to those of a training with that number of epochs.
    /// - Throws: what ``train(_:options:progress:afterEpoch:)`` and ``Evaluator/evaluate(_:)`` throw.
    package func train(
        _ runs: [TrainingRun], options: TrainingOptions, until accuracy: Double, testedBy evaluator: Evaluator,
        progress: (TrainingProgress) -> Bool = { _ in true }
    ) throws(NetworkError) -> TestedTraining {
        var milestones = [TestedTraining.Milestone?](repeating: nil, count: runs.count)
        var finished = [ModelWeights?](repeating: nil, count: runs.count)
        var evaluations = [Evaluation?](repeating: nil, count: runs.count)
        var (epochs, evaluationSeconds) = (0, 0.0)
        let result = try train(
            runs, options: options, progress: progress,
            afterEpoch: { epoch throws(NetworkError) in
                epochs = epoch.epochs
                for run in runs.indices where milestones[run] == nil { evaluations[run] = nil }
                let open = runs.indices.filter { milestones[$0] == nil && epoch.divergedSteps[$0] == nil }
                let tested = try evaluator.evaluate(open.map { epoch.weights[$0] })
                evaluationSeconds += tested.seconds
                for (run, evaluation) in zip(open, tested.results) where evaluation.isFinite {
                    evaluations[run] = evaluation
                    guard evaluation.accuracy >= accuracy else { continue }
                    milestones[run] = .init(
                        epochs: epoch.epochs, seconds: epoch.seconds, work: epoch.work[run])
                    finished[run] = epoch.weights[run]
                }
                // What diverged will never be there.
                return open.contains { milestones[$0] == nil }
            })
        guard epochs > 0 else { return try TestedTraining(result, epochs: 0, testedBy: evaluator) }
        var training = TestedTraining(result, epochs: epochs, evaluations: evaluations, seconds: evaluationSeconds)
        training.weights = zip(finished, result.weights).map { $0 ?? $1 }
        training.milestones = milestones
        return training
    }
}
