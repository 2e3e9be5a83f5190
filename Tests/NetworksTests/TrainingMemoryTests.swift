import Compute
import Datasets
import Support
import Testing

@testable import Networks
import TestSupport

/// The CPU path with limits of its own, which adds up the buffers that it is asked for.
private final class MeteredBackend: Backend {
    private let cpu = CPUBackend()
    private(set) var bytes = 0
    var freeMemory: Int?
    var largestBuffer = Int.max

    var device: DeviceDescription { DeviceDescription(backend: "cpu", name: "a small device") }
    var tile: Int { cpu.tile }
    var suggestedReplicas: Int { cpu.suggestedReplicas }
    var isInHostMemory: Bool { cpu.isInHostMemory }
    var layout: DataLayout { cpu.layout }

    func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String) throws(ComputeError)
        -> DeviceBuffer<Element>
    {
        bytes += max(count, 1) * MemoryLayout<Element>.stride
        return try cpu.makeBuffer(of: type, count: count, label: label)
    }

    func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    { try cpu.hostBuffer(over: source, label: label) }

    func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int
    ) throws(ComputeError) { try cpu.write(source, to: buffer, at: offset) }

    func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>
    ) throws(ComputeError) { try cpu.read(buffer, at: offset, into: destination) }

    func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element) throws(ComputeError) {
        try cpu.fill(buffer, with: value)
    }

    func finish() throws(ComputeError) { try cpu.finish() }

    func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure) {
        try cpu.preparing(operations)
    }

    func run<Value: Operation>(_ operation: Value) throws(ComputeError) { try cpu.run(operation) }
}

@Suite struct TrainingMemoryTests {
    private static let layered = ModelSpec(
        name: "layered",
        layers: [
            .conv(out: 3, kernel: 3, padding: 1), .batchNorm, .tanh, .maxPool(2), .flatten, .linear(.count(9)),
            .batchNorm, .relu, .linear(.classes),
        ])
    private static let mlp = ModelSpec(
        name: "mlp", layers: [.flatten, .linear(.count(300)), .relu, .linear(.count(100)), .relu, .linear(.classes)])
    private static let optimizers = [Optimizer(), Optimizer(.sgd), Optimizer(.sgd, momentum: 0.5)]

    private func store(_ model: ModelSpec, on backend: any Backend) throws -> SampleStore {
        let side = model.side ?? 8
        return try SampleStore(
            pixels: (0..<40 * side * side).map { UInt8($0 * 7 % 251) }, labels: (0..<40).map { UInt8($0 % 3) },
            shape: SampleShape(channels: 1, height: side, width: side), classes: 3, on: backend)
    }

    /// Whatever a training takes is measured, to the last byte.
    @Test(arguments: [ModelLibrary.leNet5, layered, mlp], [DynamicPruning(anneal: 0), nil] as [DynamicPruning?])
    func whatIsMeasuredIsWhatATrainingTakes(model: ModelSpec, dynamic: DynamicPruning?) throws {
        for (index, optimizer) in Self.optimizers.enumerated() {
            let backend = MeteredBackend()
            let store = try store(model, on: backend)
            let options = TrainingOptions(
                length: .epochs(2), batchSize: 17, optimizer: optimizer, augment: index == 1 ? Augment(shift: 1) : nil,
                dynamic: dynamic)
            let trainer = Trainer(
                store, model: model, normalisation: Normalisation(mean: 0, std: 1), on: backend)
            let layout = try ParameterLayout(model, samples: store.shape, classes: 3)
            for replicas in [1, 3] {
                let before = backend.bytes
                _ = try trainer.train(
                    (0..<replicas).map { TrainingRun(subset: Array(0..<37), seed: 1, run: $0) }, options: options)
                let memory = try TrainingMemory(
                    layout, replicas: replicas, samples: 37, options: options, on: backend)
                #expect(memory.buffers == backend.bytes - before, "\(model.name), \(optimizer), R \(replicas)")
                #expect(memory.copies == 8 * replicas * layout.parameterCount)
            }
        }
    }

    private static func layout() throws -> ParameterLayout {
        try ParameterLayout(
            Self.mlp, samples: SampleShape(channels: 1, height: 28, width: 28), classes: 10)
    }

    private static func memory(_ replicas: Int, batch: Int = 64) throws -> TrainingMemory {
        try TrainingMemory(
            layout(), replicas: replicas, samples: 1000, options: TrainingOptions(batchSize: batch), on: CPUBackend())
    }

    /// The reason why `networks` of `mlp` do not fit into `limits`; nil if they do.
    private func refusal(_ networks: Int, _ limits: MemoryLimits) throws -> String? {
        do throws(NetworkError) {
            try Self.mlp.checkMemory(
                samples: SampleShape(channels: 1, height: 28, width: 28), classes: 10, count: 1000,
                networks: networks, options: TrainingOptions(), on: CPUBackend(), limits: limits)
            return nil
        } catch {
            #expect(error.category == .unavailable)
            guard case .compute(let cause) = error, case .doesNotFit = cause, cause.isOutOfMemory else {
                Issue.record("\(error)")
                return nil
            }
            #expect(!error.description.contains("\n"))
            return error.description
        }
    }

