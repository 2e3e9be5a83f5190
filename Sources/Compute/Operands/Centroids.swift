/// k centroids, row by row and as panels [panel][1 + d][R] whose first row is -|c|²/2 (-infinity where there is no
/// centroid), so that point · centroid + first row ranks centroids as the distance does.
package struct Centroids {
    /// The coordinates, [k][d].
    package let values: DeviceBuffer<Float>
    /// The same in panels; ``KmeansPanels`` fills them.
    package let panels: DeviceBuffer<Float>
    /// k.
    package let count: Int
    /// d.
    package let dimensions: Int
    /// R.
    package let panelWidth: Int
    /// Number of panels.
    package var panelCount: Int { (count + panelWidth - 1) / panelWidth }

    /// Names what the two buffers hold.
    package init(
        values: DeviceBuffer<Float>, panels: DeviceBuffer<Float>, count: Int, dimensions: Int, panelWidth: Int
    ) {
        self.values = values
        self.panels = panels
        self.count = count
        self.dimensions = dimensions
        self.panelWidth = panelWidth
    }
}

extension Backend {
    /// Room for `count` centroids; contents undefined.
    package func makeCentroids(count: Int, dimensions: Int) throws(ComputeError) -> Centroids {
        let panels = (count + layout.panelWidth - 1) / layout.panelWidth
        return Centroids(
            values: try makeBuffer(of: Float.self, count: count * dimensions, label: "centroids"),
            panels: try makeBuffer(
                of: Float.self, count: panels * (1 + dimensions) * layout.panelWidth + CoarsePanels.padding,
                label: "centroid panels"),
            count: count, dimensions: dimensions, panelWidth: layout.panelWidth)
    }
}
