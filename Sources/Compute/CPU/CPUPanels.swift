/// Centroids a panel on the CPU path: the sums of one panel and four tiles are what 32 registers hold.
let cpuPanelWidth = 6

extension UnsafeMutablePointer<Float> {
    /// The same memory as lanes; the pointer must be aligned to 64 bytes.
    @inline(__always) var lanes: UnsafeMutablePointer<Lanes> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: Lanes.self)
    }
}

/// Writes a tile, out[column][lane] = value(row(lane)[column], column), for `count` lanes; 0 in the other lanes.
@inline(__always)
func packTile<Element>(
    rows count: Int, columns: Int, into out: UnsafeMutablePointer<Float>, row: (_ lane: Int) -> UnsafePointer<Element>,
    value: (Element, _ column: Int) -> Float
) {
    // Some columns at a time of all rows, so that what they write stays in the nearest cache.
    let block = 128
    for first in stride(from: 0, to: columns, by: block) {
        let end = min(first + block, columns)
        for lane in 0..<count {
            let source = row(lane)
            for column in first..<end { out[column * 16 + lane] = value(source[column], column) }
        }
        for lane in count..<16 { for column in first..<end { out[column * 16 + lane] = 0 } }
    }
}

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
