import Compute
import Foundation
import Support

/// How long and how fast to train.
package struct TrainingOptions: Hashable, Sendable {
    /// When training ends.
    package enum Length: Hashable, Sendable {
        /// Passes over the subset.
        case epochs(Int)
        /// Batches, over as many passes as they take.
        case steps(Int)
    }
    package var length: Length
    package var batchSize: Int
    package var learningRate: Double
    package var optimizer: Optimizer
    package var schedule: RateSchedule
    /// How images are changed at random; nil where they are not.
    package var augment: Augment?
    /// Dynamic pruning by the samples' losses; nil if every epoch takes all samples.
    package var dynamic: DynamicPruning?

    /// The article's settings unless others are given: 5 epochs, batches of 64, Adam with a learning rate of 0.001.
    package init(
        length: Length = .epochs(5), batchSize: Int = 64, learningRate: Double = 0.001,
        optimizer: Optimizer = Optimizer(), schedule: RateSchedule = .constant, augment: Augment? = nil,
        dynamic: DynamicPruning? = nil
    ) {
        self.length = length
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.optimizer = optimizer
        self.schedule = schedule
        self.augment = augment?.isIdle == true ? nil : augment
        self.dynamic = dynamic
    }
}

/// One network to train: what it sees, and the run whose random numbers it takes.
package struct TrainingRun: Sendable {
    /// Indices of the training images to use, each below the store's count.
    package var subset: [Int]
    /// Where every epoch takes its samples, as many as in `subset`; nil where all epochs take the subset.
    package var resampling: RepeatedSampling?
    /// Seed and run number: initial weights and order of samples depend on them alone, so that the same run under another
    /// strategy can be compared in pairs.
    package var seed: UInt64
    package var run: Int
    /// Weights to start from in place of random ones.
    package var initial: ModelWeights?

    package init(
        subset: [Int], resampling: RepeatedSampling? = nil, seed: UInt64, run: Int, initial: ModelWeights? = nil
    ) {
        self.subset = subset
        self.resampling = resampling
        self.seed = seed
        self.run = run
        self.initial = initial
    }
}

/// What training gave.
package struct TrainingResult: Sendable {
    /// One network a run.
    package var weights: [ModelWeights]
    /// Mean loss of each step, for each run: [step][run], the same for all samples of a batch whatever they weigh; NaN after
    /// the last step of a run that took fewer steps than others.
    package var losses: [[Float]]
    /// The steps of each run, and the samples in them.
    package var work: [TrainingWork]
    /// Steps that were launched for all runs together. With ``TrainingOptions/dynamic`` runs have fewer: some are idle.
    package var launchedSteps: Int
    /// For each run the step, counted from 1, at which it diverged: the first whose loss is not a finite number; the last
    /// step where all losses are finite and a weight or running statistic is not. Nil for a run that did not diverge.
    package var divergedSteps: [Int?]
    /// For each run how many of the network's ``ModelWeights/weightCount`` weights are not as they were at the start.
    package var movedWeights: [Int]
    /// For each run with a ``TrainingRun/resampling`` the samples that it was trained on, each once, in the order of first
    /// sight; nil for the others.
    package var seen: [[Int]?]
    /// Wall time of the training alone: uploads of orders and the steps. Kernels are compiled before.
    package var seconds: Double
}

/// The amount of training that a network has had.
package struct TrainingWork: Hashable, Sendable {
    /// Steps: one batch and one update of the weights each.
    package var steps = 0
    /// Samples in these steps, counted once per step.
    package var images = 0

    package init(steps: Int = 0, images: Int = 0) {
        self.steps = steps
        self.images = images
    }
}

/// How far a training is.
package struct TrainingProgress: Sendable {
    package var finishedSteps: Int
    /// The total number of steps; with ``TrainingOptions/dynamic`` an upper bound.
    package var steps: Int
    /// Images trained so far, all replicas together.
    package var images: Int
}

/// A training between two epochs, while nothing is in flight.
package struct FinishedEpoch: Sendable {
    /// Passes over the subset so far; the last one may have been cut short by a number of steps.
    package var epochs: Int
    /// Wall time of the training so far; what was done between epochs is not counted.
    package var seconds: Double
    /// The networks as they are now, one per run.
    package var weights: [ModelWeights]
    /// As ``TrainingResult/work``, so far.
    package var work: [TrainingWork]
    /// As ``TrainingResult/divergedSteps``, so far.
    package var divergedSteps: [Int?]
}

/// What was recorded of each sample when a network was trained on it, in one epoch. Every array is [sample of the store],
/// NaN for samples that the epoch has not reached.
package struct RecordedEpoch: Sendable {
    /// Which of the runs it is of.
    package var run: Int
    /// Passes over the subset so far, this one among them.
    package var epochs: Int
    /// ``SampleStatistic/probability``.
    package var probability: [Float]
    /// ``SampleStatistic/margin``.
    package var margin: [Float]
    /// ``SampleStatistic/isRight``.
    package var isRight: [Float]
}

