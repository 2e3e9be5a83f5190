import Compute

/// Samples of a batch as activations.
package enum GatherSamplesCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        // (features, channels): one value, odd ones, whole words, several channels.
        let shapes = [(1, 1), (7, 7), (15, 3), (12, 1), (50, 2), (24, 3)]
        return [true, false].flatMap { isBytes in
            shapes.enumerated().map { index, shape in
                GatherSamplesCase(
                    batch: AwkwardBatch.few[index % 4], features: shape.0, channels: shape.1, isBytes: isBytes,
                    seed: seed)
            }
                + (AwkwardBatch.all.dropFirst() + AwkwardBatch.everyLane).map {
                    GatherSamplesCase(batch: $0, features: 9, channels: 3, isBytes: isBytes, seed: seed)
                }
        } + poisoned(seed: seed) + augmented(seed: seed) + RaggedCase.cases(.gather, seed: seed)
    }

    /// Images that are moved, mirrored, both, and moved out of sight: a row, a column, planes of odd extents, several.
    private static func augmented(seed: UInt64) -> [any KernelCase] {
        [((1, 7), 7, 1, 7), ((2, 17), 5, 1, 1), ((3, 33), 90, 3, 5), ((1, 1), 15, 1, 5)].map {
            GatherSamplesCase(
                batch: $0.0, features: $0.1, channels: $0.2, isBytes: true, seed: seed, width: $0.3)
        }
    }

    /// NaNs among the samples, the first one of which masked lanes look at: they stay where they are.
    private static func poisoned(seed: UInt64) -> [any KernelCase] {
        [(9, 1), (9, 3)].map { features, channels in
            GatherSamplesCase(
                batch: (2, 17), features: features, channels: channels, isBytes: false, seed: seed, hasNaN: true)
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [
            GatherSamplesCase(
                batch: (min(replicas, 2), 64), features: 784, channels: 1, isBytes: true, seed: seed)
        ]
    }
}

private struct GatherSamplesCase: KernelCase {
    let batch: (replicas: Int, samples: Int)
    let features: Int
    let channels: Int
    let isBytes: Bool
    let seed: UInt64
    var hasNaN = false
    /// Pixels of a row of images that are changed; nil where samples are taken as they are.
    var width: Int?
    var kernel: String { GatherSamples.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(features) \(isBytes ? "bytes" : "floats") of \(channels) "
            + "channels, seed \(seed)" + (hasNaN ? ", a NaN" : "")
            + (width.map { ", augmented in rows of \($0)" } ?? "")
    }
    var form: String { (isBytes ? "bytes" : "floats") + (width == nil ? "" : ", augmented") }
    var variety: String { "\(kernel), \(form)" }
    var cost: Int { batch.replicas * AwkwardBatch.room(for: batch.samples) * features }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let (replicas, samples) = self.batch
        let (count, first, step) = (29, 3, 1)
        let bytes = random.bytes(count * features)
        var floats = random.floats(count * features)
        if hasNaN { for sample in [0, 5] { floats[sample * features + sample % features] = .nan } }
        let labels = random.bytes(count, in: 0..<10)
        // No two alike, and no sign that all have.
        let scaling = random.floats(2 * channels, in: -2...2)
        // One order for all networks, or one for each.
        let stride = replicas == 3 ? 0 : first + samples
        var order = random.integers((stride == 0 ? 1 : replicas) * (first + samples), in: 0..<count)
        if hasNaN { order.replaceSubrange(first..<first + 2, with: [0, 5]) }
        let change = ImageChanges(count: width == nil ? 0 : order.count, &random)
        let output = try batch.output(features, label: "activation")
        let room = batch.layout(1)
        let batchLabels = try GuardedBuffer<Int32>(on: backend, count: room.count, label: "batch labels")
        let current = try GuardedBuffer<Int32>(on: backend, count: 4 * replicas, label: "current step")
        let schedule = StepSchedule(
            batches: try backend.makeBuffer(
                [9, 9, 9, 9, Int32(first), Int32(samples), 0, 0, 9, 9, 9, 9], label: "batches"),
            rates: try backend.makeBuffer([Float](repeating: 9, count: 6), label: "rates"),
            cursor: try backend.makeBuffer([Int32(step)], label: "cursor"), current: current.buffer)
        try backend.run(
            GatherSamples(
                batch: batch.shape, features: features, channels: channels,
                samples: isBytes
                    ? .bytes(try backend.makeBuffer(bytes, label: "samples"))
                    : .floats(try backend.makeBuffer(floats, label: "samples")),
                labels: try backend.makeBuffer(labels, label: "labels"),
                scaling: try backend.makeBuffer(scaling, guarded: .nan, 8, label: "scales and shifts"),
                order: try backend.makeBuffer(order, label: "order"), orderStride: stride, schedule: schedule,
                augmentation: try width.map { try change.augmentation(width: $0, on: backend) }, output: output.buffer,
                batchLabels: batchLabels.buffer))
        let places = (0..<replicas * samples).map { $0 / samples * stride + first + $0 % samples }
        let chosen = places.map { Int(order[$0]) }
        let truth = places.flatMap { place in
            (0..<features).map { feature -> Bounded in
                let start = Int(order[place]) * features
                let plane = features / channels
                let channel = feature / plane
                var value = isBytes ? Float(bytes[start + feature]) : floats[start + feature]
                if let width {
                    let source = change.source(of: feature % plane, at: place, height: plane / width, width: width)
                    value = source.map { Float(bytes[start + channel * plane + $0]) } ?? 0
                }
                return Bounded(value) * Bounded(scaling[2 * channel]) + Bounded(scaling[2 * channel + 1])
            }
        }
        let actual = try output.contents()
        let layout = batch.layout(features)
        judge.checkGuards("activation", actual)
        judge.check("activation", layout.unpack(actual.values), equals: truth)
        if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
            judge.complain("a masked sample holds values")
        }
        judge.check(
            "batch labels", try batchLabels.contents(), equals: room.pack(chosen.map { Int32(labels[$0]) }, masked: -1))
        judge.check(
            "current step", try current.contents(), equals: batch.currentRows(first: first, step: step))
        return judge.result
    }
}
