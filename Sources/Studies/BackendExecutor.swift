import Clustering
import Compute
import Datasets
import Foundation
import Networks
import Pruning
import Scoring
import Support

/// Makes a study's artifacts and trains its networks on a backend.
///
/// Artifacts are made of the images as they are; networks see them in the size that the model takes. Data sets and the
/// last projection stay in memory between calls, and on the device the samples that later runs are trained on.
package final class BackendExecutor: StudyExecutor {
    /// The backend; nil until the executor is prepared.
    package private(set) var backend: (any Backend)?

    private let makeBackend: () throws -> any Backend
    private let clusteringMemory: Int?
    private let load: (String) throws -> Dataset
    let progress: (Int) -> Void
    private let sets: LoadedSets
    private var stored: [StoreKey: Stored] = [:]
    private var points: (key: PointsKey, points: PointSource)?

    private typealias Loaded = LoadedSets.Loaded

    /// Which samples are in the device's memory.
    var storedKeys: Set<StoreKey> { Set(stored.keys) }

    /// What is in the device's memory.
    private struct Stored {
        let normalisation: Normalisation
        let train: SampleStore
        let test: SampleStore
        /// What is set aside; nil where nothing is.
        let validation: SampleStore?
    }

    /// Models that take samples of one size share them.
    struct StoreKey: Hashable {
        var set: TrainingSet
        /// The side that images are resized to; nil for those that stay as they are.
        var side: Int?
    }

    private struct PointsKey: Hashable {
        var set: TrainingSet
        var components: Int?
        /// The name of the embedded samples.
        var embedded: String?
    }

    /// An executor on a backend that is made once there is something to compute.
    /// - Parameters:
    ///   - clusteringMemory: bytes that the process may take while it clusters; nil for as many as it takes.
    ///   - sets: the training sets that are in memory already, and those that are loaded later.
    ///   - load: reads the data set of a name.
    ///   - progress: hears how many images the training under way has been through, all replicas together.
    package init(
        onDemand makeBackend: @escaping () throws -> any Backend, clusteringMemory: Int? = nil,
        sets: LoadedSets = LoadedSets(), load: @escaping (String) throws -> Dataset,
        progress: @escaping (Int) -> Void = { _ in }
    ) {
        self.makeBackend = makeBackend
        self.clusteringMemory = clusteringMemory
        self.sets = sets
        self.load = load
        self.progress = progress
    }

    /// An executor on `backend`; the parameters are the same.
    package convenience init(
        on backend: any Backend, clusteringMemory: Int? = nil, sets: LoadedSets = LoadedSets(),
        load: @escaping (String) throws -> Dataset,
        progress: @escaping (Int) -> Void = { _ in }
    ) {
        self.init(
            onDemand: { backend }, clusteringMemory: clusteringMemory, sets: sets, load: load, progress: progress)
    }

    package var device: String {
        guard let device = backend?.device else { return "" }
        return device.platform.isEmpty ? device.name : "\(device.name) (\(device.platform), driver \(device.driver))"
    }

    package var suggestedReplicas: Int { backend?.suggestedReplicas ?? 1 }

    package func dataset(_ set: TrainingSet) throws -> StudyDataset { try loaded(set).description }

    package func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) throws {
        do {
            // Samples that no run needs any more are freed first, since the device may not have room for both.
            let needed = Set(later.union([recipe]).map(Self.key))
            stored = stored.filter { needed.contains($0.key) }
            _ = try stored(recipe)
        } catch {
            throw Self.unwrapped(error)
        }
    }

    package func make(
        _ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag
    ) throws -> Artifact {
        try cancellation.check()
        return try Self.unwrapping { try key.kind.make(self, from: found, cancellation: cancellation) }
    }

    package func check(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws {
        try Self.unwrapping { try key.kind.check(self, from: found, cancellation: cancellation) }
    }

    /// Runs `body`; an error of the device comes as it is.
    private static func unwrapping<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as ClusteringError {
            if case .compute(let cause) = error { throw cause }
            throw error
        } catch {
            throw unwrapped(error)
        }
    }

    package func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome] {
        guard let first = jobs.first else { return [] }
        let recipe = first.recipe
        let model = recipe.model
        let data = try stored(recipe)
        let backend = try preparedBackend()
        guard let held = first.evaluatedOn == .test ? data.test : data.validation else {
            throw StudyError.executor(reason: "there is no validation split of \(recipe.dataset)")
        }
        let length: TrainingOptions.Length =
            switch recipe.duration {
            case .epochs(let epochs): .epochs(epochs)
            case .steps(let steps): .steps(steps)
            }
        let options = recipe.options(length)
        do {
            let trainer = Trainer(data.train, model: model, normalisation: data.normalisation, on: backend)
            let result = try trainer.train(
                jobs.map {
                    TrainingRun(subset: $0.indices, resampling: $0.resampling, seed: $0.seed, run: $0.run)
                }, options: options
            ) { status in
                progress(status.images)
                return !cancellation.isCancelled
            }
            // What diverged is no network that could be tested.
            let whole = jobs.indices.filter { result.divergedSteps[$0] == nil }
            let evaluation = try Evaluator(held, normalisation: data.normalisation, on: backend)
                .evaluate(whole.map { result.weights[$0] })
            let tested = Dictionary(uniqueKeysWithValues: zip(whole, evaluation.results))
            let replicas = Double(jobs.count)
            return jobs.indices.map { index in
                let steps = result.work[index].steps
                let overflows = tested[index].map { !$0.isFinite } ?? false
                let moved = Double(result.movedWeights[index]) / Double(result.weights[index].weightCount)
                return TrainingOutcome(
                    correct: tested[index]?.correct ?? 0, count: held.count, recall: tested[index]?.recall ?? [],
                    trainingSeconds: result.seconds / replicas, evaluationSeconds: evaluation.seconds / replicas,
                    replicas: jobs.count,
                    diverged: (result.divergedSteps[index] ?? (overflows ? steps : nil)).map(Divergence.init(step:)),
                    isUnmoved: steps > 0 && moved < ModelWeights.leastMoved, seen: result.seen[index],
                    work: recipe.dynamic == nil ? nil : result.work[index])
            }
        } catch {
            let cause = Self.unwrapped(error)
            // The next attempt may need their room.
            if (cause as? ComputeError)?.isOutOfMemory == true { points = nil }
            throw cause
        }
    }

    /// The error as the study's runner knows it: the device's own, or a cancellation.
    private static func unwrapped(_ error: any Error) -> any Error {
        switch error {
        case NetworkError.compute(let cause): cause
        case NetworkError.cancelled: CancellationError()
        default: error
        }
    }

    package func preparedBackend() throws -> any Backend {
        if let backend { return backend }
        let fresh = try makeBackend()
        backend = fresh
        return fresh
    }

    private func loaded(_ set: TrainingSet) throws -> Loaded {
        if let known = sets[set] { return known }
        let fresh = try set.validation.map { try part($0, of: set) } ?? whole(set)
        sets[set] = fresh
        return fresh
    }

    private func whole(_ set: TrainingSet) throws -> Loaded {
        let dataset = try load(set.dataset)
        let train = dataset.train
        let description = StudyDataset(
            shape: DatasetShape(
                count: train.count, featureCount: train.shape.featureCount, classCount: dataset.classCount,
                sample: train.shape),
            // Labels may run higher in the test images: the network has a logit for every class of the data set.
            classes: ClassLabels(labels: train.labels, count: dataset.classCount),
            fingerprint: Self.fingerprint(of: dataset),
            image: dataset.isOfImages
                ? ImageShape(channels: train.shape.channels, height: train.shape.height, width: train.shape.width)
                : nil,
            notices: [dataset.untrainedClassesNote()].compactMap { $0 })
        return Loaded(dataset: dataset, validation: nil, description: description)
    }

    /// What a validation split leaves of a data set, and what it sets aside.
    private func part(_ split: ValidationSplit, of set: TrainingSet) throws -> Loaded {
        let whole = try loaded(TrainingSet(set.dataset))
        let (rest, validation, _) = split.split(whole.description.classes)
        let all = whole.dataset.train
        let part = try Dataset(
            name: whole.dataset.name, train: all.subset(rest), test: whole.dataset.test,
            isOfImages: whole.dataset.isOfImages)
        var description = whole.description
        description.shape = description.shape.without(split)
        description.classes = ClassLabels(labels: part.train.labels, count: whole.dataset.classCount)
        description.origins = rest
        description.notices += [split.note(set.dataset, whole.description.classes)].compactMap { $0 }
        return Loaded(dataset: part, validation: try all.subset(validation), description: description)
    }

    private static func key(_ recipe: TrainingRecipe) -> StoreKey {
        StoreKey(set: recipe.trainingSet, side: recipe.model.side)
    }

    /// The samples of a recipe, in the size that its model takes.
    private func stored(_ recipe: TrainingRecipe) throws -> Stored {
        let key = Self.key(recipe)
        if let known = stored[key] { return known }
        do {
            return try store(recipe, as: key)
        } catch let error as NetworkError {
            // Points can be made again.
            guard case .compute(let cause) = error, cause.isOutOfMemory, points != nil else { throw error }
            points = nil
            return try store(recipe, as: key)
        }
    }

    /// The data set of an embedding, with its training and test samples on the device.
    func embeddingSamples(
        _ recipe: TrainingRecipe
    ) throws -> (dataset: Dataset, train: SampleStore, test: SampleStore) {
        // Points can be made again, and both may not fit.
        points = nil
        let data = try stored(recipe)
        return (try loaded(recipe.trainingSet).dataset, data.train, data.test)
    }

    private func store(_ recipe: TrainingRecipe, as key: StoreKey) throws -> Stored {
        let loaded = try loaded(recipe.trainingSet)
        let dataset = loaded.dataset
        let model = recipe.model
        let backend = try preparedBackend()
        let fresh = Stored(
            normalisation: Normalisation(dataset),
            train: try SampleStore.make(dataset.train, for: model, classes: dataset.classCount, on: backend),
            test: try SampleStore.make(dataset.test, for: model, classes: dataset.classCount, on: backend),
            validation: try loaded.validation.map {
                try SampleStore.make($0, for: model, classes: dataset.classCount, on: backend)
            })
        // What is kept must be on the device, and a fault on the way there not be taken for one of later work.
        try backend.finish()
        stored[key] = fresh
        return fresh
    }

    /// The SHA-256 of all images and labels, each after its type and shape: what tells one data set's results from
    /// another's. Without the shape, 200 images of 28x28 and of 14x56 with the same bytes would be one set; without the
    /// medians that were subtracted, features and the same less a constant.
    package static func fingerprint(of dataset: Dataset) -> String {
        var hash = SHA256()
        for (name, images) in [("train", dataset.train), ("test", dataset.test)] {
            let shape = [images.count, images.shape.channels, images.shape.height, images.shape.width]
            hash.update("\(name) images \(images.values.typeName) \(shape)\n")
            images.values.withUnsafeBytes { hash.update($0) }
            if let medians = images.medians { hash.update("\(name) medians \(medians)\n") }
            hash.update("\(name) labels uint8 [\(images.labels.count)]\n")
            images.labels.withUnsafeBytes { hash.update($0) }
        }
        return hash.digest
    }

    /// The SHA-256 of the values alone, as some directories of format 2 have it.
    private static func formerFingerprint(of dataset: Dataset) -> String {
        var hash = SHA256()
        for images in [dataset.train, dataset.test] {
            images.values.withUnsafeBytes { hash.update($0) }
            images.labels.withUnsafeBytes { hash.update($0) }
        }
        return hash.digest
    }

    /// Whether a study in whose `environment.json` these facts stand was run on `dataset`.
    package static func isSource(_ dataset: Dataset, of facts: StudyEnvironment.Dataset) -> Bool {
        facts.fingerprint == fingerprint(of: dataset)
            || facts.fingerprint == formerFingerprint(of: dataset) && facts.height == dataset.train.shape.height
                && facts.width == dataset.train.shape.width && facts.count == dataset.train.count
    }
}

