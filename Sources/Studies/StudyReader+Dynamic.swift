import Networks
import Support
import Yams

extension StudyReader {
    /// The keys of dynamic pruning.
    static let dynamicKeys = TrainingRecipe.dynamicColumns

    /// Reads the keys of dynamic pruning.
    func readDynamic(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        if let dynamic = try fields.word("dynamic", Dynamic.self) { settings.dynamic = dynamic }
        if let share = try fields.number("prune_share") {
            guard DynamicPruning.accepts(pruneShare: share) else {
                throw .invalid(
                    fields.place(of: "prune_share"),
                    reason: "prune_share is \(shortest(share)); \(DynamicPruning.acceptedPruneShare)")
            }
            settings.pruning.pruneShare = share
        }
        if let share = try fields.number("anneal") {
            guard DynamicPruning.accepts(anneal: share) else {
                throw .invalid(
                    fields.place(of: "anneal"),
                    reason: "anneal is \(shortest(share)); \(DynamicPruning.acceptedAnneal)")
            }
            settings.pruning.anneal = share
        }
    }

    /// Refuses trainings that dynamic pruning does not support, with the place of one of the entry's keys, if it has
    /// any.
    func checkDynamic(_ fields: StudyFields, _ settings: StudySettings) throws(StudyError) {
        guard settings.dynamic == .infobatch else { return }
        func conflict(_ key: String, _ value: String, _ reason: String, _ accepted: String) -> StudyError {
            .invalid(
                fields.place(of: fields[key] == nil ? "dynamic" : key),
                reason: "dynamic infobatch and \(key) \(value) conflict: \(reason); dynamic: none, or \(accepted), is"
                    + " accepted")
        }
        if case .steps(let steps) = settings.recipe.duration {
            throw conflict("steps", "\(steps)", DynamicPruning.stepsConflict, "epochs")
        }
        if settings.recipe.schedule != .constant {
            throw conflict(
                "schedule", settings.recipe.schedule.rawValue, DynamicPruning.scheduleConflict, "schedule: constant")
        }
        if settings.resample != .none {
            throw conflict(
                "resample", settings.resample.rawValue,
                "infobatch needs epochs of the same samples, whose last losses it knows", "resample: none")
        }
    }
}

extension StudySettings {
    /// The settings, with the defaults for the parameters of ``dynamic`` if it is off, so that unused ones do not
    /// change the study.
    var withoutIdlePruning: StudySettings {
        var settings = self
        if dynamic == .none { settings.pruning = DynamicPruning() }
        return settings
    }
}
