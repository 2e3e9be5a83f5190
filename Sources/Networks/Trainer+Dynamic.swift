import Compute
import Dispatch

extension Trainer {
    /// Trains `runs` side by side, an epoch at a time: the losses of an epoch decide what each run leaves out of the next.
    func train(
        _ runs: [TrainingRun], initial: [ModelWeights], plan: EpochPlan, options: TrainingOptions,
        dynamic: DynamicPruning, afterEpoch: ((FinishedEpoch) throws(NetworkError) -> Bool)?,
        record: ((RecordedEpoch) -> Void)?, progress: (TrainingProgress) -> Bool
    ) throws -> TrainingResult {
        let training = try DynamicTraining(
            runs, initial: initial, size: plan.size, options: options, dynamic: dynamic, self, record: record)
        try backend.finish()
        let clock = ContinuousClock()
        // Time spent between epochs is excluded by moving the start forward.
        var start = clock.now
        for epoch in 0..<plan.epochs {
            try training.train(epoch: epoch, of: plan.epochs) {
                progress(
                    TrainingProgress(
                        finishedSteps: training.launchedSteps, steps: plan.steps,
                        images: training.work.reduce(0) { $0 + $1.images }))
            }
            guard let afterEpoch else { continue }
            let pause = clock.now
            let weights = try training.weights()
            let goOn = try afterEpoch(
                FinishedEpoch(
                    epochs: epoch + 1, seconds: (pause - start) / .seconds(1), weights: weights,
                    work: training.work, divergedSteps: training.divergedSteps(weights)))
            start += clock.now - pause
            guard goOn else { break }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let weights = try training.weights()
        let losses = training.losses
        let most = losses.map(\.count).max() ?? 0
        return TrainingResult(
            weights: weights,
            losses: (0..<most).map { step in losses.map { step < $0.count ? $0[step] : .nan } },
            work: training.work, launchedSteps: training.launchedSteps,
            divergedSteps: training.divergedSteps(weights),
            movedWeights: zip(weights, initial).map { $0.weightsDiffering(from: $1) }, seen: runs.map { _ in nil },
            seconds: seconds)
    }
}

/// The training of R networks with dynamic pruning. Each leaves out other samples, so each has its own batches and its own
/// number of steps in an epoch. Those with fewer steps are idle in the last launches.
private final class DynamicTraining {
    /// Mean loss of each step so far: [run][step].
    private(set) var losses: [[Float]]
    private(set) var work: [TrainingWork]
    /// Steps that were launched: in each epoch as many as the run with the most steps takes.
    private(set) var launchedSteps = 0
    private let runs: [TrainingRun]
    /// Samples of a run.
    private let size: Int
    private let options: TrainingOptions
    private let dynamic: DynamicPruning
    private let backend: any Backend
    private let network: any Network
    private let source: SampleSource
    /// The batches of the current epoch.
    private let schedule: StepSchedule
    /// The weights of the current epoch's samples, by position.
    private let sampleWeights: SampleWeights
    private let recorder: EpochRecorder?
    private var orders: [RunOrder]
    /// The last loss of each sample of the store: [run][sample].
    private var scores: [[Float]]

    init(
        _ runs: [TrainingRun], initial: [ModelWeights], size: Int, options: TrainingOptions, dynamic: DynamicPruning,
        _ trainer: Trainer, record: ((RecordedEpoch) -> Void)?
    ) throws {
        let (backend, store) = (trainer.backend, trainer.store)
        self.runs = runs
        self.size = size
        self.options = options
        self.dynamic = dynamic
        self.backend = backend
        let batchSize = min(options.batchSize, size)
        let steps = (size + batchSize - 1) / batchSize
        let room = runs.count * size
        schedule = try StepSchedule(
            capacity: steps, replicas: runs.count, isShared: false, ratesPerStep: options.optimizer.ratesPerStep,
            on: backend)
        sampleWeights = SampleWeights(
            weights: try backend.makeBuffer(of: Float.self, count: room, label: "weights of samples"),
            losses: try backend.makeBuffer(of: Float.self, count: room, label: "losses of samples"), stride: size)
        network = try ModelParameters(initial, on: backend).makeNetwork(
            batchSize: batchSize, schedule: schedule, trainingSteps: steps, optimizer: options.optimizer,
            sampleWeights: sampleWeights, on: backend)
        var augmentation: Augmentation?
        if options.augment != nil {
            augmentation = Augmentation(
                width: store.shape.width,
                changes: try backend.makeBuffer(of: Int32.self, count: room, label: "changes of images"))
        }
        source = try SampleSource(
            store, order: try backend.makeBuffer(of: Int32.self, count: room, label: "order of samples"),
            orderStride: size, normalisation: trainer.normalisation, augmentation: augmentation, on: backend)
        recorder = try record.map { try EpochRecorder(store, runs: runs, size: size, on: backend, record: $0) }
        orders = runs.map { RunOrder(of: $0, in: store.count, augment: options.augment) }
        scores = runs.map { _ in [Float](repeating: 0, count: store.count) }
        losses = runs.map { _ in [] }
        work = runs.map { _ in TrainingWork() }
        try backend.preparing(step)
    }

