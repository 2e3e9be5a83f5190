import Networks
import Support

extension StudyReader {
    /// Keys of what is trained by.
    static let optimizerKeys = TrainingRecipe.optimizerColumns

    /// Reads the optimizer, the schedule of its learning rate, and the augmentation.
    func readOptimizer(_ fields: StudyFields, into recipe: inout TrainingRecipe) throws(StudyError) {
        if let kind = try fields.word("optimizer", Optimizer.Kind.self) { recipe.optimizer.kind = kind }
        if let momentum = try fields.number("momentum") {
            guard Optimizer.accepts(momentum: momentum) else {
                throw .invalid(
                    fields.place(of: "momentum"),
                    reason: "momentum is \(shortest(momentum)); \(Optimizer.acceptedMomentum)")
            }
            recipe.optimizer.momentum = momentum
        }
        if let decay = try fields.number("weight_decay") {
            guard Optimizer.accepts(weightDecay: decay) else {
                throw .invalid(
                    fields.place(of: "weight_decay"),
                    reason: "weight_decay is \(shortest(decay)); \(Optimizer.acceptedWeightDecay)")
            }
            recipe.optimizer.givenWeightDecay = decay
        }
        if let schedule = try fields.word("schedule", RateSchedule.self) { recipe.schedule = schedule }
        try readAugment(fields, into: &recipe)
    }

    private static let acceptedMomentum = "momentum: 0, or optimizer: sgd, is accepted"

    /// Removes a momentum given above all entries from an entry with an optimizer that has none.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place of the momentum if such an entry sets one itself.
    func settleMomentum(_ entry: StudyFields, of recipe: inout TrainingRecipe) throws(StudyError) {
        guard let fault = recipe.optimizer.fault() else { return }
        guard entry["momentum"] == nil else {
            throw .invalid(entry.place(of: "momentum"), reason: "\(fault); \(Self.acceptedMomentum)")
        }
        recipe.optimizer.momentum = 0
    }

    /// Refuses a momentum above all entries that no entry uses.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with its place.
    func checkMomentum(_ top: StudyFields, _ recipe: TrainingRecipe, of study: Study) throws(StudyError) {
        guard recipe.optimizer.momentum != 0,
            study.groups.allSatisfy({ $0.settings.recipe.optimizer.kind != .sgd })
        else { return }
        throw .invalid(
            top.place(of: "momentum"),
            reason: "momentum is for the optimizer sgd, which no entry has; \(Self.acceptedMomentum)")
    }

    private func readAugment(_ fields: StudyFields, into recipe: inout TrainingRecipe) throws(StudyError) {
        guard let node = fields["augment"] else { return }
        let entry = try StudyFields(node, file: file, what: "augment", keys: ["shift", "flip"])
        let augment = Augment(
            shift: try entry.integer("shift", in: Augment.shiftRange) ?? 0, flip: try entry.boolean("flip") ?? false)
        // Nothing, in an entry of a study whose other entries have something.
        recipe.augment = augment.isIdle ? nil : augment
    }
}

extension StudyPlan {
    /// Features have no rows and columns that could be moved.
    static func checkAugment(_ group: ExperimentGroup) throws(StudyError) {
        guard let augment = group.settings.recipe.augment, group.settings.recipe.isOfFeatures else { return }
        throw .invalid(
            group.places["augment"],
            reason: "augment is \(augment.text), and the data set \(group.settings.recipe.dataset) has features: only"
                + " images are augmented")
    }
}
