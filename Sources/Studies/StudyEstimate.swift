import Support

/// How fast an executor was found to be.
package struct StudyRates: Equatable, Sendable {
    /// Trained images a second, all networks that train together counted.
    package var imagesPerSecond: Double
    /// Networks that trained together when this was measured.
    package var replicas: Int
    /// Images that each of them saw.
    package var images: Int
    /// Seconds that testing one network takes.
    package var evaluationSeconds: Double
    /// What the clusterings of each kind cost.
    var clusterings: [ClusteringKind: ClusteringRate] = [:]

    /// Clusterings whose points are the same.
    struct ClusteringKind: Hashable, Sendable {
        var dataset: String
        var pcaComponents: Int?
        var kmeans: String

        init(_ key: ClusteringKey) {
            dataset = key.dataset
            pcaComponents = key.pcaComponents
            kmeans = key.kmeans
        }
    }

    /// Seconds of a clustering, taken to grow with k along a line.
    struct ClusteringRate: Equatable, Sendable {
        /// Getting the points ready: loading, PCA.
        var points: Double
        var k: Int
        var seconds: Double
        var secondsPerCluster: Double

        func seconds(k: Int) -> Double { max(0, seconds + Double(k - self.k) * secondsPerCluster) }
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
    /// Seconds of clustering.
    package var clustering: Double
    /// All seconds.
    package var total: Double { training + evaluation + clustering }
}

extension StudyPlan {
    /// How long runs of the plan should take at these rates.
    package func estimate(_ rates: StudyRates, of chosen: Set<PlannedRun>) -> StudyEstimate {
        // In the plan's order, in which a sum of times is always the same.
        let left = runs.filter(chosen.contains)
        var images = 0.0
        var keys: [ClusteringKey] = []
        var kinds: [StudyRates.ClusteringKind] = []
        var known: Set<ClusteringKey> = []
        for run in left {
            let experiment = experiment(run.experimentID)
            images += Double(experiment.trainedImages(kept: experiment.size))
            guard let key = experiment.clustering(run: run.run), known.insert(key).inserted else { continue }
            keys.append(key)
            if !kinds.contains(.init(key)) { kinds.append(.init(key)) }
        }
        let clustering =
            keys.reduce(0) { $0 + (rates.clusterings[.init($1)]?.seconds(k: $1.k) ?? 0) }
            + kinds.reduce(0) { $0 + (rates.clusterings[$1]?.points ?? 0) }
        return StudyEstimate(
            rates: rates, training: images / rates.imagesPerSecond,
            evaluation: Double(left.count) * rates.evaluationSeconds, clustering: clustering)
    }
}

extension StudyExecutor {
    /// Measures the rates that a plan depends on: a short training of as many networks as would train together, their
    /// test, and for each kind of clustering three on all samples, two with few clusters and one with more. About a
    /// second with MNIST.
    /// - Throws: the executor's errors.
    package func measureRates(for plan: StudyPlan, replicas: Int) throws -> StudyRates {
        let heaviest = plan.experiments.max {
            $0.trainedImages(kept: $0.size) * $0.settings.runs < $1.trainedImages(kept: $1.size) * $1.settings.runs
        }
        guard let heaviest else { throw StudyError.executor(reason: "a plan without experiments") }
        let settings = heaviest.settings
        let together = plan.experiments.filter {
            $0.size == heaviest.size && $0.settings.trainsAlike(settings)
        }
        let networks = min(max(1, replicas), together.reduce(0) { $0 + $1.settings.runs })
        let never = CancellationFlag()
        try prepare()
        func train(steps: Int) throws -> TrainingOutcome {
            let size = min(heaviest.size, Self.measuredImages)
            let jobs = (0..<networks).map { run in
                TrainingJob(
                    experimentID: heaviest.id, run: run, dataset: settings.dataset, indices: Array(0..<size),
                    seed: settings.seed, duration: .steps(steps), batchSize: settings.batchSize,
                    learningRate: settings.learningRate)
            }
            guard let first = try self.train(jobs, cancellation: never).first, first.trainingSeconds > 0 else {
                throw StudyError.executor(reason: "a training took no time")
            }
            return first
        }
        // The first pays for what is only done once: programs are built, pages of memory appear.
        _ = try train(steps: 2)
        let batch = min(settings.batchSize, heaviest.size)
        let steps = max(1, Self.measuredImages / batch)
        let outcome = try train(steps: steps)
        let images = steps * batch
        var rates = StudyRates(
            imagesPerSecond: Double(images) / outcome.trainingSeconds, replicas: networks, images: images,
            evaluationSeconds: outcome.evaluationSeconds)

        let kinds = Dictionary(grouping: plan.clusteringUses.keys, by: StudyRates.ClusteringKind.init)
        for (kind, keys) in kinds {
            let ordered = keys.sorted { ($0.k, $0.index) < ($1.k, $1.index) }
            // More clusters than this would take long to measure; their time is read off the line.
            guard let few = ordered.first,
                let more = ordered.last(where: { $0.k <= Self.measuredClusters }) ?? ordered.first
            else { continue }
            func seconds(_ key: ClusteringKey) throws -> Double {
                let clock = ContinuousClock()
                let start = clock.now
                _ = try fit(key, cancellation: never)
                return (clock.now - start) / .seconds(1)
            }
            let first = try seconds(few)
            let again = try seconds(few)
            let slope = more.k > few.k ? try (seconds(more) - again) / Double(more.k - few.k) : again / Double(few.k)
            rates.clusterings[kind] = .init(
                points: max(0, first - again), k: few.k, seconds: again, secondsPerCluster: max(0, slope))
        }
        return rates
    }

    private static var measuredImages: Int { 2048 }
    private static var measuredClusters: Int { 500 }
}

extension StudySettings {
    /// Whether networks of the same number of samples may train together under both.
    func trainsAlike(_ other: StudySettings) -> Bool {
        dataset == other.dataset && duration == other.duration && batchSize == other.batchSize
            && learningRate == other.learningRate
    }
}
