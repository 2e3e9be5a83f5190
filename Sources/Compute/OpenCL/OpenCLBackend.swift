import Foundation
import OpenCL
import Synchronization

/// The backend for OpenCL devices of every kind. It has one in-order queue: operations return when they are queued,
/// and only reading and ``finish()`` wait.
package final class OpenCLBackend: Backend {
    package let device: DeviceDescription
    package var tile: Int { profile.tile }

    package var isInHostMemory: Bool { clDevice.kind == .cpu }
    package var largestBuffer: Int { min(clDevice.maxAllocation, clDevice.globalMemory) }

    /// Bytes that all of its buffers may take together.
    package var memory: Int { clDevice.globalMemory }
    package var freeMemory: Int? { max(0, clDevice.globalMemory - allocated.bytes) }

    /// The shape that kernels take on this device.
    package let profile: DeviceProfile
    /// The block sizes of its kernels.
    package let sizes: BlockSizes
    package let layout: DataLayout
    /// The device and its limits.
    let clDevice: Device
    /// What its driver is known to do wrong.
    package let quirks: [DeviceQuirk]
    let queue: CommandQueue
    private let context: Context
    private let cache: ProgramCache?
    private let kernelText: (String) throws(OpenCLError) -> String?
    /// What was compiled so far.
    private(set) var kernels: [KernelKey: Kernel] = [:]
    /// The parameters of what was launched so far with named arguments.
    private var parameters: [KernelKey: [String]] = [:]
    private let programFolder = ProgramFolder.requested()
    /// File and options of each program that was saved.
    private var savedPrograms: [KernelKey: (file: String, options: String)] = [:]
    private let allocated = MemoryMeter()
    private var staging = Staging()
    /// Whether launches end where their kernels are compiled.
    private(set) var isPreparing = false

    /// The time that the device spent in each kernel, where the backend was made for profiling.
    package private(set) var kernelTimes: [String: KernelTime] = [:]

    /// How often a kernel ran and how long in all.
    package struct KernelTime: Sendable {
        /// Number of launches.
        package var launches = 0
        /// Seconds on the device, the waiting in the queue not counted.
        package var seconds = 0.0
    }

    /// A backend on `device` with the program cache that suits it.
    /// - Throws: ``ComputeError/openCL(_:)`` when the driver refuses a context or a queue.
    package convenience init(
        device: Device, profile: DeviceProfile? = nil, sizes: BlockSizes? = nil, profiling: Bool = false
    ) throws(ComputeError) {
        try self.init(
            device: device, profile: profile, sizes: sizes, cache: .standard(for: device), profiling: profiling)
    }

    /// A backend on `device`.
    /// - Parameters:
    ///   - profile: another shape than the one that suits the device; every profile gives right results everywhere.
    ///   - sizes: block sizes for that profile; the defaults where nil.
    ///   - cache: where compiled programs are kept; nil compiles anew at each start.
    ///   - profiling: measures each launch, and so waits for each: for benchmarks.
    /// - Throws: ``ComputeError/openCL(_:)`` when the driver refuses a context or a queue.
    package convenience init(
        device: Device, profile: DeviceProfile? = nil, sizes: BlockSizes? = nil, cache: ProgramCache?,
        profiling: Bool = false
    ) throws(ComputeError) {
        try self.init(
            device: device, profile: profile, sizes: sizes, cache: cache, profiling: profiling
        ) { (name) throws(OpenCLError) in try KernelSource.chosenText(of: name) }
    }

    /// A backend whose kernels are those that `kernelText` knows by name.
    init(
        device: Device, profile: DeviceProfile? = nil, sizes: BlockSizes? = nil, cache: ProgramCache? = nil,
        profiling: Bool = false,
        kernelText: @escaping (String) throws(OpenCLError) -> String?
    ) throws(ComputeError) {
        self.kernelText = kernelText
        self.device = DeviceDescription(
            backend: "opencl", name: device.name, platform: device.platform.name, driver: device.driverVersion)
        let shape = profile ?? DeviceProfile(for: device)
        self.profile = shape
        self.sizes = sizes ?? BlockSizes(shape)
        layout = self.sizes.layout
        self.cache = cache
        clDevice = device
        quirks = DeviceQuirk.all(
            of: .init(
                platform: device.platform.name, version: device.version, device: device.name,
                driver: device.driverVersion))
        do throws(OpenCLError) {
            context = try Context(device: device)
            queue = try CommandQueue(context: context, profiling: profiling)
        } catch {
            throw .openCL(error)
        }
    }

    deinit {
        // What is still queued may read the copies. They are abandoned where nobody can tell when that is over.
        if (try? queue.finish()) != nil { staging.removeAll() }
    }

    package func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>
    {
        let byteCount = max(count, 1) * MemoryLayout<Element>.stride
        // Processors promise more memory than there is and end the process that uses it, so the sum is kept here.
        guard byteCount <= clDevice.maxAllocation, allocated.bytes + byteCount <= clDevice.globalMemory else {
            throw .outOfMemory(label: label, byteCount: byteCount, device: device.name)
        }
        let buffer = try attempt(label, byteCount) { () throws(OpenCLError) in
            let buffer = try Buffer(context: context, byteCount: byteCount, label: label)
            do throws(OpenCLError) {
                try queue.makeResident(buffer)
            } catch {
                // Only a hint: an implementation that does not take it finds the memory at first use.
                if error.isOutOfMemory { throw error }
            }
            return buffer
        }
        return DeviceBuffer(count: count, label: label, storage: OpenCLStorage(buffer: buffer, meter: allocated))
    }

    package func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    {
        let bytes = UnsafeRawBufferPointer(source)
        guard clDevice.kind == .cpu, !bytes.isEmpty else { return nil }
        let buffer = try attempt(label, bytes.count) { () throws(OpenCLError) in
            try Buffer(context: context, over: bytes, label: label)
        }
        return DeviceBuffer(count: source.count, label: label, storage: OpenCLStorage(buffer: buffer, meter: nil))
    }

    package func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int
    ) throws(ComputeError) {
        let storage = try self.storage(of: buffer, offset: offset, count: source.count, operation: "write")
        let bytes = UnsafeRawBufferPointer(source)
        guard !bytes.isEmpty else { return }
        let start = offset * MemoryLayout<Element>.stride
        // Small pieces are copied aside, so that writing does not wait for the work before it.
        let copy = staging.copy(bytes)
        try attempt(buffer.label, storage.byteCount) { () throws(OpenCLError) in
            try queue.write(copy ?? bytes, to: storage.buffer, at: start, waiting: copy == nil)
        }
        if copy == nil { staging.removeAll() }
    }

    package func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>
    ) throws(ComputeError) {
        let storage = try self.storage(of: buffer, offset: offset, count: destination.count, operation: "read")
        let bytes = UnsafeMutableRawBufferPointer(destination)
        guard !bytes.isEmpty else { return }
        do throws(OpenCLError) {
            try queue.read(storage.buffer, at: offset * MemoryLayout<Element>.stride, into: bytes)
        } catch {
            throw lateError(error)
        }
        staging.removeAll()
    }

    package func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element)
        throws(ComputeError)
    {
        let storage = try self.storage(of: buffer, offset: 0, count: buffer.count, operation: "fill")
        guard buffer.count > 0 else { return }
        if has(.fillsWritten) { return try write([Element](repeating: value, count: buffer.count), to: buffer) }
        try attempt(buffer.label, storage.byteCount) { () throws(OpenCLError) in
            try queue.fill(storage.buffer, with: value, byteCount: buffer.count * MemoryLayout<Element>.stride)
        }
    }

    package func run<Value: Operation>(_ operation: Value) throws(ComputeError) {
        try operation.validate(for: layout)
        try operation.launch(on: self)
    }

    package func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure) {
        isPreparing = true
        defer { isPreparing = false }
        try operations()
    }

    /// Whether a quirk of the driver has this effect.
    package func has(_ effect: DeviceQuirk.Effect) -> Bool { quirks.contains { $0.effect == effect } }

    package func finish() throws(ComputeError) {
        do throws(OpenCLError) {
            try queue.finish()
        } catch {
            throw lateError(error)
        }
        staging.removeAll()
    }

    /// What a call that waits reported, perhaps of work queued long before.
    private func lateError(_ error: OpenCLError) -> ComputeError {
        error.isOutOfMemory ? .exhausted(error, byteCount: allocated.bytes, device: device.name) : .openCL(error)
    }

    /// The kernel for `key`, compiled when first asked for.
    func preparedKernel(_ key: KernelKey) throws(ComputeError) -> Kernel {
        if let kernel = kernels[key] { return kernel }
        do throws(OpenCLError) {
            guard let text = try kernelText(key.kernel) else { throw OpenCLError.unknownKernel(name: key.kernel) }
            let source = try KernelSource.assemble(
                name: key.kernel, common: try KernelSource.chosenText(of: "common"), text: text)
            var options = "-cl-std=CL1.2"
            let shape = [
                ("TILE", profile.tile), ("VW", profile.vectorWidth), ("LANES", profile.lanes), ("TEAM", profile.team),
            ]
            for (name, value) in shape + key.defines.map({ ($0.name, $0.value) }) { options += " -D \(name)=\(value)" }
            if let programFolder {
                let file = try programFolder.save(source, label: key.kernel, options: options)
                savedPrograms[key] = (file, options)
            }
            let start = ContinuousClock.now
            let program = try Program(
                context: context, label: key.kernel, source: source, options: options, cache: cache)
            let kernel = try Kernel(program: program, name: key.kernel)
            if let programFolder, let file = savedPrograms[key]?.file {
                try programFolder.record(
                    program: file, kernel: key.kernel, options: options,
                    seconds: (ContinuousClock.now - start) / .seconds(1), cached: program.origin == .cache)
            }
            kernels[key] = kernel
            return kernel
        } catch {
            throw .openCL(error)
        }
    }

    /// The names of a kernel's parameters, as its text has them.
    func parameterNames(_ key: KernelKey) throws(ComputeError) -> [String] {
        if let names = parameters[key] { return names }
        do throws(OpenCLError) {
            guard let text = try kernelText(key.kernel) else { throw OpenCLError.unknownKernel(name: key.kernel) }
            let names = KernelSource.parameters(of: key.kernel, in: text, defines: key.defines)
            parameters[key] = names
            return names
        } catch {
            throw .openCL(error)
        }
    }

    /// Notes a launch in the folder of saved programs, if there is one.
    func note(_ key: KernelKey, global: [Int], local: [Int]?) throws(ComputeError) {
        guard let programFolder, let saved = savedPrograms[key] else { return }
        do throws(OpenCLError) {
            try programFolder.record(
                program: saved.file, kernel: key.kernel, options: saved.options, global: global, local: local)
        } catch {
            throw .openCL(error)
        }
    }

    /// Adds a launch to ``kernelTimes``.
    func record(_ seconds: Double, of kernel: String) {
        kernelTimes[kernel, default: KernelTime()].launches += 1
        kernelTimes[kernel, default: KernelTime()].seconds += seconds
    }

    private func storage<Element: BufferElement>(
        of buffer: DeviceBuffer<Element>, offset: Int, count: Int, operation: String
    ) throws(ComputeError) -> OpenCLStorage {
        guard offset >= 0, count >= 0, offset + count <= buffer.count else {
            throw .invalidShape(
                operation: operation,
                reason: "elements \(offset)..<\(offset + count) are outside \(buffer.label) (\(buffer.count) elements)")
        }
        guard let storage = buffer.storage as? OpenCLStorage else {
            throw .invalidShape(operation: operation, reason: "\(buffer.label) is a buffer of another backend")
        }
        return storage
    }

    /// Runs what may be the first use of a buffer: drivers find out only then that there is no room.
    private func attempt<Value>(_ label: String, _ byteCount: Int, _ body: () throws(OpenCLError) -> Value)
        throws(ComputeError) -> Value
    {
        do throws(OpenCLError) {
            return try body()
        } catch {
            guard error.isOutOfMemory else { throw .openCL(error) }
            throw .outOfMemory(label: label, byteCount: byteCount, device: device.name)
        }
    }
}