/// Trains several networks of a model side by side: R replicas with their own weights, subsets of one size, and orders.
package struct Trainer {
    let backend: any Backend
    let store: SampleStore
    private let model: ModelSpec
    let normalisation: Normalisation

    /// A trainer of `model` over `store`.
    package init(
        _ store: SampleStore, model: ModelSpec = ModelLibrary.leNet5, normalisation: Normalisation,
        on backend: any Backend
    ) {
        self.store = store
        self.model = model
        self.normalisation = normalisation
        self.backend = backend
    }

    /// Most epochs or steps: enough for anyone, and products with them stay within an integer.
    private static let longest = 1_000_000_000
    /// Steps between two looks at the cancellation: short enough to stop within a moment on any device.
    static let stepsBetweenLooks = 64

    /// Trains all of `runs` together. Every run's result has the same bits whatever runs share its launches, one that
    /// diverges among them: it goes on to the end.
    /// - Parameters:
    ///   - progress: called between steps; returns false to give up.
    ///   - afterEpoch: called after every epoch; its time is not part of ``TrainingResult/seconds``. It returns false to
    ///     end the training there. With a constant learning rate and without ``TrainingOptions/dynamic`` the networks
    ///     are then bit-identical to those of a training with that number of epochs.
    ///   - record: called after every epoch for each run, before `afterEpoch`. Recording changes no bit of the networks.
    ///     An autoencoder has nothing to record.
    /// - Throws: ``NetworkError/invalid(reason:)``, ``NetworkError/unusableWeights(reason:)``, ``NetworkError/cancelled``,
    ///   the device's error or what `afterEpoch` throws.
    package func train(
        _ runs: [TrainingRun], options: TrainingOptions,
        progress: (TrainingProgress) -> Bool = { _ in true },
        afterEpoch: ((FinishedEpoch) throws(NetworkError) -> Bool)? = nil,
        record: ((RecordedEpoch) -> Void)? = nil
    ) throws(NetworkError) -> TrainingResult {
        if record != nil, let reason = model.noClassifier { throw .invalid(reason: reason) }
        let size = runs.first?.subset.count ?? 0
        let layout = try ParameterLayout(model, samples: store.shape, classes: store.classes)
        try validate(runs, size: size, layout: layout, options: options)
        try layout.checkMemory(networks: runs.count, samples: size, options: options, on: backend)
        let plan = EpochPlan(size: size, options: options)
        let initial = runs.map {
            $0.initial?.laidOut(as: layout) ?? ModelWeights(layout: layout, seed: $0.seed, run: $0.run)
        }
        do {
            if let dynamic = options.dynamic {
                return try train(
                    runs, initial: initial, plan: plan, options: options, dynamic: dynamic, afterEpoch: afterEpoch,
                    record: record, progress: progress)
            }
            return try train(
                runs, initial: initial, plan: plan, options: options, afterEpoch: afterEpoch, record: record,
                progress: progress)
        } catch let error as ComputeError {
            throw .compute(error)
        } catch let error as NetworkError {
            throw error
        } catch {
            throw .invalid(reason: "\(error)")
        }
    }

    private func validate(
        _ runs: [TrainingRun], size: Int, layout: ParameterLayout, options: TrainingOptions
    ) throws(NetworkError) {
        try normalisation.validate(for: store)
        guard size > 0 else { throw .invalid(reason: "there is nothing to train on: a subset is empty") }
        guard options.batchSize > 0 else { throw .invalid(reason: "the batch size must be at least 1") }
        guard options.learningRate > 0, options.learningRate.isFinite else {
            throw .invalid(reason: "the learning rate must be above 0, got \(options.learningRate)")
        }
        if let fault = options.optimizer.fault() { throw .invalid(reason: fault) }
        if let fault = layout.fault(batch: min(options.batchSize, size)) { throw .invalid(reason: fault) }
        if let augment = options.augment {
            guard store.isBytes else {
                throw .invalid(reason: "augmentation is for 8-bit images, and these samples are features")
            }
            if let fault = augment.fault(height: store.shape.height, width: store.shape.width) {
                throw .invalid(reason: fault)
            }
        }
        switch options.length {
        case .epochs(let count), .steps(let count):
            guard (0...Self.longest).contains(count) else {
                throw .invalid(reason: "\(count) epochs or steps; 0 to \(Self.longest) are accepted")
            }
        }
        if let dynamic = options.dynamic {
            if let fault = dynamic.fault(options) { throw .invalid(reason: fault) }
            // The reconstruction loss does not support sample weights.
            if let reason = layout.model.noClassifier { throw .invalid(reason: reason) }
        }
        for run in runs {
            guard run.subset.count == size else {
                throw .invalid(
                    reason: "runs that train together need subsets of one size: \(run.subset.count) and \(size)")
            }
            if let resampling = run.resampling {
                guard options.dynamic == nil else {
                    throw .invalid(
                        reason: "infobatch needs epochs of the same samples, and a run draws others for each")
                }
                guard resampling.size == size, size <= resampling.samples.count else {
                    throw .invalid(
                        reason: "epochs of \(resampling.size) samples out of \(resampling.samples.count) do not go with"
                            + " subsets of \(size)")
                }
            }
            if let stray = (run.subset + (run.resampling?.samples ?? [])).first(where: { $0 < 0 || $0 >= store.count })
            {
                throw .invalid(reason: "index \(stray) is outside the \(store.count) training images")
            }
            if let initial = run.initial?.laidOut(as: layout).layout, initial != layout {
                throw .invalid(reason: "the initial weights are \(layout.mismatch(initial, store))")
            }
            if let fault = run.initial?.fault { throw .unusableWeights(reason: "the initial weights: \(fault)") }
        }
    }

    private func train(
        _ runs: [TrainingRun], initial: [ModelWeights], plan: EpochPlan, options: TrainingOptions,
        afterEpoch: ((FinishedEpoch) throws(NetworkError) -> Bool)?, record: ((RecordedEpoch) -> Void)?,
        progress: (TrainingProgress) -> Bool
    ) throws -> TrainingResult {
        let replicas = runs.count
        // Where the training may end after any epoch, no order is drawn before it is needed. What is recorded is handed
        // over epoch by epoch.
        let epochsAtOnce =
            afterEpoch == nil && record == nil
            ? plan.epochsAtOnce(replicas: replicas) : 1
        let stepsAtOnce = epochsAtOnce * plan.stepsPerEpoch
        let orderStride = epochsAtOnce * plan.size
        let order = try backend.makeBuffer(of: Int32.self, count: replicas * orderStride, label: "order of samples")
        var augmentation: Augmentation?
        if options.augment != nil {
            augmentation = Augmentation(
                width: store.shape.width,
                changes: try backend.makeBuffer(
                    of: Int32.self, count: replicas * orderStride, label: "changes of images"))
        }
        let schedule = try StepSchedule(
            capacity: stepsAtOnce, replicas: replicas, ratesPerStep: options.optimizer.ratesPerStep, on: backend)
        let parameters = try ModelParameters(initial, on: backend)
        let network = try parameters.makeNetwork(
            batchSize: min(options.batchSize, plan.size), schedule: schedule, trainingSteps: stepsAtOnce,
            optimizer: options.optimizer, on: backend)
        let source = try SampleSource(
            store, order: order, orderStride: orderStride, normalisation: normalisation, augmentation: augmentation,
            on: backend)
        let recorder = try record.map {
            try EpochRecorder(store, runs: runs, size: plan.size, on: backend, record: $0)
        }
        var orders = runs.map { RunOrder(of: $0, in: store.count, augment: options.augment) }
        func step() throws {
            try network.backpropagate(source)
            try network.update()
            try recorder?.record(network)
        }
        try backend.preparing(step)
        try backend.finish()

        let clock = ContinuousClock()
        // It moves on by what is done between epochs.
        var start = clock.now
        var losses: [[Float]] = []
        var work = TrainingWork()
        for firstEpoch in stride(from: 0, to: plan.epochs, by: epochsAtOnce) {
            let epochs = firstEpoch..<min(firstEpoch + epochsAtOnce, plan.epochs)
            let batches = plan.batches(of: epochs)
            let trained = batches.last?.upperBound ?? 0
            RunOrder.draw(&orders, epochs: epochs.count, trained: trained)
            for (replica, run) in orders.enumerated() {
                try backend.write(run.indices, to: order, at: replica * orderStride)
                if let augmentation {
                    try backend.write(run.changes, to: augmentation.changes, at: replica * orderStride)
                }
            }
            recorder?.orders = orders.map(\.indices)
            try schedule.load(
                batches, firstStep: firstEpoch * plan.stepsPerEpoch, of: plan.steps, options: options, on: backend)
            for (index, batch) in batches.enumerated() {
                try step()
                work.steps += 1
                work.images += batch.count
                if (index + 1) % Self.stepsBetweenLooks == 0 || index + 1 == batches.count {
                    try backend.finish()
                    let go = progress(
                        TrainingProgress(finishedSteps: work.steps, steps: plan.steps, images: work.images * replicas))
                    guard go else { throw NetworkError.cancelled }
                }
            }
            losses += try network.losses(steps: batches.count)
            try recorder?.handOver(epochs: epochs.upperBound, trained: trained)
            guard let afterEpoch else { continue }
            let pause = clock.now
            let weights = try parameters.download()
            let goOn = try afterEpoch(
                FinishedEpoch(
                    epochs: epochs.upperBound, seconds: (pause - start) / .seconds(1), weights: weights,
                    work: runs.map { _ in work }, divergedSteps: Self.divergedSteps(of: weights, losses: losses)))
            start += clock.now - pause
            guard goOn else { break }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let weights = try parameters.download()
        return TrainingResult(
            weights: weights, losses: losses, work: runs.map { _ in work }, launchedSteps: work.steps,
            divergedSteps: Self.divergedSteps(of: weights, losses: losses),
            movedWeights: zip(weights, initial).map { $0.weightsDiffering(from: $1) },
            seen: orders.map { $0.seen?.indices },
            seconds: seconds)
    }

    static func divergedSteps(of weights: [ModelWeights], losses: [[Float]]) -> [Int?] {
        weights.indices.map { replica in
            let step = losses.firstIndex { !$0[replica].isFinite }.map { $0 + 1 }
            return step ?? (weights[replica].fault == nil ? nil : losses.count)
        }
    }
}

/// How a training is cut into epochs and batches. The last batch of an epoch may be short; it is kept.
struct EpochPlan {
    let size: Int
    let batchSize: Int
    let steps: Int
    var stepsPerEpoch: Int { (size + batchSize - 1) / batchSize }
    /// Passes over the subset, the last one perhaps cut short by a given number of steps.
    var epochs: Int { (steps + stepsPerEpoch - 1) / stepsPerEpoch }

    init(size: Int, options: TrainingOptions) {
        self.size = size
        batchSize = min(options.batchSize, size)
        let perEpoch = (size + batchSize - 1) / batchSize
        switch options.length {
        case .epochs(let epochs): steps = epochs * perEpoch
        case .steps(let steps): self.steps = steps
        }
    }

    /// Samples of all replicas' orders that are uploaded at a time; bounds the memory of orders and losses.
    private static let orderCapacity = 1 << 22

    /// The epochs whose orders are uploaded at a time.
    func epochsAtOnce(replicas: Int) -> Int { max(1, min(epochs, Self.orderCapacity / (size * replicas))) }

    /// Ranges of positions in an order that starts with the first of `epochs`.
    func batches(of epochs: Range<Int>) -> [Range<Int>] {
        let first = epochs.lowerBound * stepsPerEpoch
        return (first..<min(steps, epochs.upperBound * stepsPerEpoch)).map { step in
            let base = (step - first) / stepsPerEpoch * size
            let start = base + step % stepsPerEpoch * batchSize
            return start..<min(start + batchSize, base + size)
        }
    }
}

extension StepSchedule {
    /// Room for `capacity` steps of `replicas` networks, and for so many of an optimizer's numbers in each.
    /// - Parameter isShared: true if all replicas have one row per step, false if each has its own.
    init(
        capacity: Int, replicas: Int, isShared: Bool = true, ratesPerStep: Int = 2, on backend: any Backend
    ) throws(ComputeError) {
        let rows = isShared ? 1 : replicas
        let current = [Int32](repeating: 0, count: Self.currentCount(replicas: replicas))
        self.init(
            batches: try backend.makeBuffer(of: Int32.self, count: 4 * rows * capacity, label: "batches"),
            rates: try backend.makeBuffer(of: Float.self, count: ratesPerStep * rows * capacity, label: "step sizes"),
            cursor: try backend.makeBuffer([Int32(0)], label: "cursor"),
            current: try backend.makeBuffer(current, label: "current step"), rows: rows)
    }

    /// Fills in the batches and Adam's numbers at a constant learning rate from step `firstStep` of the training on, and
    /// starts over.
    func load(_ ranges: [Range<Int>], firstStep: Int, learningRate: Double, on backend: any Backend)
        throws(ComputeError)
    {
        try load(
            ranges, firstStep: firstStep, of: firstStep + ranges.count,
            options: TrainingOptions(learningRate: learningRate), on: backend)
    }

    /// Fills in the batches and the optimizer's numbers from step `firstStep` of `steps` on, and starts over.
    func load(
        _ ranges: [Range<Int>], firstStep: Int, of steps: Int, options: TrainingOptions, on backend: any Backend
    ) throws(ComputeError) {
        try backend.write(
            ranges.flatMap { [Int32($0.lowerBound), Int32($0.count), 0, 0] }, to: batches)
        let numbers = ranges.indices.flatMap { index -> [Float] in
            let step = firstStep + index + 1
            return options.optimizer.rates(
                step: step, learningRate: options.learningRate * options.schedule.share(step: step, of: steps))
        }
        try backend.write(numbers, to: rates)
        try backend.write([0], to: cursor)
    }
}
