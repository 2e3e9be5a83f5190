import Scoring
import Support

/// How fast an executor was found to be.
package struct StudyRates: Equatable, Sendable {
    /// Trained images per second, all networks that train together counted: of the model that most images are for.
    package var imagesPerSecond: Double
    /// Networks that trained together when this was measured.
    package var replicas: Int
    /// Images that each of them saw.
    package var images: Int
    /// Seconds that testing one network of that model takes.
    package var evaluationSeconds: Double
    /// The rates of each model, by its name; the rates above apply to models without an entry.
    var models: [String: ModelRate] = [:]
    /// What the artifacts of each family cost.
    var artifacts: [ArtifactFamily: ArtifactRate] = [:]

    /// How fast one model trains and is tested, as above.
    struct ModelRate: Equatable, Sendable {
        var imagesPerSecond: Double
        var evaluationSeconds: Double
        var replicas = 1
    }

    /// The rates of the model called `name`.
    func rate(of name: String) -> ModelRate {
        models[name]
            ?? ModelRate(imagesPerSecond: imagesPerSecond, evaluationSeconds: evaluationSeconds, replicas: replicas)
    }

    /// Seconds of an artifact, taken to grow with its effort along a line.
    struct ArtifactRate: Equatable, Sendable {
        /// Getting ready what the family shares: loading, PCA.
        var preparation: Double
        var effort: Int
        var seconds: Double
        var secondsPerEffort: Double

        func seconds(effort: Int) -> Double { max(0, seconds + Double(effort - self.effort) * secondsPerEffort) }
    }
}

/// How long a study should take.
package struct StudyEstimate: Equatable, Sendable {
    /// The rates that this follows from.
    package var rates: StudyRates
    /// Seconds of training.
    package var training: Double
    /// Seconds of testing.
    package var evaluation: Double
    /// Seconds of making artifacts, by the folder of their kind: "clusterings".
    package var artifacts: [String: Double]
    /// The parts of ``training`` and ``evaluation`` that each model has, in the order of their first experiments.
    package var models: [ModelEstimate]
    /// Seconds of clustering.
    package var clustering: Double { artifacts[ClusteringKey.folder] ?? 0 }
    /// All seconds.
    package var total: Double {
        artifacts.sorted { $0.key < $1.key }.reduce(training + evaluation) { $0 + $1.value }
    }
    /// The seconds of everything if a number of equal devices share the training and the testing.
    package func seconds(on devices: Int) -> Double {
        total - (training + evaluation) * (1 - 1 / Double(max(1, devices)))
    }
    /// Images per second over the whole of ``training``; of a single model, or with nothing left to train, as measured.
    package var imagesPerSecond: Double {
        guard models.count > 1, training > 0 else { return models.first?.imagesPerSecond ?? rates.imagesPerSecond }
        return models.reduce(0) { $0 + $1.images } / training
    }
}

/// The time that the runs of one model should take, without artifacts.
package struct ModelEstimate: Equatable, Sendable {
    /// The model's name.
    package var name: String
    /// Images that all its runs see in training.
    package var images: Double
    /// Images per second, all networks that train together counted.
    package var imagesPerSecond: Double
    /// Networks that train together.
    package var replicas: Int
    /// Seconds of training.
    package var training: Double
    /// Seconds of testing.
    package var evaluation: Double
    /// All seconds.
    package var total: Double { training + evaluation }
}

extension StudyPlan {
    /// An estimate of the time for runs of the plan at these rates. Epochs are taken to leave no samples out.
    package func estimate(_ rates: StudyRates, of chosen: Set<PlannedRun>) -> StudyEstimate {
        // In the plan's order, in which a sum of times is always the same.
        let left = runs.filter(chosen.contains)
        // By model, so that the images of one are added up before they are divided.
        var images: [String: Double] = [:]
        var evaluations: [String: Int] = [:]
        var names: [String] = []
        var artifacts: [String: Double] = [:]
        var known: Set<ArtifactKey> = []
        var prepared: Set<ArtifactFamily> = []
        func make(_ key: ArtifactKey) {
            guard known.insert(key).inserted, let rate = rates.artifacts[key.family] else { return }
            let shared = prepared.insert(key.family).inserted ? rate.preparation : 0
            artifacts[type(of: key.kind).folder, default: 0] += shared + rate.seconds(effort: key.kind.effort)
        }
        func train(_ networks: Int, of experiment: Experiment) {
            let model = experiment.recipe.model.name
            if images[model] == nil { names.append(model) }
            images[model, default: 0] += Double(networks) * Double(experiment.recipe.images(kept: experiment.size))
            evaluations[model, default: 0] += networks
        }
        var decided: Set<Int> = []
        for run in left {
            let experiment = experiment(run.experimentID)
            train(1, of: experiment)
            if decided.insert(experiment.id).inserted {
                train(TuningCandidate.runs * experiment.candidates.count, of: experiment)
                experiment.tuningUses.keys.sorted { $0.kind.fileName < $1.kind.fileName }.forEach(make)
            }
            experiment.artifacts(run: run.run).forEach(make)
        }
        let models = names.map { name in
            let (images, rate) = (images[name] ?? 0, rates.rate(of: name))
            return ModelEstimate(
                name: name, images: images, imagesPerSecond: rate.imagesPerSecond, replicas: rate.replicas,
                training: images / rate.imagesPerSecond,
                evaluation: Double(evaluations[name] ?? 0) * rate.evaluationSeconds)
        }
        return StudyEstimate(
            rates: rates, training: models.reduce(0) { $0 + $1.training },
            evaluation: models.reduce(0) { $0 + $1.evaluation }, artifacts: artifacts, models: models)
    }
}

