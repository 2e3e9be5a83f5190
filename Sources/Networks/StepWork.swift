import Compute
import Datasets

/// The work of a training step: the cost of every operation, in launch order.
package enum StepWork {
    /// The launches of a step of one network of `model` over a batch of `samples`. Nothing is computed.
    /// - Throws: as ``Trainer/train(_:options:progress:afterEpoch:record:)``.
    package static func launches(
        of model: ModelSpec, _ shape: SampleShape, classes: Int, samples: Int, optimizer: Optimizer = Optimizer()
    ) throws -> [(kernel: String, cost: OperationCost)] {
        let recorder = CostRecorder()
        let store = try SampleStore(
            pixels: [UInt8](repeating: 0, count: samples * shape.featureCount),
            labels: [UInt8](repeating: 0, count: samples), shape: shape, classes: classes, on: recorder)
        _ = try Trainer(store, model: model, normalisation: Normalisation(mean: 0, std: 1), on: recorder).train(
            [TrainingRun(subset: Array(0..<samples), seed: 0, run: 0)],
            options: TrainingOptions(length: .steps(1), batchSize: samples, optimizer: optimizer))
        return recorder.launches
    }
}

/// A backend with the built-in backend's memory that lists the operations instead of computing them.
private final class CostRecorder: Backend {
    private let memory = CPUBackend()
    private(set) var launches: [(kernel: String, cost: OperationCost)] = []

    var device: DeviceDescription { memory.device }
    var tile: Int { memory.tile }
    var suggestedReplicas: Int { memory.suggestedReplicas }
    var isInHostMemory: Bool { memory.isInHostMemory }
    var largestBuffer: Int { memory.largestBuffer }
    var layout: DataLayout { memory.layout }

    func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String) throws(ComputeError)
        -> DeviceBuffer<Element>
    {
        try memory.makeBuffer(of: type, count: count, label: label)
    }

    func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    { try memory.hostBuffer(over: source, label: label) }

    func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int
    ) throws(ComputeError) { try memory.write(source, to: buffer, at: offset) }

    func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>
    ) throws(ComputeError) { try memory.read(buffer, at: offset, into: destination) }

    func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element) throws(ComputeError) {
        try memory.fill(buffer, with: value)
    }

    func finish() {}

    func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure) {}

    func run<Value: Operation>(_ operation: Value) throws(ComputeError) {
        try operation.validate(for: layout)
        launches.append((Value.kernel, operation.cost))
    }
}
