/// Centroids a panel on the CPU path: the sums of one panel and four tiles are what 32 registers hold.
let cpuPanelWidth = 6

extension UnsafeMutablePointer<Float> {
    /// The same memory as lanes; the pointer must be aligned to 64 bytes.
    @inline(__always) var lanes: UnsafeMutablePointer<Lanes> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: Lanes.self)
    }
}

/// Working memory of one thread, aligned to a cache line, freed with its last reference.
final class Scratch {
    let floats: UnsafeMutablePointer<Float>

    init(count: Int) {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        floats = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        floats.initialize(repeating: 0, count: max(count, 1))
    }

    deinit { UnsafeMutableRawPointer(floats).deallocate() }
}