/// OpenCL memory behind a buffer.
final class OpenCLStorage: DeviceStorage {
    let buffer: Buffer
    /// Nil where the memory is not the backend's own.
    private let meter: MemoryMeter?
    var byteCount: Int { buffer.byteCount }

    init(buffer: Buffer, meter: MemoryMeter?) {
        self.buffer = buffer
        self.meter = meter
        meter?.add(buffer.byteCount)
    }

    deinit { meter?.add(-buffer.byteCount) }
}

/// The bytes that a backend's living buffers take. Atomic, since the last reference to a buffer may go anywhere.
final class MemoryMeter: Sendable {
    private let total = Atomic<Int>(0)
    var bytes: Int { total.load(ordering: .relaxed) }
    func add(_ byteCount: Int) { total.add(byteCount, ordering: .relaxed) }
}

/// Copies of what was written and not yet taken by the queue.
private struct Staging: ~Copyable {
    private static let largestPiece = 1 << 20
    private static let room = 16 << 20
    private var pieces: [UnsafeMutableRawBufferPointer] = []
    private var byteCount = 0

    /// A copy that stays until ``removeAll()``, or nil for what is too large or no longer fits: that is written at
    /// once, which also waits for all that was queued before and so allows the copies to go.
    mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.count <= Staging.largestPiece, byteCount + bytes.count <= Staging.room else { return nil }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        piece.copyMemory(from: bytes)
        pieces.append(piece)
        byteCount += bytes.count
        return UnsafeRawBufferPointer(piece)
    }

    mutating func removeAll() {
        for piece in pieces { piece.deallocate() }
        pieces.removeAll(keepingCapacity: true)
        byteCount = 0
    }
}
