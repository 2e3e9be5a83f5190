import Compute

/// What the cases of training kernels share. Values are kept as [replica][sample][value] and brought into the layout of
/// each backend; what comes back is compared sample by sample, so that backends with another TILE can be held against
/// each other.

/// Shapes of batches that are awkward for every TILE from 8 to 64: one sample, primes, a tile more or less by one.
enum AwkwardBatch {
    /// (replicas, samples).
    static let all = [(1, 1), (1, 7), (2, 15), (1, 16), (3, 17), (1, 31), (2, 33), (1, 65)]
    /// A few where a case has other extents to vary; the first is in ``all`` too.
    static let few = [(1, 1), (2, 7), (1, 17), (3, 33)]

    /// The other batches of less than a vector of 16 samples: for each lane one that ends before it.
    static let everyLane = (2..<15).filter { $0 != 7 }.map { (1, $0) }

    /// The samples that a batch's buffers have room for. Where 33 are valid there is room for 100: the last batch of
    /// an epoch is such a one, and its last tiles hold no valid sample at all.
    static func room(for samples: Int) -> Int { samples == 33 ? 100 : samples }
}

/// A backend's buffers for a batch.
struct CaseBatch {
    let backend: any Backend
    let replicas: Int
    let samples: Int
    var shape: BatchShape {
        BatchShape(replicas: replicas, samples: AwkwardBatch.room(for: samples), tile: backend.tile)
    }

    init(_ backend: any Backend, _ size: (replicas: Int, samples: Int)) {
        self.backend = backend
        replicas = size.replicas
        samples = size.samples
    }

    func layout(_ values: Int) -> TileLayout {
        TileLayout(
            replicas: replicas, samples: samples, room: AwkwardBatch.room(for: samples), values: values, on: backend)
    }

    /// An activation of [replica][sample][values]; masked lanes hold `masked`.
    func activation(_ plain: [Float], values: Int, masked: Float = 0, label: String) throws(ComputeError)
        -> DeviceBuffer<Float>
    {
        try backend.makeBuffer(layout(values).pack(plain, masked: masked), label: label)
    }

    /// A poisoned output of `values` values a sample.
    func output(_ values: Int, label: String) throws(ComputeError) -> GuardedBuffer<Float> {
        try GuardedBuffer(on: backend, count: layout(values).count, label: label)
    }

    /// The transposed layout [replica][tile][sample][stride], 0 in the padding and where masked.
    func transposedValues(_ plain: [Float], values: Int) -> [Float] {
        let stride = paddedColumns(values)
        let layout = layout(1)
        var packed = [Float](repeating: 0, count: layout.count * stride)
        for replica in 0..<replicas {
            for sample in 0..<samples {
                let row = (replica * layout.tiles * layout.tile + sample) * stride
                for value in 0..<values { packed[row + value] = plain[(replica * samples + sample) * values + value] }
            }
        }
        return packed
    }

    /// A buffer of ``transposedValues(_:values:)``.
    func transposed(_ plain: [Float], values: Int) throws(ComputeError) -> DeviceBuffer<Float> {
        try backend.makeBuffer(transposedValues(plain, values: values), label: "transposed gradient")
    }

    /// The way back: [replica][sample][stride], and the rows of masked samples.
    func untransposed(_ packed: [Float], stride: Int) -> (valid: [Float], masked: [Float]) {
        let layout = layout(1)
        var (valid, masked): ([Float], [Float]) = ([], [])
        for replica in 0..<replicas {
            for sample in 0..<layout.tiles * layout.tile {
                let row = (replica * layout.tiles * layout.tile + sample) * stride
                if sample < samples {
                    valid += packed[row..<row + stride]
                } else {
                    masked += packed[row..<row + stride]
                }
            }
        }
        return (valid, masked)
    }

    /// A step's record that says how many samples are valid: the same for all replicas.
    func current(first: Int = 0, step: Int = 0) throws(ComputeError) -> DeviceBuffer<Int32> {
        try backend.makeBuffer(currentRows(first: first, step: step), label: "current step")
    }

    /// ``StepSchedule/current`` in that step.
    func currentRows(first: Int, step: Int) -> [Int32] {
        (0..<replicas).flatMap { _ in [Int32(first), Int32(samples), Int32(step), Int32(step)] }
    }
}

extension CaseJudge {
    /// Compares two activations, each in its own backend's layout, in their valid samples; with `maskedZero`, the other
    /// samples must be 0.
    mutating func check(
        _ label: String, _ actual: GuardedContents<Float>, of batch: CaseBatch,
        equals expected: GuardedContents<Float>, of referenceBatch: CaseBatch, values: Int,
        within tolerance: Tolerance, maskedZero: Bool = false
    ) {
        checkGuards(label, actual)
        let layout = batch.layout(values)
        check(
            label, layout.unpack(actual.values), equals: referenceBatch.layout(values).unpack(expected.values),
            within: tolerance)
        if maskedZero, let stray = layout.maskedValues(actual.values).first(where: { $0 != 0 }) {
            complain("\(label) holds \(stray) in a masked sample, 0 is due")
        }
    }
}
