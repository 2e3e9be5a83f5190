import Networks

extension StudyPlan {
    /// Refuses experiments that cannot be trained, before anything of the study is computed: a model or an augmentation
    /// that does not fit the samples, and batches of one sample for batch norm of vectors.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place of the key's value, or of the entry if that is above all
    ///   entries; if it is a list of models, with the place of the model.
    static func checkModels(
        _ experiments: ArraySlice<Experiment>, of group: ExperimentGroup, _ shape: DatasetShape
    ) throws(StudyError) {
        guard let sample = shape.sample, shape.classCount > 0 else { return }
        var seen: Set<LaunchGroup> = []
        var scoreModels: Set<ModelSpec> = []
        for experiment in experiments {
            let recipe = experiment.recipe
            let samples = "the samples of \(recipe.dataset) are \(sample)"
            func check(_ key: String, _ body: () throws(NetworkError) -> Void) throws(StudyError) {
                do { try body() } catch {
                    throw .invalid(group.places[key], reason: "\(error) (\(samples))")
                }
            }
            if let model = experiment.otherScoreModel, scoreModels.insert(model).inserted {
                try check("score_model") { () throws(NetworkError) in
                    try model.check(samples: sample, classes: shape.classCount)
                }
            }
            guard seen.insert(experiment.launchGroup).inserted else { continue }
            try check("model") { () throws(NetworkError) in
                try recipe.model.check(samples: sample, classes: shape.classCount)
            }
            // Score networks train on the whole set, so their batches are not smaller.
            let batch = min(recipe.batchSize, experiment.size)
            try check(recipe.batchSize == 1 ? "batch_size" : "sizes") { () throws(NetworkError) in
                try recipe.model.check(samples: sample, classes: shape.classCount, batch: batch)
            }
            try check("augment") { () throws(NetworkError) in
                try recipe.model.check(samples: sample, classes: shape.classCount, augment: recipe.augment)
            }
        }
    }
}
