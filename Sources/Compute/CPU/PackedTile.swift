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
    let lanes = Lanes.scalarCount
    // Some columns at a time of all rows, so that what they write stays in the nearest cache.
    let block = 128
    for first in stride(from: 0, to: columns, by: block) {
        let end = min(first + block, columns)
        for lane in 0..<count {
            let source = row(lane)
            for column in first..<end { out[column * lanes + lane] = value(source[column], column) }
        }
        for lane in count..<lanes { for column in first..<end { out[column * lanes + lane] = 0 } }
    }
}
