import Clustering
import Compute
import Networks
import Support

/// The progress of training score networks.
package struct DynamicsProgress: Sendable {
    /// Samples trained on so far, all networks together. It goes back where networks that did not fit into memory side by
    /// side start again.
    package var samples: Int
    /// Samples in all.
    package var total: Int
}

extension TrainingDynamics {
    /// The first run number of score networks: no run that is tested has one as high, so that none shares their random
    /// numbers.
    package static let firstRun = 1 << 31
    /// The most networks that a set may have.
    package static let mostNetworks = ScoreParameters.networksRange.upperBound
    /// The sets of networks whose run numbers are 32-bit words.
    private static let sets = 0..<(1 << 31) / mostNetworks

    /// Trains networks on all of `store` and records numbers for its samples: three per sample each time that it is trained
    /// on, the others in inference mode after the first and after the last epoch. Network j of set i is run
    /// 2^31 + 1000 i + j. The result has the same bits however many networks are trained side by side.
    /// - Parameters:
    ///   - options: batches and learning rate; the length is `parameters.epochs`.
    ///   - set: which of the sets of networks under `seed`, from 0.
    ///   - validation: what the networks' recalls are taken on after the last epoch; nil for none.
    ///   - replicas: networks to train side by side; nil for as many as `backend` suggests. Where they do not fit into its
    ///     memory, it is half of them.
    ///   - progress: called between steps.
    ///   - keep: is given each network's number, the epochs that it has been trained for, and its weights, after every
    ///     epoch. For networks that start again it is called again, with the same weights.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)``, ``ScoringError/diverged(network:step:learningRate:)``,
    ///   ``NetworkError``, ``ComputeError``, `CancellationError`, or what `keep` throws.
    package static func record(
        of store: SampleStore, model: ModelSpec, normalisation: Normalisation, options: TrainingOptions,
        parameters: ScoreParameters = ScoreParameters(), seed: UInt64, set: Int = 0,
        validation: SampleStore? = nil, replicas: Int? = nil, on backend: any Backend,
        cancellation: CancellationFlag = CancellationFlag(),
        progress: (DynamicsProgress) -> Void = { _ in },
        keep: ((_ network: Int, _ epochs: Int, _ weights: ModelWeights) throws -> Void)? = nil
    ) throws -> TrainingDynamics {
        guard ScoreParameters.epochsRange.contains(parameters.epochs) else {
            throw ScoringError.badParameter(
                name: "score_epochs", value: "\(parameters.epochs)",
                accepted: "whole numbers from 1 to \(ScoreParameters.epochsRange.upperBound) are accepted")
        }
        guard (1...mostNetworks).contains(parameters.networks) else {
            throw ScoringError.badParameter(
                name: "networks", value: "\(parameters.networks)",
                accepted: "whole numbers from 1 to \(mostNetworks) are accepted")
        }
        guard sets.contains(set) else {
            throw ScoringError.badParameter(
                name: "the number of a set of networks", value: "\(set)",
                accepted: "whole numbers from 0 to \(sets.upperBound - 1) are accepted")
        }
        let needed = parameters.networks * store.count * (3 * parameters.epochs + 5) * MemoryLayout<Float>.size
        if let available = AvailableMemory.shortage(of: needed) {
            throw ClusteringError.noMemory(
                what:
                    "what \(parameters.networks) networks say of \(store.count) samples in \(parameters.epochs) epochs",
                needed: needed, least: available)
        }
        var options = options
        options.length = .epochs(parameters.epochs)
        let recorder = DynamicsRecorder(
            store, model: model, normalisation: normalisation, options: options, validation: validation, seed: seed,
            firstRun: firstRun + set * mostNetworks, networks: parameters.networks, epochs: parameters.epochs,
            on: backend, cancellation: cancellation)
        do {
            var (next, together) = (0, max(1, replicas ?? backend.suggestedReplicas))
            while next < parameters.networks {
                let group = next..<min(next + together, parameters.networks)
                do {
                    try recorder.train(group, progress: progress, keep: keep)
                    next = group.upperBound
                } catch NetworkError.compute(let error) where error.isOutOfMemory && group.count > 1 {
                    together = group.count / 2
                }
            }
        } catch NetworkError.compute(let error) {
            throw error
        } catch NetworkError.cancelled {
            throw CancellationError()
        }
        return recorder.dynamics
    }
}

/// Trains groups of a set's networks and keeps what is recorded.
private final class DynamicsRecorder {
    private let store: SampleStore
    private let options: TrainingOptions
    private let seed: UInt64
    private let firstRun, networks, epochs: Int
    private let learningRate: Double
    private let trainer: Trainer
    private let evaluator: Evaluator
    private let validator: Evaluator?
    private let cancellation: CancellationFlag
    /// [network][epoch][sample].
    private var probability, margin, isRight: [Float]
    /// [network][sample].
    private var el2n, grand, entropy, largest, lead: [Float]
    /// [network][class].
    private var recall: [Float] = []

