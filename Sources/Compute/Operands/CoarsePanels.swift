/// Centroids as 8-bit numbers, whose products rule most panels of them out before ``KmeansAssign`` computes in float32.
/// They change no label. ``KmeansCoarse`` fills them from ``Centroids``; Kernels/coarse_panels.clh has their layout.
package struct CoarsePanels {
    /// Four numbers in each, [panel][rows][R].
    package let numbers: DeviceBuffer<Int32>
    /// Scale, largest rounding error, largest length and largest |c|²/2 of each panel, [panel][4].
    package let bounds: DeviceBuffer<Float>
    /// d.
    package let dimensions: Int

    /// Floats that ``Centroids/panels`` has more than its panels take: the search reads whole vectors from there.
    package static let padding = 16
    /// Numbers in ``bounds`` per panel.
    package static let boundCount = 4
    /// Where in them the largest rounding error is.
    package static let errorBound = 1
    /// Steps of four dimensions between two rows of offsets.
    package static let chunk = 16
    /// What the largest coordinate of a panel becomes; rounded, it is at most 64.
    package static let mostNumber: Float = 63.5
    /// What the largest norm of a chunk's numbers in half of its dimensions becomes.
    package static let mostNorm: Float = 177.5
    /// The largest coordinate that is searched: MOST_LENGTH of Kernels/coarse_panels.clh.
    package static let mostLength: Float = 1e15
    /// The smallest scale: a hundredth of its LEAST_LENGTH.
    package static let leastScale: Float = 1e-15
    /// Dimensions and centroids for which a processor finds the nearest centroid sooner with them. With more dimensions
    /// distances are more alike, and the bounds rule too little out.
    package static let (useful, leastCentroids) = (32...256, 256)
    /// Most dimensions that the search can take: the numbers of a work-item's points are in its private memory.
    package static let mostDimensions = 2048

    /// Names what the two buffers hold.
    package init(numbers: DeviceBuffer<Int32>, bounds: DeviceBuffer<Float>, dimensions: Int) {
        self.numbers = numbers
        self.bounds = bounds
        self.dimensions = dimensions
    }

    /// Rows of a panel: one per four dimensions, and one of offsets before every 16 of those.
    package static func rows(_ dimensions: Int) -> Int {
        let steps = (dimensions + 3) / 4
        return steps + (steps + chunk - 1) / chunk
    }

    /// Bytes for so many centroids in panels of `width`, where they are made.
    package static func memory(centroids count: Int, dimensions: Int, width: Int) -> Int {
        guard isUseful(centroids: count, dimensions: dimensions) else { return 0 }
        return (count + width - 1) / width * (rows(dimensions) * width + boundCount) * MemoryLayout<Int32>.stride
    }

    static func isUseful(centroids count: Int, dimensions: Int) -> Bool {
        count >= leastCentroids && useful.contains(dimensions)
    }
}

extension Backend {
    /// Room for the coarse form of `centroids`; contents undefined.
    package func makeCoarsePanels(of centroids: Centroids) throws(ComputeError) -> CoarsePanels {
        CoarsePanels(
            numbers: try makeBuffer(
                of: Int32.self,
                count: centroids.panelCount * CoarsePanels.rows(centroids.dimensions) * centroids.panelWidth,
                label: "coarse centroids"),
            bounds: try makeBuffer(
                of: Float.self, count: centroids.panelCount * CoarsePanels.boundCount, label: "coarse bounds"),
            dimensions: centroids.dimensions)
    }

    /// The same where a search of them may be faster; nil where it is not. Whether the device's compiler has the
    /// instructions for the search is known to the kernel alone, which otherwise does without.
    package func makeCoarsePanelsIfUseful(of centroids: Centroids) throws(ComputeError) -> CoarsePanels? {
        guard let device = self as? OpenCLBackend, device.isInHostMemory, device.profile.vectorWidth >= 8,
            CoarsePanels.isUseful(centroids: centroids.count, dimensions: centroids.dimensions)
        else { return nil }
        return try makeCoarsePanels(of: centroids)
    }
}
