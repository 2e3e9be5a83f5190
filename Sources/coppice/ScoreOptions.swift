import ArgumentParser
import Clustering
import Compute
import Datasets
import Networks
import Pruning
import Scoring
import Studies
import Support

extension Keep: ExpressibleByArgument {}
extension Groups: ExpressibleByArgument {}
extension Quota: ExpressibleByArgument {}
extension Selection.Strategy: ExpressibleByArgument {}
extension Balance: ExpressibleByArgument {
    /// Without `recall`, which needs a validation split, as studies alone have; whoever asks for it is told so.
    package static var allValueStrings: [String] { withoutValidation.map(\.rawValue) }
}

/// The numbers of scores, and how the networks train that some of them are of.
struct ScoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Scores of networks: train this model: \(ModelLibrary.choices), or a YAML file of layers. (default: \(ModelLibrary.leNet5.name))",
            valueName: "name"),
        completion: .models, transform: ModelChoice.parse)
    var model: ModelChoice?
    @Option(help: "Scores of networks: epochs that each trains for. (default: 15)", transform: wholeNumber)
    var scoreEpochs: Int?
    @Option(help: "Scores of networks: how many there are. (default: 10)", transform: wholeNumber)
    var networks: Int?
    @Option(help: "Scores of networks: images a step. (default: 64)", transform: wholeNumber)
    var batch: Int?
    @Option(help: "Scores of networks: learning rate. (default: 0.001)", transform: realNumber)
    var learningRate: Double?
    @OptionGroup(title: "Training of networks for scores") var optimization: OptimizerOptions
    @Option(help: "dyn-unc and dual: epochs of a window. (default: 10)", transform: wholeNumber)
    var window: Int?
    @Option(help: "d2: nearest neighbours in its graph. (default: 10)", transform: wholeNumber)
    var neighbors: Int?
    @Option(
        help:
            "d2: how fast a neighbour's weight falls with its distance. (default: 1 / the median distance of neighbours)",
        transform: realNumber)
    var gamma: Double?

    func validate() throws {
        for (name, value, accepted) in [
            ("--score-epochs", scoreEpochs, ScoreParameters.epochsRange),
            ("--networks", networks, ScoreParameters.networksRange),
            ("--batch", batch, 1...1_000_000), ("--window", window, ScoreParameters.windowRange),
            ("--neighbors", neighbors, ScoreParameters.neighborsRange),
        ] {
            guard let value, !accepted.contains(value) else { continue }
            throw ValidationError(
                "\(name) is \(value); from \(accepted.lowerBound) to \(accepted.upperBound) are accepted.")
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw ValidationError("--learning-rate must be above 0, got \(learningRate).")
        }
        if let gamma, !(gamma >= 0 && gamma.isFinite) {
            throw ValidationError("--gamma must be 0 or more, got \(gamma).")
        }
    }

    /// The numbers that scores take.
    func parameters(k: Int?) -> ScoreParameters {
        var parameters = ScoreParameters()
        parameters.epochs = scoreEpochs ?? parameters.epochs
        parameters.networks = networks ?? parameters.networks
        parameters.window = window ?? parameters.window
        parameters.neighbors = neighbors ?? parameters.neighbors
        parameters.gamma = gamma
        parameters.k = k
        return parameters
    }

    /// The model that networks are of.
    /// - Throws: as ``ModelChoice/loadClassifier()``.
    func networkModel() throws -> ModelSpec { try model?.loadClassifier() ?? ModelLibrary.leNet5 }
    /// How they are trained.
    var training: TrainingOptions {
        optimization.applied(to: TrainingOptions(batchSize: batch ?? 64, learningRate: learningRate ?? 0.001))
    }

    /// Refuses what nothing takes: whoever gives it takes the scores for others.
    /// - Parameters:
    ///   - score: nil where there is none, or a file.
    ///   - trains: whether networks are trained.
    func checkIdle(_ score: Score?, trains: Bool) throws {
        func names(_ isTaken: (Score) -> Bool) -> String {
            "the score " + Score.all.filter(isTaken).map(\.name).joined(separator: " or ")
        }
        let ofNetworks = "scores of networks"
        for (name, isGiven, isTaken, users) in [
            ("--model", model != nil, trains, ofNetworks), ("--score-epochs", scoreEpochs != nil, trains, ofNetworks),
            ("--networks", networks != nil, trains, ofNetworks), ("--batch", batch != nil, trains, ofNetworks),
            ("--learning-rate", learningRate != nil, trains, ofNetworks),
            ("--optimizer", optimization.optimizer != nil, trains, ofNetworks),
            ("--momentum", optimization.momentum != nil, trains, ofNetworks),
            ("--weight-decay", optimization.weightDecay != nil, trains, ofNetworks),
            ("--schedule", optimization.schedule != nil, trains, ofNetworks),
            ("--augment", optimization.augment != nil, trains, ofNetworks),
            ("--window", window != nil, score?.usesWindow == true, names(\.usesWindow)),
            ("--neighbors", neighbors != nil, score?.usesNeighbors == true, names(\.usesNeighbors)),
            ("--gamma", gamma != nil, score?.usesNeighbors == true, names(\.usesNeighbors)),
        ] where isGiven && !isTaken {
            throw Failure("\(name) is for \(users), and has no effect here", exitCode: 64)
        }
    }

    /// Refuses a model or an augmentation that does not fit the samples, before any computation.
    /// - Throws: `NetworkError`, `StudyError`.
    func check(_ score: Score?, on samples: Samples) throws {
        guard let score, score.needs.contains(.dynamics), samples.trainable != nil, let classes = samples.classes else {
            return
        }
        try networkModel().check(
            samples: samples.samples.shape, classes: classes.count,
            batch: min(training.batchSize, samples.samples.count), augment: optimization.augment)
    }

    /// What must hold before anything is computed.
    /// - Throws: ``Failure`` with the option that is missing, does not fit, or has no effect.
    func check(_ score: Score, _ options: ClusteringOptions, _ labels: LabelsOption, hasClustering: Bool) throws {
        if score.needs.contains(.clusterCount) || score.needsClustering && !hasClustering, options.clusters == nil {
            throw Failure("--score \(score.name) needs clusters: give --k", exitCode: 64)
        }
        let parameters = parameters(k: nil)
        let (window, scoreEpochs) = (parameters.window, parameters.epochs)
        if score.usesWindow, window > scoreEpochs {
            throw Failure(
                "--window is \(window) and --score-epochs \(scoreEpochs): \(score.name) needs"
                    + " \(ScoreParameters.acceptedWindow(epochs: scoreEpochs, "--score-epochs"))", exitCode: 64)
        }
        // d2 is of points, and starts from 1 where there are no classes.
        let isOfClasses = score.needs.contains(.dynamics) && !score.needs.contains(.points)
        let hasClasses = options.features == nil || labels.labels != nil
        if isOfClasses || score.needs.contains(.classes), !hasClasses {
            throw Failure(
                "--score \(score.name) needs the class of every sample, and --features has none: give --labels, or --data",
                exitCode: 64)
        }
        let trains = score.needs.contains(.dynamics) && hasClasses
        try checkIdle(score, trains: trains)
        try optimization.check(areFeatures: options.features != nil)
        guard trains else { return }
        let model = try networkModel()
        if options.features != nil, model.side != nil {
            throw Failure(
                "--score \(score.name) trains networks, and \(model.name) takes images: give --model "
                    + ModelLibrary.featureChoices, exitCode: 64)
        }
    }
}

