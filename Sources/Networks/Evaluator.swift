import Compute

/// How well one network does on a test set.
package struct Evaluation: Sendable {
    /// Right answers.
    package var correct: Int
    /// Images tested.
    package var count: Int
    /// [true class][predicted class] counts.
    package var confusion: [[Int]]
    /// Whether everything that the network computed is a finite number. Where it is not, weights are so large that the
    /// sums overflow, and the predicted classes mean nothing.
    package var isFinite = true
    /// Percent of the images of each class whose answers are right; nil for a class without images.
    package var recall: [Double?] {
        confusion.enumerated().map { label, row in
            let count = row.reduce(0, +)
            return count == 0 ? nil : 100 * Double(row[label]) / Double(count)
        }
    }
    /// Percent of right answers.
    package var accuracy: Double { count == 0 ? 0 : 100 * Double(correct) / Double(count) }
}

/// Tests several networks side by side on all images of a store.
package struct Evaluator {
    let backend: any Backend
    let store: SampleStore
    private let normalisation: Normalisation
    /// Images a batch of one of `replicas` networks: as many in all as a training has in flight, which fills the device
    /// and stays in a processor's cache.
    private func batchSize(replicas: Int) -> Int { 64 * max(1, backend.suggestedReplicas / max(replicas, 1)) }

    /// An evaluator over `store`, whose images are normalised as those of the training were.
    package init(_ store: SampleStore, normalisation: Normalisation, on backend: any Backend) {
        self.store = store
        self.normalisation = normalisation
        self.backend = backend
    }

    /// One evaluation for each of `weights`, which share a layout, and the wall time of all of them once their kernels
    /// are compiled.
    /// - Throws: ``NetworkError/invalid(reason:)`` where the weights or the normalisation are for other images,
    ///   ``NetworkError/unusableWeights(reason:)`` where a value of them is not finite or a variance negative, or the
    ///   device's error.
    package func evaluate(_ weights: [ModelWeights]) throws(NetworkError) -> (results: [Evaluation], seconds: Double) {
        let clock = ContinuousClock()
        var start = clock.now
        if let fault = weights.lazy.compactMap(\.fault).first { throw .unusableWeights(reason: fault) }
        let (predictions, areFinite) = try predictions(weights) { start = clock.now }
        let results = zip(predictions, areFinite).map { predicted, isFinite in
            let classes = max(store.classes, weights.first?.layout.classes ?? 0)
            var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
            for (label, prediction) in zip(store.hostLabels, predicted) { confusion[Int(label)][Int(prediction)] += 1 }
            return Evaluation(
                correct: confusion.indices.reduce(0) { $0 + confusion[$1][$1] }, count: store.count,
                confusion: confusion, isFinite: isFinite)
        }
        return (results, (clock.now - start) / .seconds(1))
    }

    /// The predicted class of every image, for each of `weights`, and whether each computed finite numbers alone; `begin`
    /// is called once their kernels are compiled, and `afterBatch` after each batch is queued.
    func predictions(
        _ weights: [ModelWeights], begin: () -> Void = {},
        afterBatch: (any Network) throws(ComputeError) -> Void = { _ in }
    ) throws(NetworkError) -> (classes: [[Int32]], areFinite: [Bool]) {
        guard let first = weights.first?.layout else { return ([], []) }
        guard weights.allSatisfy({ $0.layout == first }) else {
            throw .invalid(reason: "the weights are of networks that differ in their layers")
        }
        if let reason = first.model.noClassifier { throw .invalid(reason: reason) }
        let layout = try ParameterLayout(first.model, samples: store.shape, classes: first.classes)
        let weights = weights.map { $0.laidOut(as: layout) }
        guard weights.allSatisfy({ $0.layout == layout }) else {
            throw .invalid(
                reason: layout.isFused
                    ? "the weights take images of \(first.input.channels) planes, the images have "
                        + "\(store.shape.channels)"
                    : "the weights take samples of \(first.inputText), the samples have "
                        + (first.input == .vector(first.input.width) ? "\(store.shape.featureCount)" : "\(store.shape)")
            )
        }
        try normalisation.validate(for: store)
        return try onDevice { () throws(ComputeError) in
            let size = min(batchSize(replicas: weights.count), store.count)
            let batches = stride(from: 0, to: store.count, by: size).map { $0..<min($0 + size, store.count) }
            let schedule = try StepSchedule(capacity: batches.count, replicas: weights.count, on: backend)
            try schedule.load(batches, firstStep: 0, learningRate: 1, on: backend)
            // All replicas look at the same images: one order, with a stride of zero.
            let order = try backend.makeBuffer((0..<store.count).map(Int32.init), label: "order of samples")
            let predicted = try backend.makeBuffer(
                of: Int32.self, count: weights.count * store.count, label: "predictions")
            let network = try ModelParameters(weights, on: backend).makeNetwork(
                batchSize: size, schedule: schedule, on: backend)
            let images = try SampleSource(
                store, order: order, orderStride: 0, normalisation: normalisation, on: backend)
            try backend.preparing { () throws(ComputeError) in
                try network.predict(images, into: predicted, stride: store.count)
                try afterBatch(network)
            }
            begin()
            // Reading activations back costs time, and ordinary weights cannot overflow.
            let input = store.largestInput(normalisation)
            let isSafe = weights.allSatisfy { $0.cannotOverflow(forInputsUpTo: input) }
            var areFinite = [Bool](repeating: true, count: weights.count)
            for batch in batches {
                try network.predict(images, into: predicted, stride: store.count)
                try afterBatch(network)
                if isSafe { continue }
                let here = try network.areActivationsFinite(valid: batch.count, on: backend)
                for replica in areFinite.indices where !here[replica] { areFinite[replica] = false }
            }
            let flat = try backend.read(predicted)
            if let stray = flat.first(where: { !(0..<Int32(layout.classes)).contains($0) }) {
                throw ComputeError.nonsense(
                    device: backend.device.name, what: "class \(stray) of \(layout.classes) for an image")
            }
            let classes = (0..<weights.count).map { Array(flat[$0 * store.count..<($0 + 1) * store.count]) }
            return (classes, areFinite)
        }
    }
}
