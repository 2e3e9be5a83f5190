import CLanes
import Dispatch
import Foundation

/// The built-in backend: plain Swift and a few loops of C on all cores. It is the reference that kernels are validated against, and does
/// the work on hosts without OpenCL. It computes at once, so that nothing is ever queued.
package final class CPUBackend: Backend {
    package let device: DeviceDescription
    /// TILE and P: a vector holds a sample or point in each of its lanes.
    static let tile = Lanes.scalarCount
    /// R, centroids a panel: the sums of one panel and four tiles are what 32 registers hold.
    static let panelWidth = 6
    /// Into how many pieces a loop over elements is cut, each of which owns some of them.
    static let pieces = 16
    package let layout = DataLayout(tile: tile, pointLanes: tile, panelWidth: panelWidth)
    package var tile: Int { layout.tile }
    package let suggestedReplicas = 5
    /// The inner loops for an instruction set of this processor.
    let loops: LaneLoops

    /// A backend on this machine's processor cores.
    package convenience init() { self.init(loops: .best) }

    init(loops: LaneLoops) {
        self.loops = loops
        device = DeviceDescription(backend: "cpu", name: "built-in CPU path")
    }

    package func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>
    {
        let byteCount = max(count, 1) * MemoryLayout<Element>.stride
        guard let storage = CPUStorage(byteCount: byteCount) else {
            throw .outOfMemory(label: label, byteCount: byteCount, device: device.name)
        }
        return DeviceBuffer(count: count, label: label, storage: storage)
    }

    package func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    {
        CPUStorage(borrowing: UnsafeRawBufferPointer(source)).map {
            DeviceBuffer(count: source.count, label: label, storage: $0)
        }
    }

    package func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int
    ) throws(ComputeError) {
        try checkRange(of: buffer, offset: offset, count: source.count, operation: "write")
        guard let start = source.baseAddress, !source.isEmpty else { return }
        pointer(buffer).advanced(by: offset).update(from: start, count: source.count)
    }

    package func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>
    ) throws(ComputeError) {
        try checkRange(of: buffer, offset: offset, count: destination.count, operation: "read")
        guard let start = destination.baseAddress, !destination.isEmpty else { return }
        start.initialize(from: pointer(buffer).advanced(by: offset), count: destination.count)
    }

    package func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element) throws(ComputeError)
    {
        pointer(buffer).initialize(repeating: value, count: buffer.count)
    }

    package func run<Value: Operation>(_ operation: Value) throws(ComputeError) {
        try operation.validate(for: layout)
        try operation.compute(on: self)
    }

    package var isInHostMemory: Bool { true }

    package var largestBuffer: Int { .max }

    package func finish() throws(ComputeError) {}

    package func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure) {}

    /// The elements of a buffer of this backend.
    func pointer<Element: BufferElement>(_ buffer: DeviceBuffer<Element>) -> UnsafeMutablePointer<Element> {
        // A buffer of another backend here is a mistake of the caller that no input can provoke.
        let storage = unsafeDowncast(buffer.storage, to: CPUStorage.self)
        return storage.base.assumingMemoryBound(to: Element.self)
    }

    /// Runs `body(0) … body(count - 1)` on all cores. Which core takes which index never changes a result: each index
    /// owns what it writes. Backends on several threads share the cores.
    func parallel(_ count: Int, _ body: (Int) -> Void) {
        if count < 2 {
            if count == 1 { body(0) }
        } else {
            withoutActuallyEscaping(body) { body in
                let shared = SharedBody(run: body)
                DispatchQueue.concurrentPerform(iterations: count) { shared.run($0) }
            }
        }
    }

    private func checkRange<Element: BufferElement>(
        of buffer: DeviceBuffer<Element>, offset: Int, count: Int, operation: String
    ) throws(ComputeError) {
        guard offset >= 0, count >= 0, offset + count <= buffer.count else {
            throw .invalidShape(
                operation: operation,
                reason: "elements \(offset)..<\(offset + count) are outside \(buffer.label) (\(buffer.count) elements)")
        }
    }
}

/// The body of a parallel loop. Sendable unchecked: each index owns what it writes, which the compiler cannot see.
private struct SharedBody: @unchecked Sendable {
    let run: (Int) -> Void
}

/// Host memory: its own, aligned to a cache line, or somebody else's to read.
final class CPUStorage: DeviceStorage {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let isOwn: Bool

    /// Nil where the system has no room.
    init?(byteCount: Int) {
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, byteCount) == 0, let memory else { return nil }
        base = memory
        self.byteCount = byteCount
        isOwn = true
    }

    /// Memory that outlives this object and is not written; nil where there is none.
    init?(borrowing memory: UnsafeRawBufferPointer) {
        guard let start = memory.baseAddress else { return nil }
        base = UnsafeMutableRawPointer(mutating: start)
        byteCount = memory.count
        isOwn = false
    }

    deinit { if isOwn { free(base) } }
}
