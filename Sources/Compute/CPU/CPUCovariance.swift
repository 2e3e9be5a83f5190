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

    /// Every (part, pair of column blocks) on its own: chunks of rows are packed as lanes, their products summed in
    /// registers, and flushed into the tile.
    @inline(__always)
    private func covariance<Element, Sum: Numeric>(
        of rows: UnsafePointer<Element>, _ shape: CovarianceShape, _ adding: Bool,
        tiles: UnsafeMutablePointer<Sum>, sums: UnsafeMutablePointer<Sum>, value: (Element, Int) -> Float,
        flush: (Float) -> Sum
    ) {
        let width = CovarianceShape.width
        let chunk = CovarianceShape.chunkRows
        let laneBlocks = width / Lanes.scalarCount
        parallel(shape.parts * shape.pairs) { task in
            let part = task / shape.pairs
            let (blockA, blockB) = shape.blocks(ofPair: task % shape.pairs)
            let tile = tiles + task * width * width
            if !adding { tile.update(repeating: 0, count: width * width) }
            let scratch = Scratch(count: (2 * chunk + 16) * width)
            defer { extendLifetime(scratch) }
            let lanesA = scratch.floats
            let lanesB = blockA == blockB ? lanesA : lanesA + chunk * width
            let products = lanesA + 2 * chunk * width
            let end = min(shape.count, (part + 1) * CovarianceShape.partRows)
            if blockA == blockB, !adding {
                for column in blockA * width..<min((blockA + 1) * width, shape.dimensions) {
                    sums[part * shape.dimensions + column] = 0
                }
            }
            for first in stride(from: part * CovarianceShape.partRows, to: end, by: chunk) {
                let count = min(chunk, end - first)
                for (block, lanes) in blockA == blockB ? [(blockA, lanesA)] : [(blockA, lanesA), (blockB, lanesB)] {
                    let columns = min((block + 1) * width, shape.dimensions)
                    for row in 0..<count {
                        let source = rows + (first + row) * shape.dimensions
                        for start in stride(from: block * width, to: columns, by: 16) {
                            let target = lanes + (start - block * width) * chunk + row * 16
                            for lane in 0..<min(16, columns - start) {
                                target[lane] = value(source[start + lane], start + lane)
                            }
                        }
                    }
                }
                // Sixteen columns of one block times all of the other.
                let nest = LaneProducts(
                    planes: 1, rows: 1, taps: count, outputs: 16, columns: laneBlocks,
                    x_plane: 0, x_row: 0, x_tap: 1, x_column: chunk,
                    w_plane: 0, w_row: 0, w_tap: 16, w_output: 1, y_output: laneBlocks, y_column: 1)
                for block in 0..<laneBlocks {
                    loops.products(nest, lanesB, lanesA + block * chunk * 16, into: products)
                    let target = tile + block * 16 * width
                    for element in 0..<16 * width { target[element] += flush(products[element]) }
                }
                if blockA == blockB {
                    for column in blockA * width..<min((blockA + 1) * width, shape.dimensions) {
                        let local = column - blockA * width
                        var sum: Float = 0
                        for row in 0..<count { sum += lanesA[(local >> 4) * chunk * 16 + row * 16 + local & 15] }
                        sums[part * shape.dimensions + column] += flush(sum)
                    }
                }
            }
        }
    }
}