    private func step() throws {
        try network.backpropagate(source)
        try network.update()
        try recorder?.record(network)
    }

    func weights() throws -> [ModelWeights] { try network.parameters.download() }

    /// As ``TrainingResult/divergedSteps``.
    func divergedSteps(_ weights: [ModelWeights]) -> [Int?] {
        zip(weights, losses).map { weights, losses in
            Trainer.divergedSteps(of: [weights], losses: losses.map { [$0] })[0]
        }
    }

    /// Trains the next epoch, number `epoch` (from 0) of `epochs`.
    /// - Parameter progress: called between steps; returns false to give up.
    func train(epoch: Int, of epochs: Int, progress: () -> Bool) throws {
        // Drawn for all samples, so that epochs with all samples equal those of a plain training.
        RunOrder.draw(&orders, epochs: 1, trained: 0)
        let taken = samples(epoch: epoch, of: epochs)
        for (run, taken) in taken.enumerated() {
            try backend.write(taken.indices, to: source.order, at: run * size)
            try backend.write(taken.weights, to: sampleWeights.weights, at: run * size)
            if let augmentation = source.augmentation {
                try backend.write(taken.changes, to: augmentation.changes, at: run * size)
            }
        }
        recorder?.orders = taken.map(\.indices)
        let batches = taken.map { taken in
            stride(from: 0, to: taken.indices.count, by: options.batchSize).map {
                $0..<min($0 + options.batchSize, taken.indices.count)
            }
        }
        try schedule.load(batches, firstSteps: work.map(\.steps), options: options, on: backend)
        let most = batches.map(\.count).max() ?? 0
        for index in 0..<most {
            try step()
            launchedSteps += 1
            for (run, batches) in batches.enumerated() where index < batches.count {
                work[run].steps += 1
                work[run].images += batches[index].count
            }
            if (index + 1) % Trainer.stepsBetweenLooks == 0 || index + 1 == most {
                try backend.finish()
                guard progress() else { throw NetworkError.cancelled }
            }
        }
        let means = try network.losses(steps: most)
        let latest = try backend.read(sampleWeights.losses, count: runs.count * size)
        for (run, taken) in taken.enumerated() {
            losses[run] += means.prefix(batches[run].count).map { $0[run] }
            for (sample, loss) in zip(taken.indices, latest[(run * size)...]) { scores[run][Int(sample)] = loss }
        }
        try recorder?.handOver(epochs: epoch + 1, trained: size)
    }

    /// The samples of an epoch that a run is trained on, in order.
    private struct TakenSamples {
        var indices: [Int32]
        /// The ``Augmentation/Change/word`` of each; empty without augmentation.
        var changes: [Int32]
        var weights: [Float]
    }

    /// The samples that each run takes of the epoch that was drawn last, found on all cores.
    private func samples(epoch: Int, of epochs: Int) -> [TakenSamples] {
        var taken = orders.map {
            TakenSamples(
                indices: $0.indices, changes: $0.changes, weights: [Float](repeating: 1, count: $0.indices.count))
        }
        guard dynamic.prunes(epoch: epoch, of: epochs) else { return taken }
        let (dynamic, runs, scores) = (dynamic, runs, scores)
        taken.withUnsafeMutableBufferPointer { buffer in
            // Each iteration owns one run's samples.
            nonisolated(unsafe) let taken = buffer
            DispatchQueue.concurrentPerform(iterations: taken.count) { index in
                let (run, all) = (runs[index], taken[index])
                let kept = dynamic.kept(
                    of: all.indices, scores: scores[index],
                    mean: DynamicPruning.mean(of: scores[index], over: run.subset), epoch: epoch, seed: run.seed,
                    run: run.run)
                taken[index] = TakenSamples(
                    indices: kept.positions.map { all.indices[$0] },
                    changes: all.changes.isEmpty ? [] : kept.positions.map { all.changes[$0] }, weights: kept.weights)
            }
        }
        return taken
    }
}

extension StepSchedule {
    /// Fills in batches and the optimizer's numbers at a constant learning rate, a row per replica, and starts over. A
    /// replica is idle in the steps after its last batch.
    /// - Parameters:
    ///   - ranges: [replica][step], positions in the replica's order.
    ///   - firstSteps: the steps that each replica has taken before.
    fileprivate func load(
        _ ranges: [[Range<Int>]], firstSteps: [Int], options: TrainingOptions, on backend: any Backend
    ) throws(ComputeError) {
        let idle = [Float](repeating: 0, count: options.optimizer.ratesPerStep)
        var (batches, numbers): ([Int32], [Float]) = ([], [])
        for step in 0..<(ranges.map(\.count).max() ?? 0) {
            for (ranges, first) in zip(ranges, firstSteps) {
                let range = step < ranges.count ? ranges[step] : 0..<0
                batches += [Int32(range.lowerBound), Int32(range.count), 0, 0]
                numbers +=
                    range.isEmpty
                    ? idle : options.optimizer.rates(step: first + step + 1, learningRate: options.learningRate)
            }
        }
        try backend.write(batches, to: self.batches)
        try backend.write(numbers, to: rates)
        try backend.write([0], to: cursor)
    }
}
