/// Working memory of one thread, aligned to a cache line, freed with its last reference: `extendLifetime`
/// keeps one while its pointer is in use.
final class Scratch {
    let floats: UnsafeMutablePointer<Float>

    init(count: Int) {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        floats = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        floats.initialize(repeating: 0, count: max(count, 1))
    }

    deinit { UnsafeMutableRawPointer(floats).deallocate() }
}
