import Compute
import Networks

extension StudyExecutor {
    /// Refuses a plan before anything is computed if the device has no memory to train one network of some experiment, of
    /// its scores, or of its embedding, alone. If one fits, `run` trains as many at once as fit.
    /// - Throws: `ComputeError.doesNotFit` with the place of the model in the study.
    package func checkMemory(of plan: StudyPlan, in study: Study) throws {
        let groups = study.resolved.groups.flatMap(\.byModel)
        // The most samples that a recipe was checked with: more samples never take less.
        var seen: [TrainingRecipe: Int] = [:]
        func isNew(_ recipe: TrainingRecipe, _ count: Int) -> Bool {
            guard count > seen[recipe, default: 0] else { return false }
            seen[recipe] = count
            return true
        }
        func check(_ recipe: TrainingRecipe, count: Int, _ key: String, of experiment: Experiment) throws {
            guard isNew(recipe, count) else { return }
            do { try checkMemory(of: recipe, count: count) } catch ComputeError.doesNotFit(let reason) {
                let group = groups.first { $0.settings.trainingRecipe == experiment.recipe }
                throw ComputeError.doesNotFit(reason: group.map { "\($0.places.nearest(key)): \(reason)" } ?? reason)
            }
        }
        // The largest of a recipe's experiments has the largest batches.
        for experiment in plan.experiments.sorted(by: { $0.size > $1.size }) {
            try check(experiment.recipe, count: experiment.size, "model", of: experiment)
            guard let networks = experiment.dynamics else { continue }
            // Score networks train on the whole set.
            var recipe = experiment.recipe
            recipe.model = networks.model
            let key = experiment.otherScoreModel == nil ? "model" : "score_model"
            try check(recipe, count: dataset(recipe.trainingSet).shape.count, key, of: experiment)
        }
        let embeddings = plan.artifactUses.keys.compactMap { $0.kind as? EmbeddingKey }
        for key in embeddings.sorted(by: { $0.fileName < $1.fileName }) {
            let recipe = try key.trainingRecipe
            let count = try dataset(key.trainingSet).shape.count
            guard isNew(recipe, count) else { continue }
            do {
                try checkMemory(of: recipe, count: count)
            } catch ComputeError.doesNotFit(let reason) {
                let place = groups.lazy.compactMap { $0.place(of: key.embedding.method) }.first
                throw ComputeError.doesNotFit(reason: place.map { "\($0): \(reason)" } ?? reason)
            }
        }
    }
}

extension BackendExecutor {
    package func checkMemory(of recipe: TrainingRecipe, count: Int) throws {
        let shape = try dataset(recipe.trainingSet).shape
        guard let sample = shape.sample, shape.classCount > 0 else { return }
        let length: TrainingOptions.Length =
            switch recipe.duration {
            case .epochs(let epochs): .epochs(epochs)
            case .steps(let steps): .steps(steps)
            }
        do {
            try recipe.model.checkMemory(
                samples: sample, classes: shape.classCount, count: count, options: recipe.options(length),
                on: preparedBackend())
        } catch NetworkError.compute(let error) {
            throw error
        }
    }
}
