import Compute

/// One operation on one shape to be timed, and how much work that is: what `coppice bench` runs.
public struct Benchmark: Sendable {
    /// The kernel that does most of the work: that of its file in Kernels without ".cl".
    public let kernel: String
    /// The shape.
    public let name: String
    /// Floating-point operations of a run; a multiply-add counts as two. Only what the result needs is counted, not
    /// what an implementation adds to it.
    public let operations: Double
    /// Bytes of a run when every input is read and every output written once.
    public let bytes: Double
    /// Makes the buffers and returns what is timed; it may be called any number of times.
    public let prepare: @Sendable (any Backend) throws(ComputeError) -> () throws(ComputeError) -> Void

    init(
        _ kernel: String, _ name: String, operations: Double, bytes: Double,
        prepare: @escaping @Sendable (any Backend) throws(ComputeError) -> () throws(ComputeError) -> Void
    ) {
        self.kernel = kernel
        self.name = name
        self.operations = operations
        self.bytes = bytes
        self.prepare = prepare
    }

    /// The device's limit in arithmetic: chains of multiply-adds that no memory holds up.
    public static let peakArithmetic: Benchmark = {
        let (count, steps) = (1 << 22, 1024)
        return Benchmark(
            "fma_peak", "\(count) values, \(steps) steps",
            operations: Double(count * steps * MeasuringShape.operations), bytes: Double(8 * count)
        ) { backend throws(ComputeError) in
            let values = try backend.makeBuffer(of: Float.self, count: count, label: "chains")
            try backend.fill(values, with: 0.5)
            return { () throws(ComputeError) in try backend.multiplyAddChain(values, count: count, steps: steps) }
        }
    }()

    /// The limit of its memory: a copy larger than caches are.
    public static let peakBandwidth: Benchmark = {
        let count = 1 << 25
        return Benchmark("copy", "\(count) values", operations: 0, bytes: Double(8 * count)) {
            backend throws(ComputeError) in
            let source = try backend.makeBuffer(of: Float.self, count: count, label: "source of a copy")
            let target = try backend.makeBuffer(of: Float.self, count: count, label: "target of a copy")
            try backend.fill(source, with: 1)
            return { () throws(ComputeError) in try backend.copy(source, to: target, count: count) }
        }
    }()

    /// Every kernel of training and clustering at the sizes of the article's experiment.
    public static let all = TrainingBenchmarks.all + ClusteringBenchmarks.all
}

extension BufferBackend {
    /// A buffer of random numbers in -1...1, the same everywhere.
    func randomFloats(_ count: Int, label: String) throws(ComputeError) -> DeviceBuffer<Float> {
        var inputs = CaseInputs(seed: 1)
        // Repeated, since drawing millions of numbers takes longer than all kernels together.
        let some = inputs.floats(min(count, 4099))
        return try makeBuffer((0..<count).map { some[$0 % some.count] }, label: label)
    }
}
