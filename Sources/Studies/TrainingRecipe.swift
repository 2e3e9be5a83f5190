import Networks
import Support

/// How long a network trains.
package enum TrainingDuration: Hashable, Sendable {
    /// Passes over what was kept.
    case epochs(Int)
    /// Batches, whatever was kept.
    case steps(Int)
}

/// What is trained, on which data, and how. Runs of equal recipes train alike: those of one size may share launches, and
/// those of one seed too may be paired.
package struct TrainingRecipe: Hashable, Sendable {
    /// The data set's name.
    package var dataset = "mnist"
    /// Whether its samples are features, not images.
    package var isOfFeatures = false
    /// What of its training samples is set aside; nil where nothing is.
    package var validation: ValidationSplit?
    /// The model.
    package var model = ModelLibrary.leNet5
    /// How long each network trains.
    package var duration = TrainingDuration.epochs(5)
    /// Samples in a batch.
    package var batchSize = 64
    /// The learning rate, at the start where it changes.
    package var learningRate = 0.001
    /// What moves the parameters.
    package var optimizer = Optimizer()
    /// How the learning rate changes.
    package var schedule = RateSchedule.constant
    /// How training images are changed at random; nil where they are not.
    package var augment: Augment?
    /// Dynamic pruning by the samples' losses; nil if every epoch takes all samples.
    package var dynamic: DynamicPruning?

    /// The article's recipe.
    package init() {}

    /// The samples that there are to train on.
    package var trainingSet: TrainingSet { TrainingSet(dataset, validation: validation) }

    /// The steps of a run on `kept` samples, including a short last batch in each epoch if there is one; with
    /// ``dynamic`` an upper bound.
    package func steps(kept: Int) -> Int {
        switch duration {
        case .epochs(let epochs): epochs * stepsPerEpoch(kept)
        case .steps(let steps): steps
        }
    }

    /// The images that a run on `kept` samples sees in training; with ``dynamic`` an upper bound.
    package func images(kept: Int) -> Int {
        switch duration {
        case .epochs(let epochs): return epochs * kept
        case .steps(let steps):
            let batches = stepsPerEpoch(kept)
            return steps / batches * kept + min(steps % batches * batchSize, kept)
        }
    }

    /// Different samples that a run of `kept` samples sees in training, where all epochs take the same.
    package func distinct(kept: Int) -> Int { min(kept, images(kept: kept)) }

    /// The text of a table's column; nil where the recipe has no use for it, or it is another's.
    package func word(column: String) -> String? {
        switch (column, duration) {
        case ("dataset", _): dataset
        case ("model", _): model.name
        case ("num_epochs", .epochs(let epochs)): "\(epochs)"
        case ("steps", .steps(let steps)): "\(steps)"
        case ("batch_size", _): "\(batchSize)"
        case ("learning_rate", _): shortest(learningRate)
        case ("optimizer", _): optimizer.kind.rawValue
        case ("momentum", _): optimizer.kind == .sgd ? shortest(optimizer.momentum) : nil
        case ("weight_decay", _): shortest(optimizer.weightDecay)
        case ("schedule", _): schedule.rawValue
        case ("augment", _): augment?.text
        case ("dynamic", _): dynamic == nil ? "none" : Dynamic.infobatch.rawValue
        case ("prune_share", _): dynamic.map { shortest($0.pruneShare) }
        case ("anneal", _): dynamic.map { shortest($0.anneal) }
        default: nil
        }
    }

    private func stepsPerEpoch(_ kept: Int) -> Int { (kept + batchSize - 1) / batchSize }
}

/// Runs with equal values may train in the same launches.
struct LaunchGroup: Hashable {
    let recipe: TrainingRecipe
    let size: Int
}

/// What runs have in common that compare in pairs: run i of both starts from the same weights and takes its samples in the
/// same order of random numbers.
package struct Pairing: Hashable, Sendable {
    /// Their training, without dynamic pruning, in which they may differ.
    package let recipe: TrainingRecipe
    /// The seed of every random number.
    package let seed: UInt64
}
