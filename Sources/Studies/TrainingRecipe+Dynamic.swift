import Networks
import Support

/// The words for how samples are left out of epochs.
enum Dynamic: String, CaseIterable, Sendable {
    case none
    case infobatch
}

extension TrainingRecipe {
    /// The columns of what a training has that leaves samples out of epochs.
    package static let dynamicColumns = ["dynamic", "prune_share", "anneal"]

    /// The texts of ``dynamicColumns``, each after its name; empty where no samples are left out, so that what is named after
    /// a recipe stays as it was.
    var dynamicWords: [String] {
        dynamic == nil ? [] : Self.dynamicColumns.compactMap { key in word(column: key).map { "\(key) \($0)" } }
    }

    /// The recipe with all samples in every epoch.
    package var whole: TrainingRecipe {
        var recipe = self
        recipe.dynamic = nil
        return recipe
    }

    /// How samples are left out, for people; nil where none are.
    package var dynamicText: String? {
        dynamic.map { dynamic in
            let standard = DynamicPruning()
            return "infobatch"
                + (dynamic.pruneShare == standard.pruneShare ? "" : ", prune share \(shortest(dynamic.pruneShare))")
                + (dynamic.anneal == standard.anneal ? "" : ", anneal \(shortest(dynamic.anneal))")
        }
    }

    /// What trainings of one rate have in common: the model, and whether its networks train together.
    var rateName: String { model.name + (dynamic == nil ? "" : ", one by one") }

    /// Networks that share launches, of `count` that may train together.
    func networksTogether(_ count: Int) -> Int { dynamic == nil ? count : min(count, 1) }
}

extension StudyPlan {
    /// Whether some runs leave samples out of epochs, so that their steps are not known before they are taken.
    package var hasDynamicRuns: Bool { experiments.contains { $0.recipe.dynamic != nil } }

    /// What an estimate leaves out of account, as a sentence; nil where it does not.
    package var estimateNote: String? {
        hasDynamicRuns
            ? "the images to train on, and the time, are upper bounds: runs with dynamic infobatch leave some out" : nil
    }
}
