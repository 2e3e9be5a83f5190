import Networks
import Support

/// The values of the key `dynamic`.
enum Dynamic: String, CaseIterable, Sendable {
    case none
    case infobatch
}

extension TrainingRecipe {
    /// The table columns of dynamic pruning.
    package static let dynamicColumns = ["dynamic", "prune_share", "anneal"]

    /// The values of ``dynamicColumns``, each after its name; empty without dynamic pruning, so that names made from
    /// other recipes do not change.
    var dynamicWords: [String] {
        dynamic == nil ? [] : Self.dynamicColumns.compactMap { key in word(column: key).map { "\(key) \($0)" } }
    }

    /// The recipe with all samples in every epoch.
    package var whole: TrainingRecipe {
        var recipe = self
        recipe.dynamic = nil
        return recipe
    }

    /// A description of the dynamic pruning; nil without it.
    package var dynamicText: String? {
        dynamic.map { dynamic in
            let standard = DynamicPruning()
            return "infobatch"
                + (dynamic.pruneShare == standard.pruneShare ? "" : ", prune share \(shortest(dynamic.pruneShare))")
                + (dynamic.anneal == standard.anneal ? "" : ", anneal \(shortest(dynamic.anneal))")
        }
    }
}

extension StudyPlan {
    /// True if some runs leave samples out of epochs, so that their number of steps is not known in advance.
    package var hasDynamicRuns: Bool { experiments.contains { $0.recipe.dynamic != nil } }

    /// A note that estimates are upper bounds, if some runs leave samples out of epochs; otherwise nil.
    package var estimateNote: String? {
        hasDynamicRuns
            ? "the images to train on, and the time, are upper bounds: runs with dynamic infobatch leave some out" : nil
    }
}
