extension KmeansPanels {
    package func compute(on backend: CPUBackend) {
        let width = CPUBackend.panelWidth
        let (count, dimensions) = (centroids.count, centroids.dimensions)
        let values = backend.pointer(centroids.values)
        let panels = backend.pointer(centroids.panels)
        backend.parallel(centroids.panelCount) { panel in
            let out = panels + panel * (1 + dimensions) * width
            for slot in 0..<width {
                let centroid = panel * width + slot
                var square: Float = 0
                for dimension in 0..<dimensions {
                    let value = centroid < count ? values[centroid * dimensions + dimension] : 0
                    out[(1 + dimension) * width + slot] = value
                    square += value * value
                }
                out[slot] = centroid < count ? -0.5 * square : -.infinity
            }
        }
    }
}
