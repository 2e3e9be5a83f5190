/// Points in a backend's memory, as tiles [tile][dimension][lane]: point i is lane i mod P of tile i / P. Lanes beyond
/// the last point hold zeros.
package struct Points {
    /// The coordinates.
    package let buffer: DeviceBuffer<Float>
    /// Number of points.
    package let count: Int
    /// Number of coordinates.
    package let dimensions: Int
    /// P.
    package let lanes: Int
    /// Number of tiles.
    package var tiles: Int { (count + lanes - 1) / lanes }

    /// Names what `buffer` holds, laid out as tiles of `lanes`; it may be longer.
    package init(buffer: DeviceBuffer<Float>, count: Int, dimensions: Int, lanes: Int) {
        self.buffer = buffer
        self.count = count
        self.dimensions = dimensions
        self.lanes = lanes
    }
}

extension Backend {
    /// Room for `count` points of `dimensions` coordinates; contents undefined.
    package func makePoints(count: Int, dimensions: Int) throws(ComputeError) -> Points {
        let tiles = (count + layout.pointLanes - 1) / layout.pointLanes
        let buffer = try makeBuffer(
            of: Float.self, count: tiles * dimensions * layout.pointLanes,
            label: "\(count) points of \(dimensions) dimensions"
        )
        return Points(buffer: buffer, count: count, dimensions: dimensions, lanes: layout.pointLanes)
    }
}
