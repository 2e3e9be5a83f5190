import Networks
import Support

extension TrainingRecipe {
    /// The columns of what the article's trainings have no other value of.
    package static let optimizerColumns = ["optimizer", "momentum", "weight_decay", "schedule", "augment"]

    /// The training of this recipe, for so long.
    package func options(_ length: TrainingOptions.Length = .epochs(5)) -> TrainingOptions {
        TrainingOptions(
            length: length, batchSize: batchSize, learningRate: learningRate, optimizer: optimizer,
            schedule: schedule, augment: augment, dynamic: dynamic)
    }

    /// Whether it trains by Adam without a weight decay, at a constant rate, on images as they are.
    package var isPlain: Bool { optimizer == Optimizer() && schedule == .constant && augment == nil }

    /// The texts of ``optimizerColumns``, each after its name: no two recipes that differ in them have the same. Empty for a
    /// plain one, so that what is named after a recipe stays as it was.
    package var optimizerWords: [String] {
        isPlain ? [] : Self.optimizerColumns.compactMap { key in word(column: key).map { "\(key) \($0)" } }
    }

    /// The optimizer for people.
    package var optimizerText: String {
        optimizer.kind.rawValue + (optimizer.momentum == 0 ? "" : ", momentum \(shortest(optimizer.momentum))")
            + (optimizer.weightDecay == 0 ? "" : ", weight decay \(shortest(optimizer.weightDecay))")
    }

    /// The schedule for people.
    package var scheduleText: String { "\(schedule.rawValue) learning rate" }

    /// The augmentation for people.
    package var augmentText: String {
        guard let augment else { return "no augmentation" }
        let pixels = augment.shift == 1 ? "1 pixel" : "\(augment.shift) pixels"
        let shift = augment.shift == 0 ? nil : "moved by up to \(pixels)"
        return "images " + [shift, augment.flip ? "mirrored" : nil].compactMap { $0 }.joined(separator: " and ")
    }
}

extension Augment {
    /// As a study has it.
    var text: String { "{shift: \(shift), flip: \(flip)}" }
}
