import Compute

/// How much work a launch of a kernel is.
package struct KernelWork: Equatable, Sendable {
    /// The kernel.
    package var kernel: String
    /// The shape.
    package var name: String
    /// Arithmetic and memory traffic.
    package var cost: OperationCost

    /// So much work under these names.
    package init(_ kernel: String, _ name: String, cost: OperationCost) {
        self.kernel = kernel
        self.name = name
        self.cost = cost
    }

    /// Samples per batch of ``trainingStep(networks:)`` and ``evaluationStep(networks:)``.
    package static let batch = TrainingBenchmarks.batch

    /// The launches of a training step of LeNet-5: so many networks, a full batch for each.
    /// - Throws: ``ComputeError/outOfMemory(label:byteCount:device:)``.
    package static func trainingStep(networks: Int) throws(ComputeError) -> [KernelWork] {
        try work(.training, networks)
    }

    /// The launches that test as many images as a batch has, on each of so many networks.
    /// - Throws: ``ComputeError/outOfMemory(label:byteCount:device:)``.
    package static func evaluationStep(networks: Int) throws(ComputeError) -> [KernelWork] {
        try work(.inference, networks)
    }

    /// A network has its own samples and weights, so that all work grows with their number.
    private static func work(_ pass: Pass, _ networks: Int) throws(ComputeError) -> [KernelWork] {
        let backend = CPUBackend()
        var list: [KernelWork] = []
        for benchmark in TrainingBenchmarks(replicas: 1).all where benchmark.pass == pass {
            list.append(
                KernelWork(benchmark.kernel, benchmark.name, cost: networks * (try benchmark.prepare(backend)).cost))
        }
        return list
    }
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

    /// The least seconds that so much work can take.
    package func seconds(_ cost: OperationCost) -> Double {
        max(cost.operations / gflops, cost.bytes / gbs) / 1e9
    }

    /// Which limit that is.
    package func bound(_ cost: OperationCost) -> Bound {
        cost.operations / gflops >= cost.bytes / gbs ? .arithmetic : .memory
    }

    /// The least seconds that a list of launches can take one after the other.
    package func seconds(_ launches: [OperationCost]) -> Double { launches.reduce(0) { $0 + seconds($1) } }
}
