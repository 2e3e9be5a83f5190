import Compute

/// One layer of batch norm, ReLU and max-pool, for the cases of its five kernels. Each case runs the kernels before its
/// own on the reference path alone, so that a fault is found where it is.
struct BatchNormCase: KernelCase {
    /// Which of the kernels.
    enum Operation: String {
        case statistics = "batch_norm_statistics"
        case forward = "batch_norm_relu_pool_forward"
        case inference = "batch_norm_relu_pool_inference"
        case backwardSums = "batch_norm_relu_pool_backward_sums"
        case backward = "batch_norm_relu_pool_backward"
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let extent: (channels: Int, height: Int, width: Int)
    let seed: UInt64
    /// Adds a mean that is large against the spread: sums of squares that are not centred fail then.
    var offset: Float = 0
    /// Puts a NaN into sample 0 of the last replica.
    var poisonsASample = false
    /// Inputs of few different values, and gamma and beta of 0 in channel 0: pools tie, among themselves and with
    /// ReLU's 0. The first place wins, and 0 wins over a place.
    var ties = false

    var kernel: String { operation.rawValue }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(extent.channels) channels of \(extent.height)x\(extent.width), "
            + "seed \(seed)" + (offset == 0 ? "" : ", mean \(offset)") + (poisonsASample ? ", a NaN" : "")
            + (ties ? ", ties" : "")
    }

    static func all(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for (index, extent) in [(1, 2, 2), (3, 4, 6), (2, 5, 7), (7, 3, 2)].enumerated() {
            for batch in AwkwardBatch.few {
                cases.append(
                    BatchNormCase(operation: operation, batch: batch, extent: extent, seed: seed + UInt64(index)))
            }
        }
        for batch in AwkwardBatch.all {
            cases.append(BatchNormCase(operation: operation, batch: batch, extent: (3, 4, 6), seed: seed + 9))
        }
        if operation == .statistics || operation == .forward {
            cases.append(
                BatchNormCase(operation: operation, batch: (2, 17), extent: (3, 4, 6), seed: seed, offset: 50))
        }
        if operation == .forward {
            cases.append(BatchNormCase(operation: operation, batch: (2, 17), extent: (3, 6, 6), seed: seed, ties: true))
        }
        if operation != .backwardSums, operation != .backward {
            cases.append(
                BatchNormCase(
                    operation: operation, batch: (2, 17), extent: (3, 4, 6), seed: seed, poisonsASample: true))
        }
        return cases
    }

    /// After LeNet-5's two convolutions.
    static func launched(_ operation: Operation, seed: UInt64, replicas: Int) -> [any KernelCase] {
        [(6, 28, 28), (16, 10, 10)].map {
            BatchNormCase(operation: operation, batch: (replicas, 64), extent: $0, seed: seed)
        }
    }

    /// Everything the layer has on one backend, with outputs poisoned.
    private struct Layer {
        let batch: CaseBatch
        let input: DeviceBuffer<Float>
        let pooledGradient: DeviceBuffer<Float>
        let partials: GuardedBuffer<Float>
        let saved: GuardedBuffer<Float>
        let running: GuardedBuffer<Float>
        let winners: GuardedBuffer<UInt8>
        let pooled: GuardedBuffer<Float>
        let inputGradient: GuardedBuffer<Float>
        let gradients: CaseGradients
        let layer: BatchNormReluPool
    }

    private struct Values {
        var input, pooledGradient, gamma, beta, running: [Float]
    }
    var form: String { "\(extent)" }
    var cost: Int { 4 * batch.replicas * batch.samples * extent.channels * extent.height * extent.width }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let positions = extent.height * extent.width
        let plane = extent.channels * positions
        let pooledValues = extent.channels * (extent.height / 2) * (extent.width / 2)
        let samples = batch.replicas * batch.samples
        var inputs = CaseInputs(seed: seed)
        let channelCount = batch.replicas * extent.channels
        var values = Values(
            input: inputs.floats(samples * plane).map { $0 + offset },
            pooledGradient: inputs.floats(samples * pooledValues),
            // Negative scales too: the pool's winner is then the smallest input.
            gamma: inputs.floats(channelCount, in: -1.5...1.5), beta: inputs.floats(channelCount),
            running: inputs.floats(2 * channelCount, in: 0.01...1))
        if ties {
            values.input = values.input.map { ($0 * 2).rounded() / 2 }
            for replica in 0..<batch.replicas {
                values.gamma[replica * extent.channels] = 0
                values.beta[replica * extent.channels] = 0
            }
        }
        if poisonsASample { values.input[(samples - batch.samples) * plane] = .nan }