extension BackendExecutor: ArtifactResources {
    package func origins(of set: TrainingSet) throws -> (indices: [Int], count: Int)? {
        guard let origins = try loaded(set).description.origins else { return nil }
        return (origins, try loaded(TrainingSet(set.dataset)).description.shape.count)
    }

    package func points(
        _ set: TrainingSet, components: Int?, embedded: EmbeddedRows?, for kmeans: KMeans
    ) throws -> PointSource {
        let key = PointsKey(set: set, components: components, embedded: embedded?.name)
        if let kept = points, kept.key == key { return kept.points }
        // The old ones go first: both may not fit.
        points = nil
        let matrix = try embedded?.matrix ?? FeatureMatrix(loaded(set).dataset.train)
        let backend = try preparedBackend()
        let fresh = try kmeans.source(of: matrix, components: components, memory: clusteringMemory, on: backend)
        try backend.finish()
        // How much memory is left for points depends on k.
        if clusteringMemory == nil { points = (key, fresh) }
        return fresh
    }

    package func residentPoints(
        _ set: TrainingSet, components: Int?, embedded: EmbeddedRows?
    ) throws -> (points: Points, shift: [Double]?) {
        let source = try points(
            set, components: components, embedded: embedded, for: KMeans(k: 1, kind: .lloyd(iterations: 0)))
        guard let resident = source.resident else {
            throw ScoringError.noRoom(count: source.count)
        }
        return (resident, source.shift)
    }

    package func dynamics(
        _ recipe: TrainingRecipe, networks: Int, seed: UInt64, index: Int, cancellation: CancellationFlag
    ) throws -> TrainingDynamics {
        let data = try stored(recipe)
        guard case .epochs(let epochs) = recipe.duration else {
            throw StudyError.executor(reason: "networks of scores train for epochs")
        }
        var parameters = ScoreParameters()
        (parameters.networks, parameters.epochs) = (networks, epochs)
        return try TrainingDynamics.record(
            of: data.train, model: recipe.model, normalisation: data.normalisation,
            options: recipe.options(),
            parameters: parameters, seed: seed, set: index, validation: data.validation, on: preparedBackend(),
            cancellation: cancellation,
            progress: { progress($0.samples) })
    }
}