    init(
        _ store: SampleStore, model: ModelSpec, normalisation: Normalisation, options: TrainingOptions,
        validation: SampleStore?, seed: UInt64, firstRun: Int, networks: Int, epochs: Int, on backend: any Backend,
        cancellation: CancellationFlag
    ) {
        self.store = store
        self.options = options
        self.seed = seed
        self.firstRun = firstRun
        self.networks = networks
        self.epochs = epochs
        self.cancellation = cancellation
        learningRate = options.learningRate
        trainer = Trainer(store, model: model, normalisation: normalisation, on: backend)
        evaluator = Evaluator(store, normalisation: normalisation, on: backend)
        validator = validation.map { Evaluator($0, normalisation: normalisation, on: backend) }
        let perEpoch = [Float](repeating: 0, count: networks * epochs * store.count)
        (probability, margin, isRight) = (perEpoch, perEpoch, perEpoch)
        let perNetwork = [Float](repeating: 0, count: networks * store.count)
        (el2n, grand, entropy, largest, lead) = (perNetwork, perNetwork, perNetwork, perNetwork, perNetwork)
    }

    var dynamics: TrainingDynamics {
        var dynamics = TrainingDynamics(
            networks: networks, epochs: epochs, count: store.count, probability: probability, margin: margin,
            isRight: isRight, el2n: el2n, grand: grand, entropy: entropy, largest: largest, lead: lead)
        dynamics.recall = recall
        return dynamics
    }

    func train(
        _ group: Range<Int>, progress: (DynamicsProgress) -> Void, keep: ((Int, Int, ModelWeights) throws -> Void)?
    ) throws {
        try cancellation.check()
        let subset = Array(0..<store.count)
        let runs = group.map { TrainingRun(subset: subset, seed: seed, run: firstRun + $0) }
        // What the training itself may not throw.
        var failure: (any Error)?
        let before = group.lowerBound * epochs * store.count
        let total = networks * epochs * store.count
        _ = try trainer.train(
            runs, options: options,
            progress: { [cancellation] status in
                progress(DynamicsProgress(samples: before + status.images, total: total))
                return !cancellation.isCancelled
            },
            afterEpoch: { epoch throws(NetworkError) in
                if let replica = epoch.divergedSteps.firstIndex(where: { $0 != nil }) {
                    failure = self.diverged(group.lowerBound + replica, step: epoch.divergedSteps[replica] ?? 0)
                    return false
                }
                try self.ask(epoch, group, failure: &failure)
                if failure != nil { return false }
                do {
                    for (network, weights) in zip(group, epoch.weights) { try keep?(network, epoch.epochs, weights) }
                } catch { failure = error }
                return failure == nil
            },
            record: { epoch in
                let first = ((group.lowerBound + epoch.run) * self.epochs + epoch.epochs - 1) * self.store.count
                Self.put(epoch.probability, into: &self.probability, at: first)
                Self.put(epoch.margin, into: &self.margin, at: first)
                Self.put(epoch.isRight, into: &self.isRight, at: first)
            })
        if let failure { throw failure }
    }

    /// Records what is taken in inference mode, after the first and the last epoch.
    private func ask(
        _ epoch: FinishedEpoch, _ group: Range<Int>, failure: inout (any Error)?
    ) throws(NetworkError) {
        guard epoch.epochs == 1 || epoch.epochs == epochs else { return }
        if epoch.epochs == epochs, let validator {
            for (network, evaluation) in zip(group, try validator.evaluate(epoch.weights).results) {
                let recalls = evaluation.recall.map { $0.map { Float($0 / 100) } ?? .nan }
                if recall.isEmpty { recall = [Float](repeating: .nan, count: networks * recalls.count) }
                Self.put(recalls, into: &recall, at: network * recalls.count)
            }
        }
        for (network, statistics) in zip(group, try evaluator.statistics(epoch.weights)) {
            guard statistics.isFinite else {
                failure = diverged(network, step: epoch.epochs * stepsPerEpoch)
                return
            }
            let first = network * store.count
            if epoch.epochs == 1 {
                Self.put(statistics[.el2n], into: &el2n, at: first)
                Self.put(statistics[.grand], into: &grand, at: first)
            }
            if epoch.epochs == epochs {
                Self.put(statistics[.entropy], into: &entropy, at: first)
                Self.put(statistics[.largest], into: &largest, at: first)
                Self.put(statistics[.lead], into: &lead, at: first)
            }
        }
    }

    private var stepsPerEpoch: Int {
        let batch = min(options.batchSize, store.count)
        return (store.count + batch - 1) / batch
    }

    private func diverged(_ network: Int, step: Int) -> ScoringError {
        .diverged(network: network, step: step, learningRate: learningRate)
    }

    private static func put(_ values: [Float], into all: inout [Float], at first: Int) {
        all.replaceSubrange(first..<first + values.count, with: values)
    }
}