        let actual = try makeLayer(values, on: backend)
        let expected = try makeLayer(values, on: reference)
        let source = actual.layer.shape.batch == expected.layer.shape.batch ? expected.batch : expected.batch
        try prepare(expected, on: reference)
        try copyPrepared(from: expected, source, to: actual, pooledValues: pooledValues)
        try execute(actual, on: backend)
        try execute(expected, on: reference)
        try compareResults(&judge, actual, expected, values: values, plane: plane, pooledValues: pooledValues)
        return judge.result
    }

    private func makeLayer(_ values: Values, on backend: any Backend) throws -> Layer {
        let sized = CaseBatch(backend, batch)
        let channels = extent.channels
        let plane = channels * extent.height * extent.width
        let pooledValues = channels * (extent.height / 2) * (extent.width / 2)
        // Gamma and beta stand in one buffer, whose places the gradients share.
        let both = (0..<batch.replicas).flatMap { replica -> [Float] in
            let range = replica * channels..<(replica + 1) * channels
            return Array(values.gamma[range]) + Array(values.beta[range])
        }
        var parameters = [Float](repeating: .nan, count: 0)
        let stride = CaseGradients.offset + paddedColumns(2 * channels) + 16
        for replica in 0..<batch.replicas {
            var row = [Float](repeating: .nan, count: stride)
            row.replaceSubrange(
                CaseGradients.offset..<CaseGradients.offset + 2 * channels,
                with: both[replica * 2 * channels..<(replica + 1) * 2 * channels])
            parameters += row
        }
        let buffer = try backend.makeBuffer(parameters, label: "gamma and beta")
        let partials = try GuardedBuffer<Float>(
            on: backend, count: batch.replicas * sized.shape.tiles * channels * 2, label: "partials")
        let saved = try GuardedBuffer<Float>(on: backend, count: batch.replicas * channels * 2, label: "saved")
        let running = try GuardedBuffer<Float>(on: backend, values.running, label: "running")
        let winners = try GuardedBuffer<UInt8>(
            on: backend, count: sized.layout(pooledValues).count, label: "winners")
        let gradients = try CaseGradients(sized, count: 2 * channels)
        return Layer(
            batch: sized, input: try sized.activation(values.input, values: plane, label: "input"),
            pooledGradient: try sized.activation(
                values.pooledGradient, values: pooledValues, label: "output gradient"),
            partials: partials, saved: saved, running: running, winners: winners,
            pooled: try sized.output(pooledValues, label: "output"),
            inputGradient: try sized.output(plane, label: "input gradient"), gradients: gradients,
            layer: BatchNormReluPool(
                shape: PlaneShape(
                    batch: sized.shape, channels: channels, height: extent.height, width: extent.width),
                gamma: ReplicaTensor(buffer, offset: CaseGradients.offset, stride: stride),
                beta: ReplicaTensor(buffer, offset: CaseGradients.offset + channels, stride: stride),
                running: running.buffer, partials: partials.buffer, saved: saved.buffer, winners: winners.buffer,
                current: try sized.current()))
    }

    /// Runs the kernels before the case's own on the reference.
    private func prepare(_ layer: Layer, on reference: CPUBackend) throws {
        switch operation {
        case .statistics, .inference: break
        case .forward: try reference.batchNormStatistics(layer.layer, input: layer.input)
        case .backwardSums, .backward:
            try reference.batchNormStatistics(layer.layer, input: layer.input)
            try reference.batchNormReluPoolForward(layer.layer, input: layer.input, output: layer.pooled.buffer)
            if operation == .backward {
                try reference.batchNormReluPoolBackwardSums(
                    layer.layer, input: layer.input, outputGradient: layer.pooledGradient)
            }
        }
    }

    /// Gives the tested backend the same intermediate values, in its own layout. Its tiles may be other ones: what the
    /// tiles' partial results are is recomputed from samples in double.
    private func copyPrepared(from expected: Layer, _ source: CaseBatch, to actual: Layer, pooledValues: Int) throws {
        guard operation != .statistics, operation != .inference else { return }
        let backend = actual.batch.backend
        let channels = extent.channels
        if operation == .forward || operation == .backward {
            let from = try expected.partials.contents().values
            let (tiles, ownTiles) = (expected.batch.shape.tiles, actual.batch.shape.tiles)
            if operation == .forward {
                guard tiles == ownTiles, backend.tile == source.backend.tile else {
                    try backend.batchNormStatistics(actual.layer, input: actual.input)
                    return
                }
                try backend.write(from, to: actual.partials.buffer)
                return
            }
            let width = channels * 2
            var sums = [Float](repeating: 0, count: batch.replicas * ownTiles * width)
            // Half to the first tile, a quarter each to the second and the last, so that every tile counts.
            let shares: [(tile: Int, part: Float)] = [(0, 0.5), (min(1, ownTiles - 1), 0.25), (ownTiles - 1, 0.25)]
            for replica in 0..<batch.replicas {
                for index in 0..<width {
                    let total = (0..<tiles).reduce(Float(0)) { $0 + from[(replica * tiles + $1) * width + index] }
                    for share in shares {
                        sums[(replica * ownTiles + share.tile) * width + index] += total * share.part
                    }
                }
            }
            try backend.write(sums, to: actual.partials.buffer)
        }
        try backend.write(try expected.saved.contents().values, to: actual.saved.buffer)
        let winners = expected.batch.layout(pooledValues).unpack(try expected.winners.contents().values)
        try backend.write(actual.batch.layout(pooledValues).pack(winners, masked: 4), to: actual.winners.buffer)
    }

    private func execute(_ layer: Layer, on backend: any Backend) throws {
        switch operation {
        case .statistics: try backend.batchNormStatistics(layer.layer, input: layer.input)
        case .forward:
            try backend.batchNormReluPoolForward(layer.layer, input: layer.input, output: layer.pooled.buffer)
        case .inference:
            try backend.batchNormReluPoolInference(layer.layer, input: layer.input, output: layer.pooled.buffer)
        case .backwardSums:
            try backend.batchNormReluPoolBackwardSums(
                layer.layer, input: layer.input, outputGradient: layer.pooledGradient)
        case .backward:
            try backend.batchNormReluPoolBackward(
                layer.layer, input: layer.input, outputGradient: layer.pooledGradient,
                inputGradient: layer.inputGradient.buffer, gradients: layer.gradients.slices)
        }
    }

    private func compareResults(
        _ judge: inout CaseJudge, _ actual: Layer, _ expected: Layer, values: Values, plane: Int, pooledValues: Int
    ) throws {
        let count = batch.samples * extent.height * extent.width
        // Means and variances of `count` values near 1, then a division: the roundings of the sums, relative to the
        // spread, which a mean far from 0 makes that much smaller.
        let statistics = Tolerance(
            absolute: 8 * Double(Float.ulpOfOne) * (1 + Double(offset)), relative: 32 * Double(Float.ulpOfOne))
        switch operation {
        case .statistics:
            judge.checkGuards("partials", try actual.partials.contents())
            let (mine, theirs) = (try joined(actual, &judge), try joined(expected, &judge))
            judge.check("means", mine.map(\.mean), equals: theirs.map(\.mean), within: statistics)
            judge.check(
                "sums of squares", mine.map(\.squares), equals: theirs.map(\.squares),
                within: .sum(of: count, magnitude: 1 + Double(offset) * 0.1))
        case .forward:
            judge.check(
                "saved", try actual.saved.contents(), equals: try expected.saved.contents().values, within: statistics)
            judge.check(
                "running", try actual.running.contents(), equals: try expected.running.contents().values,
                within: statistics)
            try checkPooled(&judge, actual, expected, pooledValues: pooledValues)
            try checkWinners(&judge, actual, expected, values: values, pooledValues: pooledValues)
        case .inference:
            try checkPooled(&judge, actual, expected, pooledValues: pooledValues)
            judge.check(
                "running", try actual.running.contents(), equals: values.running, within: .exact)
        case .backwardSums:
            judge.checkGuards("partials", try actual.partials.contents())
            let (mine, theirs) = (try sums(actual), try sums(expected))
            judge.check(
                "sums", mine, equals: theirs,
                within: .sum(of: batch.samples * (extent.height / 2) * (extent.width / 2), magnitude: 3))
        case .backward:
            // The inverse deviation multiplies everything; it is below 100 unless all values are equal.
            judge.check(
                "input gradient", try actual.inputGradient.contents(), of: actual.batch,
                equals: try expected.inputGradient.contents(), of: expected.batch, values: plane,
                within: Tolerance(absolute: 1e-6, ofLargest: 8 * Double(Float.ulpOfOne)), maskedZero: true)
            judge.check(
                "gradients of gamma and beta", try actual.gradients.sum(&judge, allSlices: false),
                equals: try expected.gradients.sum(&judge, allSlices: false),
                within: Tolerance(absolute: 1e-6, relative: 1e-6))
        }
    }

    private func checkPooled(_ judge: inout CaseJudge, _ actual: Layer, _ expected: Layer, pooledValues: Int) throws {
        judge.check(
            "output", try actual.pooled.contents(), of: actual.batch, equals: try expected.pooled.contents(),
            of: expected.batch, values: pooledValues,
            within: Tolerance(
                absolute: 64 * Double(Float.ulpOfOne) * (1 + Double(offset)), relative: 64 * Double(Float.ulpOfOne)))
    }

    /// Winners are the same, or their normalised values are so near that either may win.
    private func checkWinners(
        _ judge: inout CaseJudge, _ actual: Layer, _ expected: Layer, values: Values, pooledValues: Int
    ) throws {
        let contents = try actual.winners.contents()
        judge.checkGuards("winners", contents)
        guard !poisonsASample else { return }
        let mine = actual.batch.layout(pooledValues).unpack(contents.values)
        let theirs = expected.batch.layout(pooledValues).unpack(try expected.winners.contents().values)
        let saved = try expected.saved.contents().values
        let pooled = (height: extent.height / 2, width: extent.width / 2)
        for index in mine.indices where mine[index] != theirs[index] {
            let value = index % pooledValues
            let sample = index / pooledValues
            let (channel, position) = (value / (pooled.height * pooled.width), value % (pooled.height * pooled.width))
            let entry = sample / batch.samples * extent.channels + channel
            func input(_ winner: UInt8) -> Float {
                let row = 2 * (position / pooled.width) + Int(winner) / 2
                let column = 2 * (position % pooled.width) + Int(winner) % 2
                return values.input[
                    ((sample * extent.channels + channel) * extent.height + row) * extent.width + column]
            }
            func normalised(_ winner: UInt8) -> Double {
                guard winner < 4 else { return 0 }
                let deviation = Double(input(winner)) - Double(saved[2 * entry])
                return deviation * Double(saved[2 * entry + 1]) * Double(values.gamma[entry])
                    + Double(values.beta[entry])
            }
            // What is the same before the arithmetic is the same after it: no rounding excuses the wrong one.
            let tied =
                values.gamma[entry] == 0
                || (max(mine[index], theirs[index]) < 4 && input(mine[index]) == input(theirs[index]))
            guard !tied, mine[index] <= 4, abs(normalised(mine[index]) - normalised(theirs[index])) < 1e-4 else {
                judge.complain("winners[\(index)] is \(mine[index]), expected \(theirs[index])")
                return
            }
        }
    }

    /// Means and sums of squares of the tiles, joined in double: [replica][channel].
    private func joined(_ layer: Layer, _ judge: inout CaseJudge) throws -> [(mean: Float, squares: Float)] {
        let partials = try layer.partials.contents().values
        let tiles = layer.batch.shape.tiles
        let tile = layer.batch.backend.tile
        return (0..<batch.replicas * extent.channels).map { entry in
            let (replica, channel) = (entry / extent.channels, entry % extent.channels)
            var (count, mean, squares) = (0.0, 0.0, 0.0)
            for index in 0..<tiles {
                let valid = min(tile, batch.samples - index * tile)
                let partial = 2 * ((replica * tiles + index) * extent.channels + channel)
                guard valid > 0 else {
                    if partials[partial] != 0 || partials[partial + 1] != 0 {
                        judge.complain("partials[\(partial)...] of a tile without samples are not 0")
                    }
                    continue
                }
                let added = Double(valid * extent.height * extent.width)
                let gap = Double(partials[partial]) - mean
                squares += Double(partials[partial + 1]) + gap * gap * count * added / (count + added)
                mean += gap * added / (count + added)
                count += added
            }
            return (Float(mean), Float(squares))
        }
    }

    /// The backward sums of all tiles: [replica][channel][2].
    private func sums(_ layer: Layer) throws -> [Float] {
        let partials = try layer.partials.contents().values
        let (tiles, width) = (layer.batch.shape.tiles, extent.channels * 2)
        var total = [Double](repeating: 0, count: batch.replicas * width)
        for (index, value) in partials.enumerated() {
            total[index / (tiles * width) * width + index % width] += Double(value)
        }
        return total.map { Float($0) }
    }
}
