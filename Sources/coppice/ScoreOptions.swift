import ArgumentParser
import Clustering
import Compute
import Datasets
import Networks
import Pruning
import Scoring
import Support

extension Keep: ExpressibleByArgument {}
extension Groups: ExpressibleByArgument {}

/// The numbers of scores, and how the networks train that some of them are of.
struct ScoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Scores of networks: train this model: \(ModelLibrary.choices). (default: \(ModelLibrary.leNet5.name))",
            valueName: "name"),
        completion: .models, transform: modelNamed)
    var model: ModelSpec = ModelLibrary.leNet5
    @Option(help: "Scores of networks: epochs that each trains for. (default: 15)", transform: wholeNumber)
    var scoreEpochs = ScoreParameters().epochs
    @Option(help: "Scores of networks: how many there are. (default: 10)", transform: wholeNumber)
    var networks = ScoreParameters().networks
    @Option(help: "Scores of networks: images a step. (default: 64)", transform: wholeNumber)
    var batch = 64
    @Option(help: "Scores of networks: Adam's learning rate. (default: 0.001)", transform: realNumber)
    var learningRate = 0.001
    @Option(help: "dyn-unc and dual: epochs of a window. (default: 10)", transform: wholeNumber)
    var window = ScoreParameters().window
    @Option(help: "d2: nearest neighbours in its graph. (default: 10)", transform: wholeNumber)
    var neighbors = ScoreParameters().neighbors
    @Option(help: "d2: how fast a neighbour's weight falls with its distance. (default: 1)", transform: realNumber)
    var gamma = ScoreParameters().gamma

    func validate() throws {
        for (name, value, accepted) in [
            ("--score-epochs", scoreEpochs, ScoreParameters.epochsRange),
            ("--networks", networks, ScoreParameters.networksRange),
            ("--batch", batch, 1...1_000_000), ("--window", window, ScoreParameters.windowRange),
            ("--neighbors", neighbors, ScoreParameters.neighborsRange),
        ] where !accepted.contains(value) {
            throw ValidationError(
                "\(name) is \(value); from \(accepted.lowerBound) to \(accepted.upperBound) are accepted.")
        }
        guard learningRate > 0, learningRate.isFinite else {
            throw ValidationError("--learning-rate must be above 0, got \(learningRate).")
        }
        guard gamma >= 0, gamma.isFinite else { throw ValidationError("--gamma must be 0 or more, got \(gamma).") }
    }

    /// The numbers that scores take.
    func parameters(k: Int?) -> ScoreParameters {
        var parameters = ScoreParameters()
        parameters.epochs = scoreEpochs
        parameters.networks = networks
        parameters.window = window
        parameters.neighbors = neighbors
        parameters.gamma = gamma
        parameters.k = k
        return parameters
    }

    /// What must hold before anything is computed.
    /// - Throws: ``Failure`` with the option that is missing or does not fit.
    func check(_ score: Score, _ options: ClusteringOptions, hasClustering: Bool) throws {
        if score.needs.contains(.clusterCount) || score.needsClustering && !hasClustering, options.k == nil {
            throw Failure("--score \(score.name) needs clusters: give --k", exitCode: 64)
        }
        if score.usesWindow, window > scoreEpochs {
            throw Failure(
                "--window is \(window) and --score-epochs \(scoreEpochs): \(score.name) needs a window of"
                    + " \(ScoreParameters.windowRange.lowerBound) to \(scoreEpochs) epochs", exitCode: 64)
        }
        // d2 is of points, and starts from 1 where there are no classes.
        let isOfClasses = score.needs.contains(.dynamics) && !score.needs.contains(.points)
        if isOfClasses || score.needs.contains(.classes), options.features != nil {
            throw Failure(
                "--score \(score.name) needs the class of every sample, and --features has none: give --data",
                exitCode: 64)
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
        if score.needs.contains(.dynamics), let dataset = samples.dataset {
            input.dynamics = try dynamics(dataset)
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

    private func dynamics(_ dataset: Dataset) throws -> TrainingDynamics {
        let store = try SampleStore.make(dataset.train, for: options.model, classes: dataset.classCount, on: backend)
        Terminal.note(
            "training \(options.networks) networks on \(dataset.train.count) images for \(options.scoreEpochs) epochs",
            quiet: compute.quiet)
        let bar = ProgressBar("training", unit: "images", quiet: compute.quiet)
        defer { bar.finish() }
        return try TrainingDynamics.record(
            of: store, model: options.model, normalisation: Normalisation(dataset),
            options: TrainingOptions(batchSize: options.batch, learningRate: options.learningRate),
            parameters: options.parameters(k: nil), seed: compute.seed, on: backend,
            progress: { bar.update(Double($0.samples), of: Double($0.total)) }, keep: keepNetwork)
    }
}
