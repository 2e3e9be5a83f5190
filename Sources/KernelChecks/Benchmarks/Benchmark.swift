import Compute

/// One operation on one shape, or a few that belong together, to be timed: what `coppice bench` runs.
package struct Benchmark: Sendable {
    /// A benchmark with its buffers on a backend.
    package struct Prepared {
        /// How much work a run is.
        package let cost: OperationCost
        /// What is timed; it may be called any number of times.
        package let run: () throws(ComputeError) -> Void

        init(_ cost: OperationCost, run: @escaping () throws(ComputeError) -> Void) {
            self.cost = cost
            self.run = run
        }

        /// Operations, one after the other.
        init(_ operations: any Operation..., on backend: any Backend) { self.init(operations, on: backend) }

        /// The same in a list.
        init(_ operations: [any Operation], on backend: any Backend) {
            self.init(operations.dropFirst().reduce(operations[0].cost) { $0 + $1.cost }) { () throws(ComputeError) in
                for operation in operations { try backend.run(operation) }
            }
        }
    }

    /// The kernel that does most of the work: that of its file in Kernels without ".cl".
    package let kernel: String
    /// The shape.
    package let name: String
    /// Networks side by side; nil for what has none.
    package let replicas: Int?
    /// Whether a training step has this launch, an evaluation, or neither.
    package let pass: Pass?
    /// Makes the buffers and returns what is timed.
    package let prepare: @Sendable (any Backend) throws(ComputeError) -> Prepared

    init(
        _ kernel: String, _ name: String, replicas: Int? = nil, pass: Pass? = nil,
        prepare: @escaping @Sendable (any Backend) throws(ComputeError) -> Prepared
    ) {
        self.kernel = kernel
        self.name = name
        self.replicas = replicas
        self.pass = pass
        self.prepare = prepare
    }

    /// The device's limit in arithmetic: chains of multiply-adds that no memory holds up.
    package static let peakArithmetic: Benchmark = {
        let (count, steps) = (1 << 22, 1024)
        return Benchmark(FmaPeak.kernel, "\(count) values, \(steps) steps") { backend throws(ComputeError) in
            let values = try backend.makeBuffer(of: Float.self, count: count, label: "chains")
            try backend.fill(values, with: 0.5)
            return Prepared(FmaPeak(values, count: count, steps: steps), on: backend)
        }
    }()

    /// The limit of its memory: a copy larger than caches are.
    package static let peakBandwidth: Benchmark = {
        let count = 1 << 25
        return Benchmark(Copy.kernel, "\(count) values") { backend throws(ComputeError) in
            let source = try backend.makeBuffer(of: Float.self, count: count, label: "source of a copy")
            let target = try backend.makeBuffer(of: Float.self, count: count, label: "target of a copy")
            try backend.fill(source, with: 1)
            return Prepared(Copy(source, to: target, count: count), on: backend)
        }
    }()

    /// The kernels that ``all(_:)`` times, each once.
    package static var kernels: [String] {
        var names: [String] = []
        for name in tuning(BenchmarkSize(replicas: 1, points: 1, images: 1)).map(\.kernel) where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    /// The benchmarks of ``tuning(_:)``, the kernels of other models at their sizes, and the losses of weighted
    /// samples.
    package static func all(_ size: BenchmarkSize) -> [Benchmark] {
        tuning(size) + TrainingBenchmarks.wide(replicas: size.replicas)
            + LayerBenchmarks(replicas: size.replicas).otherSizes + [
                TrainingBenchmarks(replicas: size.replicas).weighted,
                LayerBenchmarks(replicas: size.replicas).weighted,
            ]
    }

    /// Every kernel of training and clustering, with the article's batches, pixels, components and clusters. These
    /// benchmarks decide the block sizes.
    package static func tuning(_ size: BenchmarkSize) -> [Benchmark] {
        TrainingBenchmarks(replicas: size.replicas).all + LayerBenchmarks(replicas: size.replicas).all
            + LayerBenchmarks(replicas: size.replicas).betweenWeights + ClusteringBenchmarks(size).all
    }
}

/// How large benchmarks are: enough to fill a device.
package struct BenchmarkSize: Hashable, Sendable {
    /// Networks that train side by side.
    package var replicas: Int
    /// Points that are clustered.
    package var points: Int
    /// Images whose principal components are found.
    package var images: Int

    /// Exactly this size.
    package init(replicas: Int, points: Int, images: Int) {
        self.replicas = replicas
        self.points = points
        self.images = images
    }

    /// The size for `backend`, with as many networks as suit it unless `replicas` says how many. A GPU has more work-items
    /// than 16,384 points need.
    package init(for backend: any BufferBackend, replicas: Int? = nil) {
        self.replicas = replicas ?? backend.suggestedReplicas
        let isWide = (backend as? OpenCLBackend)?.profile.splitsWork ?? false
        points = isWide ? 262_144 : 16_384
        images = isWide ? 65_536 : 16_384
    }
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
