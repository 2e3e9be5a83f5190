extension KmeansCoarse {
    /// As the kernel does it; Kernels/coarse_panels.clh derives the limits.
    package func compute(on backend: CPUBackend) {
        let width = CPUBackend.panelWidth
        let (count, dimensions) = (centroids.count, centroids.dimensions)
        let (steps, chunk) = ((dimensions + 3) / 4, CoarsePanels.chunk)
        let values = backend.pointer(centroids.values)
        let panels = backend.pointer(centroids.panels)
        let numbers = backend.pointer(coarse.numbers)
        let bounds = backend.pointer(coarse.bounds)
        backend.parallel(centroids.panelCount) { panel in
            let members = panel * width..<min((panel + 1) * width, count)
            var (largest, part, square, halfSquare): (Float, Float, Float, Float) = (0, 0, 0, 0)
            var isFine = true
            for centroid in members {
                var total: Float = 0
                for start in stride(from: 0, to: dimensions, by: 4 * chunk) {
                    var sums: (Float, Float) = (0, 0)
                    for dimension in start..<min(start + 4 * chunk, dimensions) {
                        let value = values[centroid * dimensions + dimension]
                        isFine = isFine && abs(value) <= CoarsePanels.mostLength
                        largest = max(largest, abs(value))
                        if dimension % 4 < 2 { sums.0 += value * value } else { sums.1 += value * value }
                    }
                    part = max(part, sums.0, sums.1)
                    total += sums.0 + sums.1
                }
                square = max(square, total)
                halfSquare = max(
                    halfSquare, -panels[panel * (1 + dimensions) * width + centroid - members.lowerBound])
            }
            let scale =
                isFine
                ? max(
                    largest / CoarsePanels.mostNumber, part.squareRoot() / CoarsePanels.mostNorm,
                    CoarsePanels.leastScale) : 1
            var error: Float = 0
            for slot in 0..<width {
                let centroid = members.lowerBound + slot
                let isUsed = isFine && centroid < members.upperBound
                var total: Float = 0
                for first in stride(from: 0, to: steps, by: chunk) {
                    let out =
                        numbers + (panel * CoarsePanels.rows(dimensions) + first / chunk * (1 + chunk)) * width + slot
                    var sums: (Int32, Int32) = (0, 0)
                    for step in first..<min(first + chunk, steps) {
                        var packed: UInt32 = 0
                        for byte in 0..<4 where isUsed && 4 * step + byte < dimensions {
                            let value = values[centroid * dimensions + 4 * step + byte]
                            let rounded = (value / scale).rounded(.toNearestOrEven)
                            let difference = value - scale * rounded
                            total += difference * difference
                            let number = Int32(rounded)
                            if byte < 2 { sums.0 += number } else { sums.1 += number }
                            packed |= (UInt32(bitPattern: number) & 0xFF) << UInt32(8 * byte)
                        }
                        out[(1 + step - first) * width] = Int32(bitPattern: packed)
                    }
                    let (low, high) = (UInt32(bitPattern: -128 * sums.0), UInt32(bitPattern: -128 * sums.1))
                    out[0] = Int32(bitPattern: low & 0xFFFF | high << 16)
                }
                error = max(error, total)
            }
            let out = bounds + panel * CoarsePanels.boundCount
            out[0] = scale
            out[1] = error.squareRoot()
            out[2] = isFine ? square.squareRoot() : .infinity
            out[3] = halfSquare
        }
    }
}
