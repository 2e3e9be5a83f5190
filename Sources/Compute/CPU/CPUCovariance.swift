extension CPUBackend {
    public func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, adding: Bool, tiles: DeviceBuffer<Int32>,
        sums: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        covariance(of: pointer(rows), shape, adding, tiles: pointer(tiles), sums: pointer(sums)) { value, _ in
            Float(value)
        } flush: {
            Int32($0)
        }
    }

    public func covariance(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, adding: Bool,
        tiles: DeviceBuffer<Float>, sums: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        try require(
            shift.count >= shape.dimensions, "covariance", "\(shift.count) shifts for \(shape.dimensions) columns")
        let shifts = pointer(shift)
        covariance(of: pointer(rows), shape, adding, tiles: pointer(tiles), sums: pointer(sums)) { value, column in
            value - shifts[column]
        } flush: {
            $0
        }
    }

    /// Every (part, pair of column blocks) on its own: chunks of rows are packed as lanes and as panels, their products
    /// summed in registers, and flushed into the tile.
    @inline(__always)
    private func covariance<Element, Sum: Numeric>(
        of rows: UnsafePointer<Element>, _ shape: CovarianceShape, _ adding: Bool,
        tiles: UnsafeMutablePointer<Sum>, sums: UnsafeMutablePointer<Sum>, value: (Element, Int) -> Float,
        flush: (Float) -> Sum
    ) {
        let width = CovarianceShape.width
        let chunk = CovarianceShape.chunkRows
        let laneBlocks = width / Lanes.scalarCount
        let panels = (width + cpuPanelWidth - 1) / cpuPanelWidth
        parallel(shape.parts * shape.pairs) { task in
            let part = task / shape.pairs
            let (blockA, blockB) = shape.blocks(ofPair: task % shape.pairs)
            let tile = tiles + task * width * width
            if !adding { tile.update(repeating: 0, count: width * width) }
            let scratch = Scratch(count: (chunk + cpuPanelWidth) * width + chunk * panels * cpuPanelWidth)
            let lanes = scratch.floats
            let panelSums = lanes + chunk * width
            let weights = panelSums + cpuPanelWidth * width
            let end = min(shape.count, (part + 1) * CovarianceShape.partRows)
            if blockA == blockB, !adding {
                for column in blockA * width..<min((blockA + 1) * width, shape.dimensions) {
                    sums[part * shape.dimensions + column] = 0
                }
            }
            for first in stride(from: part * CovarianceShape.partRows, to: end, by: chunk) {
                let count = min(chunk, end - first)
                for row in 0..<count {
                    let source = rows + (first + row) * shape.dimensions
                    for column in blockB * width..<min((blockB + 1) * width, shape.dimensions) {
                        let local = column - blockB * width
                        lanes[(local >> 4) * chunk * 16 + row * 16 + local & 15] = value(source[column], column)
                    }
                    for column in blockA * width..<min((blockA + 1) * width, shape.dimensions) {
                        let (panel, slot) = (column - blockA * width).quotientAndRemainder(dividingBy: cpuPanelWidth)
                        weights[(panel * chunk + row) * cpuPanelWidth + slot] = value(source[column], column)
                    }
                }
                let products = LaneProducts(
                    planes: 1, rows: 1, taps: count, outputs: cpuPanelWidth, columns: laneBlocks,
                    x_plane: 0, x_row: 0, x_tap: 1, x_column: chunk,
                    w_plane: 0, w_row: 0, w_tap: cpuPanelWidth, w_output: 1,
                    y_output: laneBlocks, y_column: 1)
                for panel in 0..<panels {
                    loops.products(products, lanes, weights + panel * chunk * cpuPanelWidth, into: panelSums)
                    let first = panel * cpuPanelWidth * width
                    for element in first..<min(first + cpuPanelWidth * width, width * width) {
                        tile[element] += flush(panelSums[element - first])
                    }
                }
                if blockA == blockB {
                    for column in blockA * width..<min((blockA + 1) * width, shape.dimensions) {
                        let local = column - blockA * width
                        var sum: Float = 0
                        for row in 0..<count { sum += lanes[(local >> 4) * chunk * 16 + row * 16 + local & 15] }
                        sums[part * shape.dimensions + column] += flush(sum)
                    }
                }
            }
        }
    }
}