extension StudyExecutor {
    /// Measures the rates that a plan depends on: for each model a short training of as many networks as would train
    /// together and their test, and for each family of artifacts three, two of the least effort and one of more. About a
    /// second with MNIST.
    /// - Throws: the executor's errors.
    package func measureRates(for plan: StudyPlan, replicas: Int) throws -> StudyRates {
        guard let heaviest = plan.experiments.max(by: { $0.trainedImages < $1.trainedImages }) else {
            throw StudyError.executor(reason: "a plan without experiments")
        }
        var rates = try measureRates(of: heaviest, in: plan, replicas: replicas)
        for (model, experiments) in Dictionary(grouping: plan.experiments, by: \.recipe.model.name)
        where model != heaviest.recipe.model.name {
            guard let most = experiments.max(by: { $0.trainedImages < $1.trainedImages }) else { continue }
            let measured = try measureRates(of: most, in: plan, replicas: replicas)
            rates.models[model] = StudyRates.ModelRate(
                imagesPerSecond: measured.imagesPerSecond, evaluationSeconds: measured.evaluationSeconds,
                replicas: measured.replicas)
        }
        for (family, keys) in Dictionary(grouping: plan.artifactUses.keys, by: \.family) {
            rates.artifacts[family] = try measureRate(of: keys)
        }
        return rates
    }

    /// Measures how fast one experiment's model trains and is tested.
    private func measureRates(of heaviest: Experiment, in plan: StudyPlan, replicas: Int) throws -> StudyRates {
        let together = plan.experiments.filter { $0.launchGroup == heaviest.launchGroup }
        let networks = min(max(1, replicas), together.reduce(0) { $0 + $1.runs })
        let never = CancellationFlag()
        try prepare(for: heaviest.recipe, later: [])
        func train(steps: Int) throws -> TrainingOutcome {
            var recipe = heaviest.recipe.whole
            recipe.duration = .steps(steps)
            let size = min(heaviest.size, Self.measuredImages)
            let jobs = (0..<networks).map { run in
                TrainingJob(
                    experimentID: heaviest.id, run: run, indices: Array(0..<size), seed: heaviest.seed,
                    recipe: recipe)
            }
            guard let first = try self.train(jobs, cancellation: never).first, first.trainingSeconds > 0 else {
                throw StudyError.executor(reason: "a training took no time")
            }
            return first
        }
        // The first pays for what is only done once: programs are built, pages of memory appear.
        _ = try train(steps: 2)
        let batch = min(heaviest.recipe.batchSize, heaviest.size)
        let steps = max(1, Self.measuredImages / batch)
        let outcome = try train(steps: steps)
        let images = steps * batch
        return StudyRates(
            imagesPerSecond: Double(images) / outcome.trainingSeconds, replicas: networks, images: images,
            evaluationSeconds: outcome.evaluationSeconds)
    }

    /// Measures artifacts of one family: one of the least effort twice, and one of more.
    private func measureRate(of keys: [ArtifactKey]) throws -> StudyRates.ArtifactRate? {
        let ordered = keys.sorted { ($0.kind.effort, $0.kind.fileName) < ($1.kind.effort, $1.kind.fileName) }
        // Others would take long to measure; their time is read off the line.
        guard let few = ordered.first,
            let more = ordered.last(where: { $0.kind.effort <= type(of: $0.kind).measuredEffort }) ?? ordered.first
        else { return nil }
        func seconds(_ key: ArtifactKey) throws -> Double {
            let found = try input(of: key)
            let clock = ContinuousClock()
            let start = clock.now
            _ = try make(key, from: found, cancellation: CancellationFlag())
            return (clock.now - start) / .seconds(1)
        }
        let (one, two) = (few.kind.measurable(step: 1), more.kind.measurable(step: 2))
        let first = try seconds(one)
        let again = try seconds(one)
        let (least, most) = (one.kind.effort, two.kind.effort)
        let slope = most > least ? try (seconds(two) - again) / Double(most - least) : again / Double(max(1, least))
        return StudyRates.ArtifactRate(
            preparation: max(0, first - again), effort: least, seconds: again, secondsPerEffort: max(0, slope))
    }

    /// What an artifact is made of, made as far as a measurement needs it.
    private func input(of key: ArtifactKey) throws -> ScoreInput {
        let dataset = try dataset(key.kind.trainingSet)
        var found = ScoreInput(count: dataset.shape.count, classes: dataset.classes)
        for need in key.kind.needs.map({ $0.kind.measurable(step: 1) }) {
            let artifact = try make(need, from: found, cancellation: CancellationFlag())
            need.kind.provide(artifact, to: &found)
        }
        return found
    }

    private static var measuredImages: Int { 2048 }
}
