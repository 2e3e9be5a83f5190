import Networks
import Scoring
import Support

/// A model in a file of a study's directory: one of the library by its name, as directories have it from before there were
/// others, and any other one with its layers.
@propertyWrapper package struct CodedByName: Hashable, Sendable, Codable {
    package var wrappedValue: ModelSpec

    package init(wrappedValue: ModelSpec) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = try? container.decode(String.self) else {
            wrappedValue = try container.decode(ModelSpec.self)
            return
        }
        guard let model = ModelLibrary.model(name) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "the model \(name) is not known")
        }
        wrappedValue = model
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if ModelLibrary.model(wrappedValue.name) == wrappedValue {
            try container.encode(wrappedValue.name)
        } else {
            try container.encode(wrappedValue)
        }
    }
}

/// What makes the training dynamics of a training set what they are: the networks that are trained on all of it. They
/// serve every score of dynamics.
package struct DynamicsKey: ArtifactKind {
    /// The data set's name.
    package let dataset: String
    /// How many of its training samples are set aside; nil for none.
    package let validation: Int?
    /// The model.
    @CodedByName package private(set) var model: ModelSpec
    /// Networks.
    package let networks: Int
    /// Epochs that each trains for.
    package let epochs: Int
    /// Samples in a batch.
    package let batchSize: Int
    /// The learning rate.
    package let learningRate: Double
    /// What the networks are trained by besides; nil for what the article's trainings have, as in files from before there was
    /// a choice.
    package let optimizer: Optimizer?
    package let schedule: RateSchedule?
    package let augment: Augment?
    /// The study's seed.
    package let seed: UInt64
    /// Which set of networks of this seed, from 0.
    package let index: Int

    init(_ recipe: TrainingRecipe, networks: Int, epochs: Int, seed: UInt64, index: Int) {
        dataset = recipe.dataset
        validation = recipe.validation?.count
        model = recipe.model
        batchSize = recipe.batchSize
        learningRate = recipe.learningRate
        optimizer = recipe.optimizer == Optimizer() ? nil : recipe.optimizer
        schedule = recipe.schedule == .constant ? nil : recipe.schedule
        augment = recipe.augment
        self.networks = networks
        self.epochs = epochs
        self.seed = seed
        self.index = index
    }

    /// How the networks train.
    package var recipe: TrainingRecipe {
        var recipe = TrainingRecipe()
        recipe.dataset = dataset
        recipe.validation = trainingSet.validation
        recipe.model = model
        recipe.duration = .epochs(epochs)
        recipe.batchSize = batchSize
        recipe.learningRate = learningRate
        recipe.optimizer = optimizer ?? Optimizer()
        recipe.schedule = schedule ?? .constant
        recipe.augment = augment
        return recipe
    }

    // MARK: - The kind

    package static let name = "dynamics"
    package static let folder = "dynamics"
    package static let verb = "trains the networks of"
    package static let measuredEffort = 2
    package var fields: [(name: String, element: Artifact.Element)] {
        (TrainingDynamics.names + (validation == nil ? [] : [TrainingDynamics.recallName])).map { ($0, .float32) }
    }

    package var fileName: String {
        "\(trainingSet.fileName)-\(model.name)-\(networks)x\(epochs)-batch\(batchSize)-rate\(shortest(learningRate))"
            + optimizerName + "-seed\(seed)-\(index)"
    }
    /// What tells the networks from those of a plain recipe, as part of a file's name.
    private var optimizerName: String {
        let optimizer = optimizer.map { "-\($0.kind)-m\(shortest($0.momentum))-d\(shortest($0.weightDecay))" }
        let augment = augment.map { "-shift\($0.shift)" + ($0.flip ? "-flip" : "") }
        return (optimizer ?? "") + (schedule.map { "-\($0)" } ?? "") + (augment ?? "")
    }
    package var title: String {
        "dynamics \(trainingSet.title), \(networks) \(model.name) for \(epochs) epochs, set \(index + 1)"
    }
    package var effort: Int { networks * epochs }
    package func trainedImages(count: Int) -> Int { networks * recipe.images(kept: count) }
    package var preparation: String { "\(trainingSet.fileName)-\(model.name)-\(batchSize)" }

    /// Two networks that train for an epoch or two: what a set of them takes grows along a line with both.
    package func measurable(step: Int) -> ArtifactKey {
        ArtifactKey(
            DynamicsKey(recipe, networks: min(networks, 2), epochs: min(epochs, step), seed: seed, index: index))
    }

    package func accepts(_ artifact: Artifact, count: Int) -> Bool {
        guard let dynamics = dynamics(artifact) else { return false }
        return dynamics.count == count && (validation == nil || dynamics.meanRecall != nil)
    }

    package func provide(_ artifact: Artifact, to input: inout ScoreInput) { input.dynamics = dynamics(artifact) }

    private func dynamics(_ artifact: Artifact) -> TrainingDynamics? {
        TrainingDynamics(networks: networks, epochs: epochs) { artifact.float32($0) }
    }

    package func make(
        _ resources: any ArtifactResources, from found: ScoreInput, cancellation: CancellationFlag
    ) throws -> Artifact {
        Artifact(
            dynamics: try resources.dynamics(
                recipe, networks: networks, seed: seed, index: index, cancellation: cancellation))
    }
}

extension Artifact {
    /// Training dynamics.
    package init(dynamics: TrainingDynamics) {
        let fields = dynamics.fields
        self.init(fields.map { ($0.name, .float32($0.values)) }, shapes: fields.map(\.shape))
    }
}
