/// Sums and counts of the clusters over one mini-batch, as pairs of numbers (sum, correction), in which the correction keeps
/// what float32 drops.
package struct BatchSums {
    /// Sums [k][d], then their corrections [k][d].
    package let totals: DeviceBuffer<Float>
    /// Points per cluster, [k].
    package let counts: DeviceBuffer<Int32>
    /// k.
    package let count: Int
    /// d.
    package let dimensions: Int

    /// Names what the buffers hold.
    package init(totals: DeviceBuffer<Float>, counts: DeviceBuffer<Int32>, count: Int, dimensions: Int) {
        self.totals = totals
        self.counts = counts
        self.count = count
        self.dimensions = dimensions
    }
}

extension Backend {
    /// Room for the sums of `count` clusters; contents undefined.
    package func makeBatchSums(count: Int, dimensions: Int) throws(ComputeError) -> BatchSums {
        BatchSums(
            totals: try makeBuffer(of: Float.self, count: 2 * count * dimensions, label: "sums of a batch"),
            counts: try makeBuffer(of: Int32.self, count: count, label: "counts of a batch"), count: count,
            dimensions: dimensions)
    }
}
