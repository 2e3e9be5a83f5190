/// A projection W (x - mean): W as panels [panel][1 + D][R] with -W mean as first row.
package struct Projection {
    /// W in panels.
    package let panels: DeviceBuffer<Float>
    /// The mean, [D].
    package let mean: DeviceBuffer<Float>
    /// Rows of W: dimensions of what comes out.
    package let components: Int
    /// D.
    package let dimensions: Int
    /// R.
    package let panelWidth: Int
    /// Number of panels.
    package var panelCount: Int { (components + panelWidth - 1) / panelWidth }
}

extension Backend {
    /// A projection by `weights` [components][dimensions] after subtracting `mean` [dimensions].
    package func makeProjection(weights: [Float], mean: [Float]) throws(ComputeError) -> Projection {
        let dimensions = mean.count
        let components = dimensions == 0 ? 0 : weights.count / dimensions
        let panelWidth = layout.panelWidth
        let panels = (components + panelWidth - 1) / panelWidth
        var packed = [Float](repeating: 0, count: panels * (1 + dimensions) * panelWidth)
        for component in 0..<components {
            let start = component / panelWidth * (1 + dimensions) * panelWidth + component % panelWidth
            var atMean = 0.0
            for column in 0..<dimensions {
                let weight = weights[component * dimensions + column]
                packed[start + (1 + column) * panelWidth] = weight
                atMean += Double(weight) * Double(mean[column])
            }
            packed[start] = Float(-atMean)
        }
        return Projection(
            panels: try makeBuffer(packed, label: "projection"), mean: try makeBuffer(mean, label: "mean"),
            components: components, dimensions: dimensions, panelWidth: panelWidth)
    }
}
