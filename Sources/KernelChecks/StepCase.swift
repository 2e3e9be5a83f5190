import Compute

/// One operation of a step on one network. What comes before it runs on the reference path alone and is copied to the
/// tested backend in its own layout, so that a fault is found where it is.
struct StepCase: KernelCase {
    /// Which of the operations, in their order.
    enum Operation: String, Comparable {
        case gathered = "gathered images"
        case normalised = "normalised block"
        case classifier = "loss and gradients"
        case predictions = "predictions"
        case blockBackward = "second block"
        case weightGradients = "both blocks"

        var kernel: String {
            switch self {
            case .gathered, .normalised: "conv2d_block_forward"
            case .classifier, .predictions: "classifier_step"
            case .blockBackward: "conv2d_block_backward"
            case .weightGradients: "conv2d_weight_gradients"
            }
        }

        private var order: Int {
            switch self {
            case .gathered: 0
            case .normalised: 1
            case .classifier, .predictions: 2
            case .blockBackward: 3
            case .weightGradients: 4
            }
        }
        static func < (left: Operation, right: Operation) -> Bool { left.order < right.order }
    }
    /// What is special about the values.
    enum Kind: String {
        case plain
        /// Pixels and weights of few values, and a gamma of 0: pools tie, and classes. The first one wins.
        case ties
        /// A NaN in sample 0 of the last replica.
        case poisoned = "a NaN"
        /// A mean that is large against the spread: sums of squares that are not centred fail then.
        case offset = "a large mean"
        /// Logits whose exponentials overflow unless the largest is taken off first.
        case large = "large logits"
        /// Images that are moved and mirrored.
        case augmented = "augmented images"
        /// Each sample's loss has a weight.
        case weighted = "weights"
    }
    let operation: Operation
    let pass: Pass
    let batch: (replicas: Int, samples: Int)
    let shape: StepShape
    let seed: UInt64
    var kind = Kind.plain

