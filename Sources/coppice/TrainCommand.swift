import ArgumentParser
import Compute
import Datasets
import Foundation
import Networks
import Studies
import Support

/// `coppice train`
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains LeNet-5 or another model on a data set or a part of it, and tests it.",
        discussion: """
            Replica i takes the random numbers of run i: initial weights and order of samples.

            A replica whose loss or weights become infinite or NaN has diverged: the command ends with exit code \
            65, --save writes nothing, and --json has null for its accuracy and the step in "diverged".

            With --until-accuracy every network is tested after each epoch, and training ends when all of them have \
            reached that percentage or diverged, or after --epochs. A network that reaches it is kept as it is then, \
            whatever the others still need: its accuracy and its saved weights are those of a training of so many \
            epochs. With --schedule cosine or --dynamic infobatch the result also depends on --epochs. \
            The JSON has its seconds_to_accuracy (of training, without tests, loading and compilation), \
            epochs_to_accuracy, steps_to_accuracy and images_to_accuracy. They are null where it was not reached, which \
            is no failure: the exit code is 0.
            """)

    @OptionGroup var data: DataOptions
    @OptionGroup var features: FeatureSetOptions
    @Option(
        help: ArgumentHelp(
            "Train on these images only: a .npy file of their indices, each once, or a boolean mask of all images.",
            valueName: "kept.npy"))
    var indices: String?
    @Option(
        help: ArgumentHelp(
            "Train this model: \(ModelLibrary.choices), or a YAML file of layers. (default: \(ModelLibrary.leNet5.name))",
            valueName: "name"),
        completion: .models, transform: ModelChoice.parse)
    var model = ModelChoice.known(ModelLibrary.leNet5)
    @Option(help: "Passes over the training images. (default: 5)", transform: wholeNumber)
    var epochs = 5
    @Option(
        help: ArgumentHelp(
            "Stop when this percentage of the test images is right; test after every epoch, at most --epochs times.",
            valueName: "percent"), transform: realNumber)
    var untilAccuracy: Double?
    @Option(help: "Images a step. (default: 64)", transform: wholeNumber)
    var batch = 64
    @Option(help: "Learning rate. (default: 0.001)", transform: realNumber)
    var learningRate = 0.001
    @OptionGroup var optimization: OptimizerOptions
    @OptionGroup var pruning: DynamicOptions
    @Option(help: "Networks to train side by side. (default: 1)", transform: wholeNumber)
    var replicas = 1
    @Option(name: .customLong("init"), help: ArgumentHelp("Weights to start from.", valueName: "w.safetensors"))
    var initial: String?
    @Option(help: ArgumentHelp("Where to save the first replica's weights.", valueName: "w.safetensors"))
    var save: String?
    @Option(help: ArgumentHelp("Where to write the loss of every step.", valueName: "losses.csv"))
    var trace: String?
    @Flag(help: "Time every kernel by events and print the sums to stderr; each launch then waits for the one before.")
    var profileKernels = false
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        for (name, value, accepted) in [
            ("--epochs", epochs, 0...1_000_000), ("--batch", batch, 1...1_000_000),
            ("--replicas", replicas, 1...10_000),
        ] where !accepted.contains(value) {
            throw ValidationError(
                "\(name) is \(value); from \(accepted.lowerBound) to \(accepted.upperBound) are accepted.")
        }
        guard learningRate > 0, learningRate.isFinite else {
            throw ValidationError("--learning-rate must be above 0, got \(learningRate).")
        }
        try pruning.check(schedule: optimization.schedule)
        if let untilAccuracy {
            guard untilAccuracy > 0, untilAccuracy <= 100 else {
                throw ValidationError(
                    "--until-accuracy is \(shortest(untilAccuracy)); a percentage above 0, at most 100, is accepted.")
            }
            guard !profileKernels else {
                throw ValidationError(
                    "--until-accuracy and --profile-kernels are mutually exclusive: the sums would include the tests.")
            }
        }
    }

    private struct Diverged: Encodable {
        /// Counted from 1, as is the step.
        var replica: Int
        var step: Int
    }

    private struct Report: Encodable {
        var seconds: Double
        var loadingSeconds: Double
        var evaluationSeconds: Double
        var replicas: Int
        var epochs: Int
        var images: Int
        /// Null for a replica that diverged.
        var accuracy: [Double?]
        var untilAccuracy: Double?
        var milestones: [TestedTraining.Milestone?]
        var diverged: [Diverged]
        /// The work of the whole training; nil if every epoch takes all samples.
        var work: [TrainingWork]?
        var device: DeviceDescription

        enum CodingKeys: String, CodingKey {
            case seconds, loadingSeconds, evaluationSeconds, replicas, epochs, images, accuracy, diverged, device
            case untilAccuracy, epochsToAccuracy, secondsToAccuracy, stepsToAccuracy, imagesToAccuracy
            case steps, imagesTrained, distinct
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(seconds, forKey: .seconds)
            try container.encode(loadingSeconds, forKey: .loadingSeconds)
            try container.encode(evaluationSeconds, forKey: .evaluationSeconds)
            try container.encode(replicas, forKey: .replicas)
            try container.encode(epochs, forKey: .epochs)
            try container.encode(images, forKey: .images)
            // A number for one network, a list for several.
            func encode(_ values: [some Encodable], _ key: CodingKeys) throws {
                if let only = values.first, values.count == 1 {
                    try container.encode(only, forKey: key)
                } else {
                    try container.encode(values, forKey: key)
                }
            }
            try encode(accuracy, .accuracy)
            if let untilAccuracy {
                try container.encode(untilAccuracy, forKey: .untilAccuracy)
                try encode(milestones.map { $0?.epochs }, .epochsToAccuracy)
                try encode(milestones.map { $0?.seconds }, .secondsToAccuracy)
                try encode(milestones.map { $0?.work.steps }, .stepsToAccuracy)
                try encode(milestones.map { $0?.work.images }, .imagesToAccuracy)
            }
            if let work {
                try encode(work.map(\.steps), .steps)
                try encode(work.map(\.images), .imagesTrained)
                // Every first epoch takes all samples.
                try encode(work.map { min($0.images, images) }, .distinct)
            }
            try container.encode(diverged, forKey: .diverged)
            try container.encode(device, forKey: .device)
        }
    }

    func run() throws {
        let start = ContinuousClock.now
        // Weights may go on from where they were.
        let kept =
            (features.matrix.name == nil ? data.files : features.files) + [
                NamedFile("--indices", indices), NamedFile("--model", model.path),
            ]
        try checkOutputs([NamedFile("--save", save), NamedFile("--trace", trace)], against: kept)
        try checkOutputs([NamedFile("--trace", trace)], against: [NamedFile("--init", initial)])
        try optimization.check(areFeatures: features.matrix.name != nil)
        for path in [save, trace] { if let path { try AtomicFile.checkCanWrite(path) } }
        let model = try model.loadClassifier()
        let backend = try compute.makeBackend(in: shape, profiling: profileKernels)
        let stored = try initial.map { try ModelWeights.read($0, of: model) }
        let dataset = try features.load(
            orImagesOf: data, for: model, with: stored, of: initial, quiet: compute.quiet)
        let subset =
            try indices.map { try KeptIndices.read($0, count: dataset.train.count).indices }
            ?? Array(0..<dataset.train.count)
        try model.check(
            samples: dataset.train.shape, classes: dataset.classCount, batch: min(batch, subset.count),
            augment: optimization.augment)
        var options = optimization.applied(
            to: TrainingOptions(length: .epochs(epochs), batchSize: batch, learningRate: learningRate))
        options.dynamic = pruning.value
        try model.checkMemory(
            samples: dataset.train.shape, classes: dataset.classCount, count: subset.count, networks: replicas,
            options: options, on: backend)
        var normalisation = Normalisation(dataset)
        var initialWeights: ModelWeights?
        if let initial, let read = stored {
            for note in read.notes { Terminal.note(note, quiet: compute.quiet) }
            initialWeights = read.weights
            if let kept = read.normalisation { normalisation = kept }
            try read.check(dataset, scaling: features.scaling, path: initial)
        }
        if let note = dataset.untrainedClassesNote(kept: indices == nil ? nil : subset) {
            Terminal.note("note: \(note)", quiet: compute.quiet)
        }
        let store = try SampleStore.make(dataset.train, for: model, classes: dataset.classCount, on: backend)
        let test = try SampleStore.make(dataset.test, for: model, classes: dataset.classCount, on: backend)
        let loadingSeconds = (ContinuousClock.now - start) / .seconds(1)
        if let untilAccuracy, untilAccuracy <= 1 {
            Terminal.note(
                "note: --until-accuracy is a percentage; for \(shortest(100 * untilAccuracy))% give "
                    + "\(shortest(100 * untilAccuracy))", quiet: compute.quiet)
        }

        let stopping = CancellationFlag()
        let interrupt = Interrupt { stopping.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        Terminal.note(
            "training \(replicas) \(replicas == 1 ? "network" : "networks") on \(subset.count) \(dataset.unit)s, "
                + (untilAccuracy.map { "until \(shortest($0))% are right, at most " } ?? "") + Self.passes(epochs),
            quiet: compute.quiet)
        if let note = pruning.value?.idleNote(epochs: epochs) { Terminal.note("note: \(note)", quiet: compute.quiet) }
        let bar = ProgressBar("training", unit: "\(dataset.unit)s", quiet: compute.quiet)
        defer { bar.finish() }
        let runs = (0..<replicas).map {
            TrainingRun(subset: subset, seed: compute.seed, run: $0, initial: initialWeights)
        }
        let trainer = Trainer(store, model: model, normalisation: normalisation, on: backend)
        let evaluator = Evaluator(test, normalisation: normalisation, on: backend)
        let goOn = { (progress: TrainingProgress) in
            bar.update(Double(progress.images), of: Double(epochs * subset.count * replicas))
            return !stopping.isCancelled
        }
        let training: TestedTraining
        if let untilAccuracy {
            training = try trainer.train(
                runs, options: options, until: untilAccuracy, testedBy: evaluator, progress: goOn)
            bar.finish()
        } else {
            let result = try trainer.train(runs, options: options, progress: goOn)
            bar.finish()
            if profileKernels {
                printKernelTimes(
                    backend, images: result.work.reduce(0) { $0 + $1.images },
                    steps: result.launchedSteps, seconds: result.seconds)
            }
            training = try TestedTraining(result, epochs: epochs, testedBy: evaluator)
        }
        let diverged = training.divergedSteps.enumerated().compactMap { replica, step in
            step.map { Diverged(replica: replica + 1, step: $0) }
        }

        if diverged.isEmpty, let save, let first = training.weights.first {
            try first.write(
                to: save, normalisation: normalisation, steps: training.workOfWeights[0].steps,
                metadata: StoredWeights.metadata(of: dataset))
        }
        if let trace { try writeTrace(training.losses, training.work, to: trace) }
        noteUnmoved(training)
        if json {
            try printJSON(
                Report(
                    seconds: training.seconds, loadingSeconds: loadingSeconds,
                    evaluationSeconds: training.evaluationSeconds, replicas: replicas, epochs: training.epochs,
                    images: subset.count, accuracy: training.evaluations.map { $0?.accuracy },
                    untilAccuracy: untilAccuracy, milestones: training.milestones, diverged: diverged,
                    work: pruning.value == nil ? nil : training.work, device: backend.device))
        } else {
            for (replica, tested) in training.evaluations.enumerated() {
                guard let tested else {
                    print("run \(replica + 1): diverged")
                    continue
                }
                print(
                    "run \(replica + 1): \(fixed(tested.accuracy, 2))% of \(tested.count) test \(dataset.unit)s "
                        + "(\(tested.correct) right)"
                        + (untilAccuracy.map { "; " + Self.line($0, training.milestones[replica], training) } ?? ""))
            }
            print(
                "trained \(replicas) x \(training.epochs) epochs of \(subset.count) \(dataset.unit)s in "
                    + "\(fixed(training.seconds, 2)) s; loading \(fixed(loadingSeconds, 2)) s, evaluation "
                    + "\(fixed(training.evaluationSeconds, 2)) s"
                    + pruning.summary(
                        training.work, epochs: training.epochs, of: subset.count, unit: dataset.unit))
        }
        if let failure = divergence(diverged) { throw failure }
    }

    /// Says where steps were too small to move a network's weights.
    private func noteUnmoved(_ training: TestedTraining) {
        guard let weights = training.weights.first?.weightCount, !training.losses.isEmpty,
            let moved = training.movedWeights.min(), Double(moved) < ModelWeights.leastMoved * Double(weights)
        else { return }
        Terminal.note(
            "note: a learning rate of \(learningRate) moved \(moved == 0 ? "none" : "only \(moved)") of the network's"
                + " \(weights) weights: the steps are too small for float32, and the network is practically the one that training started from",
            quiet: compute.quiet)
    }

    /// What the command ends with where replicas diverged; nil where none did.
    private func divergence(_ diverged: [Diverged]) -> Failure? {
        guard let first = diverged.first else { return nil }
        let others = diverged.dropFirst().prefix(7).map { ", replica \($0.replica) at step \($0.step)" }.joined()
        let more = diverged.count > 8 ? ", and \(diverged.count - 8) more" : ""
        return Failure(
            "replica \(first.replica) diverged at step \(first.step)\(others)\(more), with a learning rate of"
                + " \(learningRate): a loss or a weight is no longer finite"
                + (save.map { "; nothing was saved to \($0)" } ?? "") + "; try a smaller --learning-rate",
            exitCode: 65)
    }

    private static func passes(_ epochs: Int) -> String { "\(epochs) \(epochs == 1 ? "epoch" : "epochs")" }

    /// When a network reached an accuracy, in words.
    private static func line(
        _ accuracy: Double, _ milestone: TestedTraining.Milestone?, _ training: TestedTraining
    ) -> String {
        milestone.map {
            "\(shortest(accuracy))% after \(passes($0.epochs)), \(fixed($0.seconds, 2)) s of training"
        } ?? "\(shortest(accuracy))% was not reached in \(passes(training.epochs))"
    }

    private func printKernelTimes(_ backend: any Backend, images: Int, steps: Int, seconds: Double) {
        guard let times = (backend as? OpenCLBackend)?.kernelTimes, images > 0 else {
            Terminal.write("--profile-kernels: only OpenCL devices time their kernels\n")
            return
        }
        let total = times.values.reduce(0) { $0 + $1.seconds }
        for (kernel, time) in times.sorted(by: { $0.value.seconds > $1.value.seconds }) {
            let name = kernel.padding(toLength: 36, withPad: " ", startingAt: 0)
            Terminal.write(
                "\(name) \(time.launches) launches, \(fixed(time.seconds, 3)) s, "
                    + "\(fixed(100 * time.seconds / total, 1))%, \(fixed(1e6 * time.seconds / Double(images), 3)) us an image\n"
            )
        }
        let launches = times.values.reduce(0) { $0 + $1.launches }
        Terminal.write(
            "\(fixed(Double(launches) / Double(steps), 1)) launches a step; kernels \(fixed(total, 3)) of \(fixed(seconds, 3)) s, "
                + "the rest between them: each is waited for here\n")
    }

    /// A loss as every reader of tables takes it for a number.
    private static func field(_ loss: Float) -> String {
        loss.isNaN ? "NaN" : loss.isInfinite ? (loss < 0 ? "-Inf" : "Inf") : "\(loss)"
    }

    /// A run that took fewer steps than others has empty fields after them.
    private func writeTrace(_ losses: [[Float]], _ work: [TrainingWork], to path: String) throws {
        var text = "step," + (0..<replicas).map { "loss_\($0 + 1)" }.joined(separator: ",") + "\n"
        for (step, row) in losses.enumerated() {
            let fields = zip(row, work).map { loss, work in step < work.steps ? Self.field(loss) : "" }
            text += "\(step + 1)," + fields.joined(separator: ",") + "\n"
        }
        try AtomicFile.write(Array(text.utf8), to: path)
    }
}
