import Compute

extension Trainer {
    /// Trains `runs` in turn, one epoch of each, in separate launches: each leaves out other samples, so their step
    /// counts usually differ, and all replicas of a launch have the same number of valid samples.
    func train(
        _ runs: [TrainingRun], initial: [ModelWeights], plan: EpochPlan, options: TrainingOptions,
        dynamic: DynamicPruning, afterEpoch: ((FinishedEpoch) throws(NetworkError) -> Bool)?,
        record: ((RecordedEpoch) -> Void)?, progress: (TrainingProgress) -> Bool
    ) throws -> TrainingResult {
        let trainings = try runs.indices.map { index in
            try DynamicTraining(
                runs[index], initial: initial[index], size: plan.size, options: options, dynamic: dynamic, self,
                record: record.map { record in
                    { (epoch: RecordedEpoch) in
                        var epoch = epoch
                        epoch.run = index
                        record(epoch)
                    }
                })
        }
        try backend.finish()
        let clock = ContinuousClock()
        // Time spent between epochs is excluded by moving the start forward.
        var start = clock.now
        for epoch in 0..<plan.epochs {
            for training in trainings {
                try training.train(epoch: epoch, of: plan.epochs) {
                    let work = trainings.map(\.work)
                    return progress(
                        TrainingProgress(
                            finishedSteps: work.reduce(0) { $0 + $1.steps }, steps: plan.steps * runs.count,
                            images: work.reduce(0) { $0 + $1.images }))
                }
            }
            guard let afterEpoch else { continue }
            let pause = clock.now
            let weights = try trainings.map { try $0.weights() }
            let goOn = try afterEpoch(
                FinishedEpoch(
                    epochs: epoch + 1, seconds: (pause - start) / .seconds(1), weights: weights,
                    work: trainings.map(\.work), divergedSteps: zip(trainings, weights).map { $0.divergedStep($1) }))
            start += clock.now - pause
            guard goOn else { break }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let weights = try trainings.map { try $0.weights() }
        let most = trainings.map(\.losses.count).max() ?? 0
        return TrainingResult(
            weights: weights,
            losses: (0..<most).map { step in trainings.map { step < $0.losses.count ? $0.losses[step] : .nan } },
            work: trainings.map(\.work), divergedSteps: zip(trainings, weights).map { $0.divergedStep($1) },
            movedWeights: zip(weights, initial).map { $0.weightsDiffering(from: $1) }, seen: runs.map { _ in nil },
            seconds: seconds)
    }
}

/// The training of one network with dynamic pruning.
private final class DynamicTraining {
    /// Mean loss of each step so far.
    private(set) var losses: [Float] = []
    private(set) var work = TrainingWork()
    private let run: TrainingRun
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
    private var order: [RunOrder]
    /// The last loss of each sample of the store.
    private var scores: [Float]

    init(
        _ run: TrainingRun, initial: ModelWeights, size: Int, options: TrainingOptions, dynamic: DynamicPruning,
        _ trainer: Trainer, record: ((RecordedEpoch) -> Void)?
    ) throws {
        let (backend, store) = (trainer.backend, trainer.store)
        self.run = run
        self.options = options
        self.dynamic = dynamic
        self.backend = backend
        let batchSize = min(options.batchSize, size)
        let steps = (size + batchSize - 1) / batchSize
        schedule = try StepSchedule(capacity: steps, ratesPerStep: options.optimizer.ratesPerStep, on: backend)
        sampleWeights = SampleWeights(
            weights: try backend.makeBuffer(of: Float.self, count: size, label: "weights of samples"),
            losses: try backend.makeBuffer(of: Float.self, count: size, label: "losses of samples"), stride: size)
        network = try ModelParameters([initial], on: backend).makeNetwork(
            batchSize: batchSize, schedule: schedule, trainingSteps: steps, optimizer: options.optimizer,
            sampleWeights: sampleWeights, on: backend)
        var augmentation: Augmentation?
        if options.augment != nil {
            augmentation = Augmentation(
                width: store.shape.width,
                changes: try backend.makeBuffer(of: Int32.self, count: size, label: "changes of images"))
        }
        source = try SampleSource(
            store, order: try backend.makeBuffer(of: Int32.self, count: size, label: "order of samples"),
            orderStride: size, normalisation: trainer.normalisation, augmentation: augmentation, on: backend)
        recorder = try record.map { try EpochRecorder(store, runs: [run], size: size, on: backend, record: $0) }
        order = [RunOrder(of: run, in: store.count, augment: options.augment)]
        scores = [Float](repeating: 0, count: store.count)
        try backend.preparing(step)
    }

    private func step() throws {
        try network.backpropagate(source)
        try network.update()
        try recorder?.record(network)
    }

    func weights() throws -> ModelWeights { try network.parameters.download()[0] }

    /// As ``TrainingResult/divergedSteps``.
    func divergedStep(_ weights: ModelWeights) -> Int? {
        Trainer.divergedSteps(of: [weights], losses: losses.map { [$0] })[0]
    }

    /// Trains the next epoch, number `epoch` (from 0) of `epochs`.
    /// - Parameter progress: called between steps; returns false to give up.
    func train(epoch: Int, of epochs: Int, progress: () -> Bool) throws {
        // Drawn for all samples, so that epochs with all samples equal those of a plain training.
        RunOrder.draw(&order, epochs: 1, trained: 0)
        var indices = order[0].indices
        var changes = order[0].changes
        var weights = [Float](repeating: 1, count: indices.count)
        if dynamic.prunes(epoch: epoch, of: epochs) {
            let kept = dynamic.kept(
                of: indices, scores: scores, mean: DynamicPruning.mean(of: scores, over: run.subset), epoch: epoch,
                seed: run.seed, run: run.run)
            indices = kept.positions.map { indices[$0] }
            if !changes.isEmpty { changes = kept.positions.map { changes[$0] } }
            weights = kept.weights
        }
        try backend.write(indices, to: source.order)
        try backend.write(weights, to: sampleWeights.weights)
        if let augmentation = source.augmentation { try backend.write(changes, to: augmentation.changes) }
        recorder?.orders = [indices]
        let batches = stride(from: 0, to: indices.count, by: options.batchSize).map {
            $0..<min($0 + options.batchSize, indices.count)
        }
        try schedule.load(
            batches, firstStep: work.steps, of: work.steps + batches.count, options: options, on: backend)
        for (index, batch) in batches.enumerated() {
            try step()
            work.steps += 1
            work.images += batch.count
            if (index + 1) % Trainer.stepsBetweenLooks == 0 || index + 1 == batches.count {
                try backend.finish()
                guard progress() else { throw NetworkError.cancelled }
            }
        }
        losses += try network.losses(steps: batches.count).map { $0[0] }
        let latest = try backend.read(sampleWeights.losses, count: indices.count)
        for (sample, loss) in zip(indices, latest) { scores[Int(sample)] = loss }
        try recorder?.handOver(epochs: epoch + 1, trained: indices.count)
    }
}