    var kernel: String { operation.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(operation.rawValue), \(pass), \(shape.name), seed \(seed)"
            + (kind == .plain ? "" : ", \(kind.rawValue)")
    }
    var variety: String {
        "\(operation.rawValue), \(pass)" + (kind == .augmented ? ", augmented" : kind == .weighted ? ", weighted" : "")
    }
    var form: String { "\(variety), \(shape.name)" }
    var cost: Int {
        let one = BatchShape(replicas: 1, samples: 1, tile: 1)
        let (first, second) = (shape.first(one), shape.second(one))
        let convolutions = [first, second].map { $0.weightCount * $0.outHeight * $0.outWidth }
        let linear = zip(shape.layers.dropLast(), shape.layers.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        let each =
            switch operation {
            case .gathered: convolutions[0]
            case .normalised: convolutions[1]
            case .classifier, .predictions: 3 * linear
            case .blockBackward: convolutions[1] + linear
            case .weightGradients: convolutions[0] + convolutions[1]
            }
        // Masked samples take as long as the others; the tiles of a GPU are the largest.
        let tiles = (AwkwardBatch.room(for: batch.samples) + 31) / 32
        return batch.replicas * tiles * 32 * each
    }

    static func all(_ operations: [(Operation, Pass)], seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for (operation, pass) in operations {
            for (index, shape) in StepShape.awkward.enumerated() {
                // Of the convolutions inference only leaves out what is written: three shapes have an even extent, odd
                // ones and many planes, and each shape is compiled for training.
                if pass == .inference, operation.kernel == Conv2dBlockForward.kernel, ![0, 1, 3].contains(index) {
                    continue
                }
                var batches = index == 1 ? AwkwardBatch.all + AwkwardBatch.few.dropFirst() : AwkwardBatch.few
                if index == 1, operation == .gathered, pass == .training { batches += AwkwardBatch.everyLane }
                for batch in batches {
                    cases.append(
                        StepCase(
                            operation: operation, pass: pass, batch: batch, shape: shape, seed: seed + UInt64(index)))
                }
            }
            for kind in kinds(operation) {
                for batch in kind == .weighted ? [(2, 17), (3, 33)] : [(2, 17)] {
                    cases.append(
                        StepCase(
                            operation: operation, pass: pass, batch: batch, shape: StepShape.awkward[1], seed: seed,
                            kind: kind))
                }
            }
        }
        return cases
    }

    private static func kinds(_ operation: Operation) -> [Kind] {
        switch operation {
        case .gathered: [.ties, .offset, .augmented]
        case .normalised: [.ties, .poisoned]
        case .classifier: [.ties, .poisoned, .large, .weighted]
        case .predictions: [.ties, .poisoned, .large]
        case .blockBackward, .weightGradients: []
        }
    }

    /// Two networks of each wide form of LeNet-5 on batches of 64.
    static func wide(_ operations: [(Operation, Pass)], seed: UInt64) -> [any KernelCase] {
        operations.flatMap { operation, pass in
            [2, 4].map { width in
                StepCase(
                    operation: operation, pass: pass, batch: (2, 64), shape: .leNet5(channels: 1, width: width),
                    seed: seed)
            }
        }
    }

    static func launched(_ operations: [(Operation, Pass)], seed: UInt64, replicas: Int) -> [any KernelCase] {
        operations.flatMap { operation, pass in
            [1, 3].map { channels in
                StepCase(
                    operation: operation, pass: pass, batch: (channels == 3 ? 2 : replicas, 64),
                    shape: .leNet5(channels: channels), seed: seed)
            }
        }
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let values = startValues()
        let expected = try StepNetwork(shape, values, size: batch, on: reference)
        let actual = try StepNetwork(
            shape, values, size: batch, weightedBy: kind == .weighted ? CaseInputs(seed: seed, index: 1) : nil,
            on: backend)
        try prepare(expected, reference)
        if kind == .poisoned {
            let name = operation == .normalised ? "pooled1" : "pooled2"
            var spoilt = try expected.values(name)
            let count = spoilt.count / (batch.replicas * batch.samples)
            spoilt[(batch.replicas - 1) * batch.samples * count + count / 2] = .nan
            try write(spoilt, to: name, of: expected, masked: 0)
        }
        try copyInputs(from: expected, to: actual)
        var before: [String: [Float]] = [:]
        for name in inputs.activations + inputs.gradients + inputs.rows { before[name] = try expected.values(name) }
        let predictions = try execute(operation, on: actual, backend)
        _ = try execute(operation, on: expected, reference)
        if let predictions {
            judge.check("predictions", predictions, equals: duePredictions(try actual.values("logits")))
        }
        try StepComparison(self, actual, expected, values, before: before).judge(&judge)
        return judge.result
    }

    /// The class of each sample's largest logit, the lowest on ties, where it belongs among those of other batches.
    private func duePredictions(_ logits: [Float]) -> [Int32] {
        var due = [Int32](repeating: Self.untouched, count: batch.replicas * predictionStride)
        for row in 0..<batch.replicas * batch.samples {
            var best = 0
            for index in 0..<shape.classes
            where logits[row * shape.classes + index] > logits[row * shape.classes + best] { best = index }
            let (replica, sample) = (row / batch.samples, row % batch.samples)
            due[replica * predictionStride + StepValues.firstSample + sample] = Int32(best)
        }
        return due
    }

    private var predictionStride: Int { StepValues.firstSample + batch.samples + 9 }
    /// What stands in the place of other batches' predictions.
    private static let untouched: Int32 = -9

    func startValues() -> StepValues {
        var inputs = CaseInputs(seed: seed)
        let layout = StepNetwork.Layout(shape)
        var parameters = [Float](repeating: 0, count: batch.replicas * layout.count)
        let stride = StepValues.firstSample + batch.samples + 3
        for replica in 0..<batch.replicas {
            for (name, (offset, count)) in layout.tensors.sorted(by: { $0.key < $1.key }) {
                // Negative gammas too: the pool's winner is then the smallest input.
                var drawn = inputs.floats(count, in: name.hasPrefix("gamma") ? -1.5...1.5 : -1...1)
                if let columns = layout.columns[name] {
                    // Padding columns are 0, as they are in a model.
                    let padded = paddedColumns(columns)
                    let scale = (kind == .large ? 30 : 2) / Float(count / padded).squareRoot()
                    for index in 0..<count { drawn[index] = index % padded < columns ? drawn[index] * scale : 0 }
                }
                if kind == .ties {
                    if name.hasPrefix("weights") { drawn = drawn.map { ($0 * 2).rounded() / 2 } }
                    if name.hasPrefix("gamma") { drawn[0] = 0 }
                    if name == layout.lastLinear {
                        // Every other class has its neighbour's logit.
                        let padded = paddedColumns(shape.classes)
                        for index in 0..<count where index % padded % 2 == 1 && index % padded < shape.classes {
                            drawn[index] = drawn[index - 1]
                        }
                    }
                }
                if kind == .offset, name == "bias1" { drawn = drawn.map { $0 + 50 } }
                parameters.replaceSubrange(
                    replica * layout.count + offset..<replica * layout.count + offset + count, with: drawn)
            }
        }
        var values = StepValues(
            parameters: parameters,
            images: inputs.bytes(
                StepValues.imageCount * shape.planes.0 * shape.height * shape.width, in: kind == .ties ? 0..<2 : 0..<256
            ),
            labels: inputs.bytes(StepValues.imageCount, in: 0..<shape.classes),
            order: inputs.integers(batch.replicas * stride, in: 0..<StepValues.imageCount),
            running1: inputs.floats(2 * batch.replicas * shape.planes.1, in: 0.01...1),
            running2: inputs.floats(2 * batch.replicas * shape.planes.2, in: 0.01...1))
        if kind == .augmented { values.changes = ImageChanges(count: values.order.count, &inputs) }
        return values
    }

    /// Runs the operations before the case's own.
    private func prepare(_ network: StepNetwork, _ reference: CPUBackend) throws {
        let before: [Operation] = [.gathered, .normalised, .classifier, .blockBackward].filter { $0 < operation }
        for operation in before { _ = try execute(operation, on: network, reference) }
    }

    /// Queues an operation; predictions are returned.
    func execute(_ operation: Operation, on network: StepNetwork, _ backend: any Backend) throws
        -> GuardedContents<Int32>?
    {
        switch operation {
        case .gathered: try backend.run(network.gathered(pass))
        case .normalised: try backend.run(network.normalised(pass))
        case .classifier: try backend.run(network.classifierStep)
        case .predictions:
            // Predictions of other batches must stay.
            let predictions = try GuardedBuffer<Int32>(
                on: backend, [Int32](repeating: Self.untouched, count: batch.replicas * predictionStride),
                label: "predictions")
            try backend.run(network.predictions(into: predictions.buffer, stride: predictionStride))
            return try predictions.contents()
        case .blockBackward: try backend.run(network.blockBackward)
        case .weightGradients: try backend.run(network.weightGradients)
        }
        return nil
    }

    /// What an operation reads; activations past the batch hold a number that must not count, gradients there hold 0.
    /// Gradients that it reads as rows are copied as such.
    private var inputs: (activations: [String], gradients: [String], rows: [String]) {
        switch operation {
        case .gathered: ([], [], [])
        case .normalised: (["pooled1"], [], [])
        case .classifier, .predictions: (["pooled2"], [], [])
        case .blockBackward:
            (
                ["convolved2", "input2", "pooled1"] + shape.layerNames("layer"), ["gradient2"],
                shape.layerNames("delta")
            )
        case .weightGradients: (["input1", "convolved1", "input2"], ["gradient1", "convolved2"], [])
        }
    }

    private func write(_ values: [Float], to name: String, of network: StepNetwork, masked: Float) throws {
        guard let (count, buffer) = network.activations[name] else { return }
        try network.batch.backend.write(network.batch.layout(count).pack(values, masked: masked), to: buffer.buffer)
    }

    private func copyInputs(from expected: StepNetwork, to actual: StepNetwork) throws {
        guard operation != .gathered else { return }
        let backend = actual.batch.backend
        let current = actual.batch.currentRows(first: StepValues.firstSample, step: StepValues.step)
        try backend.write(current, to: actual.current.buffer)
        for name in inputs.activations { try write(try expected.values(name), to: name, of: actual, masked: 3) }
        for name in inputs.gradients { try write(try expected.values(name), to: name, of: actual, masked: 0) }
        for (name, won) in actual.winners where operation > .predictions {
            guard let theirs = expected.winners[name] else { continue }
            let values = expected.batch.layout(won.values).unpack(try theirs.buffer.contents().values)
            try backend.write(actual.batch.layout(won.values).pack(values, masked: 0), to: won.buffer.buffer)
        }
        for (name, row) in actual.rows where operation == .blockBackward {
            guard let theirs = expected.rows[name] else { continue }
            let plain = expected.batch.untransposed(try theirs.buffer.contents().values, stride: row.stride).valid
            // Rows of whole vectors: nothing is padded any further.
            let moved = try actual.batch.transposed(plain, values: row.stride)
            try backend.write(try backend.read(moved), to: row.buffer.buffer)
        }
        for name in ["saved1", "saved2"] where operation > .predictions {
            guard let mine = actual.perReplica[name], let theirs = expected.perReplica[name] else { continue }
            try backend.write(try theirs.contents().values, to: mine.buffer)
        }
        if operation == .classifier {
            let labels = expected.batch.layout(1).unpack(try expected.labels.contents().values)
            try backend.write(actual.batch.layout(1).pack(labels, masked: -1), to: actual.labels.buffer)
        }
        if pass == .training, operation == .normalised || operation == .classifier {
            try copyStatistics(operation == .normalised ? 1 : 2, from: expected, to: actual)
        }
        if operation > .predictions {
            try copySums(operation == .blockBackward ? "sums2" : "sums1", from: expected, to: actual)
        }
    }

    /// The tested backend may have other tiles: their statistics are computed here, in double, from the plane.
    private func copyStatistics(_ index: Int, from expected: StepNetwork, to actual: StepNetwork) throws {
        guard let (count, buffer) = actual.tiled["partials\(index)"] else { return }
        let plane = try expected.values("convolved\(index)")
        let (tile, tiles, channels) = (actual.batch.backend.tile, actual.batch.shape.tiles, count / 2)
        let positions = plane.count / (batch.replicas * batch.samples * channels)
        var partials = [Float](repeating: 0, count: batch.replicas * tiles * count)
        for entry in 0..<batch.replicas * tiles * channels {
            let (replica, first) = (entry / (tiles * channels), entry / channels % tiles * tile)
            let members = (first..<max(first, min(first + tile, batch.samples))).flatMap {
                sample -> ArraySlice<Float> in
                let start = ((replica * batch.samples + sample) * channels + entry % channels) * positions
                return plane[start..<start + positions]
            }
            guard !members.isEmpty else { continue }
            let mean = members.reduce(0.0) { $0 + Double($1) } / Double(members.count)
            partials[2 * entry] = Float(mean)
            partials[2 * entry + 1] = Float(members.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) })
        }
        try actual.batch.backend.write(partials, to: buffer.buffer)
    }

    /// Half of each sum to the first tile, a quarter each to the second and the last, so that every tile counts.
    private func copySums(_ name: String, from expected: StepNetwork, to actual: StepNetwork) throws {
        guard let (count, buffer) = actual.tiled[name] else { return }
        let total = try expected.total(name)
        let tiles = actual.batch.shape.tiles
        var sums = [Float](repeating: 0, count: batch.replicas * tiles * count)
        for (index, value) in total.enumerated() {
            for (tile, part) in [(0, 0.5), (min(1, tiles - 1), 0.25), (tiles - 1, 0.25)] as [(Int, Float)] {
                sums[(index / count * tiles + tile) * count + index % count] += value * part
            }
        }
        try actual.batch.backend.write(sums, to: buffer.buffer)
    }
}
