/// How much work a launch of a kernel is.
package struct KernelWork: Equatable, Sendable {
    /// The kernel.
    package var kernel: String
    /// The shape.
    package var name: String
    /// Floating-point operations; a multiply-add counts as two.
    package var operations: Double
    /// Bytes when every input is read and every output written once.
    package var bytes: Double

    /// So much work under these names.
    package init(_ kernel: String, _ name: String, operations: Double, bytes: Double) {
        self.kernel = kernel
        self.name = name
        self.operations = operations
        self.bytes = bytes
    }

    /// Samples a batch of ``trainingStep(networks:)`` and ``evaluationStep(networks:)``.
    package static let batch = TrainingBenchmarks.batch

    /// The launches of a training step of LeNet-5: so many networks, a full batch for each.
    package static func trainingStep(networks: Int) -> [KernelWork] {
        work(networks) { !isEvaluation($0) && $0.kernel != "fill" }
    }

    /// The launches that test as many images as a batch has, on each of so many networks.
    package static func evaluationStep(networks: Int) -> [KernelWork] { work(networks, isEvaluation) }

    private static func isEvaluation(_ benchmark: Benchmark) -> Bool {
        benchmark.name.hasSuffix("inference") || benchmark.name == "predictions"
    }

    /// A network has its own samples and weights, so that all work grows with their number.
    private static func work(_ networks: Int, _ isTaken: (Benchmark) -> Bool) -> [KernelWork] {
        TrainingBenchmarks(replicas: networks).all.filter(isTaken).map(\.work)
    }
}

extension Benchmark {
    /// How much work a run is.
    package var work: KernelWork { KernelWork(kernel, name, operations: operations, bytes: bytes) }
}

/// The roofline model (Williams, Waterman & Patterson, "Roofline: an insightful visual performance model for multicore
/// architectures", 2009): work takes as long as its arithmetic or its memory traffic, whichever is more.
package struct Roofline: Equatable, Sendable {
    /// What keeps a kernel from taking less time.
    package enum Bound: String, Sendable {
        case arithmetic, memory
    }

    /// Peak of float32 arithmetic in 10^9 operations a second.
    package var gflops: Double
    /// Bandwidth of memory in 10^9 bytes a second.
    package var gbs: Double

    /// A device with these limits.
    package init(gflops: Double, gbs: Double) {
        self.gflops = gflops
        self.gbs = gbs
    }

    /// The least seconds that `work` can take.
    package func seconds(_ work: KernelWork) -> Double {
        max(work.operations / gflops, work.bytes / gbs) / 1e9
    }

    /// Which limit that is.
    package func bound(_ work: KernelWork) -> Bound {
        work.operations / gflops >= work.bytes / gbs ? .arithmetic : .memory
    }

    /// The least seconds that a list of launches can take one after the other.
    package func seconds(_ launches: [KernelWork]) -> Double { launches.reduce(0) { $0 + seconds($1) } }
}
