import Compute
import Datasets
import Support

/// The memory that networks which train side by side take.
package struct TrainingMemory: Sendable {
    /// Bytes of all buffers: parameters, gradients, the optimizer's moments, activations and their gradients, orders and
    /// losses. The samples are not part of it, nor is what is recorded of them.
    package private(set) var buffers = 0
    /// The largest buffer: its bytes and what it is for.
    package private(set) var largest = (bytes: 0, label: "")
    /// Bytes in the host's memory besides: the networks as they are first, and as they are read back.
    package let copies: Int

    /// The memory for `replicas` networks on `samples` samples each, on a device like `backend`. Nothing is allocated.
    package init(
        _ layout: ParameterLayout, replicas: Int, samples: Int, options: TrainingOptions, on backend: any Backend
    ) throws(ComputeError) {
        copies = 2 * replicas * layout.parameterCount * MemoryLayout<Float>.size
        let meter = MeasuringBackend(like: backend)
        let plan = EpochPlan(size: samples, options: options)
        let isDynamic = options.dynamic != nil
        let epochs = isDynamic ? 1 : plan.epochsAtOnce(replicas: replicas)
        let schedule = try StepSchedule(
            capacity: epochs * plan.stepsPerEpoch, replicas: replicas, isShared: !isDynamic,
            ratesPerStep: options.optimizer.ratesPerStep, on: meter)
        let order = replicas * epochs * plan.size
        func buffer<Element: BufferElement>(_ type: Element.Type, _ label: String) throws(ComputeError)
            -> DeviceBuffer<Element>
        { try meter.makeBuffer(of: type, count: order, label: label) }
        _ = try buffer(Int32.self, "order of samples")
        if options.augment != nil { _ = try buffer(Int32.self, "changes of images") }
        var weights: SampleWeights?
        if isDynamic {
            weights = SampleWeights(
                weights: try buffer(Float.self, "weights of samples"),
                losses: try buffer(Float.self, "losses of samples"), stride: plan.size)
        }
        _ = try meter.makeBuffer(of: Float.self, count: 2 * layout.input.channels, label: "scales and shifts")
        _ = try ModelParameters(layout, replicas: replicas, on: meter).makeNetwork(
            batchSize: plan.batchSize, schedule: schedule, trainingSteps: epochs * plan.stepsPerEpoch,
            optimizer: options.optimizer, sampleWeights: weights, on: meter)
        buffers = meter.bytes
        largest = meter.largest
    }
}

/// Memory left on a device and its host, in bytes.
package struct MemoryLimits: Sendable {
    /// The device's name.
    package var device: String
    /// Bytes that the device's buffers can still take; nil if the device has no limit of its own.
    package var free: Int?
    /// Bytes of the device's largest buffer.
    package var largestBuffer: Int
    /// True if buffers are in the host's memory.
    package var isInHostMemory: Bool
    /// Bytes that this process can still take, and what sets this limit; nil where the system does not say.
    package var host: (bytes: Int, source: String)?

    /// Limits that are given.
    package init(
        device: String, free: Int?, largestBuffer: Int = .max, isInHostMemory: Bool = false,
        host: (bytes: Int, source: String)? = nil
    ) {
        self.device = device
        self.free = free
        self.largestBuffer = largestBuffer
        self.isInHostMemory = isInHostMemory
        self.host = host
    }

    /// The limits now.
    package init(of backend: any Backend) {
        self.init(
            device: backend.device.name, free: backend.freeMemory, largestBuffer: backend.largestBuffer,
            isInHostMemory: backend.isInHostMemory, host: AvailableMemory.now.map { ($0.bytes, $0.source) })
    }

    /// Bytes of host memory that are always granted: the system's estimate is too coarse to refuse so few.
    private static let always = 1 << 24

    /// The bytes that a training needs and has, and a clause that says so; nil if it fits.
    fileprivate func shortage(of memory: TrainingMemory) -> (needed: Int, has: Int, words: String)? {
        if memory.largest.bytes > largestBuffer {
            return (
                memory.largest.bytes, largestBuffer,
                "takes a buffer of \(mebibytes(memory.largest.bytes)) (\(memory.largest.label)), and \(device) "
                    + "accepts buffers of at most \(mebibytes(largestBuffer, up: false))"
            )
        }
        func words(_ needed: Int, _ has: Int, _ source: String) -> String {
            "takes \(mebibytes(needed)) of memory, and \(source) has \(mebibytes(has, up: false)) left"
        }
        if let free, memory.buffers > free {
            return (memory.buffers, free, words(memory.buffers, free, device))
        }
        let needed = memory.copies + (isInHostMemory ? memory.buffers : 0)
        guard let host, needed > Self.always, needed > host.bytes else { return nil }
        return (needed, host.bytes, words(needed, host.bytes, host.source))
    }
}

/// Bytes in mebibytes, rounded up or down.
private func mebibytes(_ bytes: Int, up: Bool = true) -> String {
    "\((bytes >> 20) + (up && bytes & ((1 << 20) - 1) != 0 ? 1 : 0)) MiB"
}

