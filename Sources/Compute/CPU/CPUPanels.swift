/// Centroids a panel on the CPU path: with sixteen lanes, what the registers of any x86-64 or arm64 processor hold.
let cpuPanelWidth = 3

/// Three rows of products: start[r] + Σ_k x[k] · w[k][r], with x [depth][16] and w [depth][3].
@inline(__always)
func panelProducts(
    _ x: UnsafePointer<Lanes>, _ w: UnsafePointer<Float>, depth: Int, start: (Lanes, Lanes, Lanes)
) -> (Lanes, Lanes, Lanes) {
    var (a, b, c) = start
    var weight = w
    for k in 0..<depth {
        // `a += x * w` and not addProduct: without a machine flag that is a call to fmaf for each lane.
        let value = x[k]
        a += value * weight[0]
        b += value * weight[1]
        c += value * weight[2]
        weight += cpuPanelWidth
    }
    return (a, b, c)
}

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