    @Test func asManyNetworksAreNamedAsFit() throws {
        let five = try Self.memory(5).buffers
        func limits(_ free: Int) -> MemoryLimits { MemoryLimits(device: "a small device", free: free) }
        #expect(try refusal(5, limits(five)) == nil)
        let reason = try #require(try refusal(5, limits(five - 1)))
        #expect(reason.hasPrefix("training 5 networks of mlp (266610 parameters each) on batches of 64 takes "))
        #expect(
            reason.hasSuffix("a small device has \((five - 1) >> 20) MiB left; at most 4 networks at once are accepted")
        )
        let one = try #require(try refusal(5, limits(Self.memory(1).buffers)))
        #expect(one.hasSuffix("at most 1 network at once is accepted"), "\(one)")
    }

    @Test func smallerBatchesAndModelsAreNamedWhereOneNetworkIsTooMuch() throws {
        func limits(_ free: Int) -> MemoryLimits { MemoryLimits(device: "a small device", free: free) }
        let half = try Self.memory(1, batch: 32).buffers
        #expect(try Self.memory(1).buffers > half)
        let reason = try #require(try refusal(1, limits(half)))
        let tile = CPUBackend().tile
        // Tiles are whole.
        #expect(
            reason.hasSuffix("; batches of at most \((32 + tile - 1) / tile * tile) samples are accepted"), "\(reason)")
        let several = try #require(try refusal(3, limits(half)))
        #expect(several.contains("; 1 network at once on batches of at most "), "\(several)")
        let none = try #require(try refusal(1, limits(1_000_000)))
        #expect(
            none.contains("not even one network fits on batches of 1 sample, and a model of at most about "), "\(none)")
        #expect(try #require(try refusal(1, limits(0))).hasSuffix("a model of fewer parameters is accepted"))
    }

    /// A device may have enough memory, and not for one buffer.
    @Test func theLargestBufferCounts() throws {
        var limits = MemoryLimits(device: "a small device", free: 1 << 40)
        limits.largestBuffer = try 2 * 4 * Self.layout().parameterCount
        #expect(try refusal(2, limits) == nil)
        let reason = try #require(try refusal(3, limits))
        #expect(
            reason.contains(
                " takes a buffer of 4 MiB (parameters), and a small device accepts buffers of at most 2 MiB"))
        #expect(reason.hasSuffix("at most 2 networks at once are accepted"))
    }

    /// Buffers in the host's memory count there, beside the networks that are read back.
    @Test func theHostsMemoryCounts() throws {
        let memory = try Self.memory(5)
        func limits(_ bytes: Int, _ isInHostMemory: Bool) -> MemoryLimits {
            MemoryLimits(
                device: "a device", free: nil, isInHostMemory: isInHostMemory, host: (bytes, "the limit ulimit -v"))
        }
        #expect(memory.buffers > 1 << 24)
        #expect(try refusal(5, limits(memory.buffers + memory.copies, true)) == nil)
        let reason = try #require(try refusal(5, limits(memory.buffers + memory.copies - 1, true)))
        #expect(reason.contains("and the limit ulimit -v has "), "\(reason)")
        #expect(try refusal(5, limits(memory.copies, false)) == nil)
        // Little is always allowed: 10 MiB of copies.
        #expect(try memory.copies < 1 << 24 && refusal(5, limits(0, false)) == nil)
        #expect(try refusal(50, limits(memory.copies, false))?.hasSuffix("networks at once are accepted") == true)
    }

    /// Nothing is allocated for a training that does not fit.
    @Test func aTrainerRefusesWhatItsDeviceHasNoRoomFor() throws {
        let backend = MeteredBackend()
        let trainer = Trainer(
            try store(Self.layered, on: backend), model: Self.layered, normalisation: Normalisation(mean: 0, std: 1),
            on: backend)
        let runs = [TrainingRun(subset: Array(0..<37), seed: 1, run: 0)]
        let before = backend.bytes
        let options = TrainingOptions(length: .epochs(1), batchSize: 17)
        func error() -> String {
            do {
                _ = try trainer.train(runs, options: options)
                return ""
            } catch {
                return "\(error)"
            }
        }
        backend.freeMemory = 20_000
        #expect(error().contains("a small device has 0 MiB left; ") && backend.bytes == before)
        backend.freeMemory = 1 << 30
        backend.largestBuffer = 100
        #expect(error().contains("takes a buffer of 1 MiB") && backend.bytes == before)
        backend.largestBuffer = 1 << 30
        #expect(error().isEmpty)
    }
}