/// Scores of samples, made on the command line.
struct ScoreRun {
    let score: Score
    let options: ScoreOptions
    let plan: ClusteringPlan
    let compute: ComputeOptions
    /// The backend that everything is computed on.
    let backend: any Backend
    /// Called with every network after each epoch that a score uses.
    var keepNetwork: ((_ network: Int, _ epoch: Int, ModelWeights) throws -> Void)?

    /// What was made.
    struct Result {
        var values: [Float]
        var dynamics: TrainingDynamics?
        var seconds: Double
    }

    /// The scores of `samples`.
    /// - Parameters:
    ///   - groups: what a greedy order picks within.
    ///   - size: the most samples that will be kept.
    func values(
        of samples: Samples, clustering: ClusterAssignment?, within groups: Groups, size: Int
    ) throws -> Result {
        let begin = ContinuousClock.now
        var input = ScoreInput(
            count: samples.matrix.count, classes: samples.classes, clustering: clustering, backend: backend,
            size: size, parameters: options.parameters(k: plan.k), seed: compute.seed)
        if score.needs.contains(.points) { (input.points, input.shift) = try points(samples) }
        if score.isOrder { input.groups = try groups.labels(classes: samples.classes, clustering: clustering) }
        if score.needs.contains(.dynamics), let trainable = try samples.trainable?.load() {
            // What is wrong with a graph is known before networks are trained.
            if score.usesNeighbors { input.graph = try D2Graph(input) }
            input.dynamics = try dynamics(trainable)
        }
        Terminal.note("scoring \(input.count) samples by \(score.name)", quiet: compute.quiet)
        let values = try score.values(input)
        return Result(
            values: values, dynamics: input.dynamics, seconds: (ContinuousClock.now - begin) / .seconds(1))
    }

    private func points(_ samples: Samples) throws -> (points: Points, shift: [Double]?) {
        let kmeans = KMeans(k: 1, kind: .lloyd(iterations: 0))
        let source = try kmeans.source(of: samples.matrix, components: plan.pca, memory: plan.memory, on: backend)
        guard let points = source.resident else {
            throw ScoringError.noRoom(count: samples.matrix.count)
        }
        return (points, source.shift)
    }

    private func dynamics(_ trainable: TrainableSamples) throws -> TrainingDynamics {
        let model = try options.networkModel()
        let store = try SampleStore.make(
            trainable.samples, for: model, classes: trainable.classCount, on: backend)
        let parameters = options.parameters(k: nil)
        let unit = plan.features == nil ? "images" : "samples"
        Terminal.note(
            "training \(parameters.networks) networks on \(store.count) \(unit) for \(parameters.epochs) epochs",
            quiet: compute.quiet)
        let bar = ProgressBar("training", unit: unit, quiet: compute.quiet)
        defer { bar.finish() }
        return try TrainingDynamics.record(
            of: store, model: model, normalisation: trainable.normalisation, options: options.training,
            parameters: parameters, seed: compute.seed, on: backend,
            progress: { bar.update(Double($0.samples), of: Double($0.total)) }, keep: keepNetwork)
    }
}