extension ModelSpec {
    /// Refuses a training that there is no memory for, before anything is computed or uploaded.
    /// - Parameters:
    ///   - samples: the shape of the samples as they are in the data set.
    ///   - count: the number of samples that each network is trained on.
    ///   - networks: how many train side by side.
    /// - Throws: ``ComputeError/doesNotFit(reason:)`` as ``NetworkError/compute(_:)``, with what would be accepted, and
    ///   ``NetworkError/invalid(reason:)`` as ``ParameterLayout/init(_:samples:classes:)``.
    package func checkMemory(
        samples: SampleShape, classes: Int, count: Int, networks: Int = 1, options: TrainingOptions,
        on backend: any Backend, limits: MemoryLimits? = nil
    ) throws(NetworkError) {
        try ParameterLayout(self, samples: input(of: samples), classes: classes).checkMemory(
            networks: networks, samples: count, options: options, on: backend, limits: limits)
    }
}

extension ParameterLayout {
    /// As ``ModelSpec/checkMemory(samples:classes:count:networks:options:on:limits:)``.
    func checkMemory(
        networks: Int, samples: Int, options: TrainingOptions, on backend: any Backend, limits: MemoryLimits? = nil
    ) throws(NetworkError) {
        guard networks > 0, samples > 0, options.batchSize > 0 else { return }
        let limits = limits ?? MemoryLimits(of: backend)
        func shortage(
            networks: Int, batch: Int, samples: Int = samples
        ) throws(NetworkError) -> (needed: Int, has: Int, words: String)? {
            var options = options
            options.batchSize = batch
            return try onDevice { () throws(ComputeError) in
                limits.shortage(
                    of: try TrainingMemory(
                        self, replicas: networks, samples: samples, options: options, on: backend))
            }
        }
        let batch = min(options.batchSize, samples)
        let parameters = slots.reduce(0) { $0 + $1.shape.reduce(1, *) }
        guard let lack = try shortage(networks: networks, batch: batch) else { return }
        /// The largest number below `count` that fits, 0 if none does.
        func largest(below count: Int, _ fits: (Int) throws(NetworkError) -> Bool) throws(NetworkError) -> Int {
            var (low, high) = (0, count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if try fits(middle) { low = middle } else { high = middle }
            }
            return low
        }
        let fewer = try largest(below: networks) { networks throws(NetworkError) in
            try shortage(networks: networks, batch: batch) == nil
        }
        let smaller = try largest(below: batch) { batch throws(NetworkError) in
            try shortage(networks: 1, batch: batch) == nil
        }
        let accepted: String
        if fewer > 0 {
            accepted =
                "at most \(describeCount(fewer, "network")) at once \(fewer == 1 ? "is" : "are") accepted"
        } else if smaller > 0 {
            accepted =
                (networks > 1 ? "1 network at once on " : "")
                + "batches of at most \(describeCount(smaller, "sample")) are accepted"
        } else if let single = try shortage(networks: 1, batch: 1, samples: 1) {
            let fitting = Int(Double(parameters) * Double(single.has) / Double(single.needed))
            accepted =
                "not even one network fits on batches of 1 sample, and a model of "
                + (fitting > 0 ? "at most about \(fitting) parameters" : "fewer parameters") + " is accepted"
        } else {
            accepted = "fewer samples are accepted"
        }
        throw .compute(
            .doesNotFit(
                reason:
                    "training \(describeCount(networks, "network")) of \(model.name) (\(parameters) "
                    + "parameters each) on batches of \(batch) \(lack.words); \(accepted)"))
    }
}

/// A backend that adds up the buffers that it is asked for, and has no memory.
private final class MeasuringBackend: Backend {
    private(set) var bytes = 0
    private(set) var largest = (bytes: 0, label: "")
    let device: DeviceDescription
    let tile: Int
    let suggestedReplicas: Int
    let isInHostMemory: Bool
    let layout: DataLayout
    var largestBuffer: Int { .max }

    private final class NoStorage: DeviceStorage {
        let byteCount: Int
        init(byteCount: Int) { self.byteCount = byteCount }
    }

    /// A meter of what `other` would allocate.
    init(like other: any Backend) {
        device = other.device
        tile = other.tile
        suggestedReplicas = other.suggestedReplicas
        isInHostMemory = other.isInHostMemory
        layout = other.layout
    }

    func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String) throws(ComputeError)
        -> DeviceBuffer<Element>
    {
        let byteCount = max(count, 1) * MemoryLayout<Element>.stride
        bytes += byteCount
        if byteCount > largest.bytes { largest = (byteCount, label) }
        return DeviceBuffer(count: count, label: label, storage: NoStorage(byteCount: byteCount))
    }

    func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    { nil }

    func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int
    ) throws(ComputeError) {}

    func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>
    ) throws(ComputeError) {
        throw .outOfMemory(label: buffer.label, byteCount: buffer.storage.byteCount, device: device.name)
    }

    func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element) throws(ComputeError) {}

    func finish() throws(ComputeError) {}

    func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure) {}

    func run<Value: Operation>(_ operation: Value) throws(ComputeError) {}
}
