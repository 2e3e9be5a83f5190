extension CPUBackend {
    package func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, adding: Bool, tiles: DeviceBuffer<Int32>,
        sums: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        covariance(of: pointer(rows), shape, adding, tiles: pointer(tiles), sums: pointer(sums)) { row, columns, out in
            for (lane, column) in columns.enumerated() { out[lane] = Float(row[column]) }
        } flush: { products, count, tile in
            for element in 0..<count { tile[element] += Int32(products[element]) }
        }
    }

    package func covariance(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, adding: Bool,
        tiles: DeviceBuffer<Float>, sums: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        try require(
            shift.count >= shape.dimensions, "covariance", "\(shift.count) shifts for \(shape.dimensions) columns")
        let shifts = pointer(shift)
        covariance(of: pointer(rows), shape, adding, tiles: pointer(tiles), sums: pointer(sums)) { row, columns, out in
            for (lane, column) in columns.enumerated() { out[lane] = row[column] - shifts[column] }
        } flush: { products, count, tile in
            for element in 0..<count { tile[element] += products[element] }
        }
    }

    /// Every part of the rows on its own, in chunks that are packed once, as blocks of 16 columns: [block][row][16]. The
    /// products of each pair of column blocks are summed in registers over a chunk, and flushed into its tile.
    @inline(__always)
    private func covariance<Element, Sum: Numeric>(
        of rows: UnsafePointer<Element>, _ shape: CovarianceShape, _ adding: Bool,
        tiles: UnsafeMutablePointer<Sum>, sums: UnsafeMutablePointer<Sum>,
        pack: (_ row: UnsafePointer<Element>, _ columns: Range<Int>, _ out: UnsafeMutablePointer<Float>) -> Void,
        flush: (_ products: UnsafePointer<Float>, _ count: Int, _ tile: UnsafeMutablePointer<Sum>) -> Void
    ) {
        let (width, chunk, dimensions) = (CovarianceShape.width, CovarianceShape.chunkRows, shape.dimensions)
        let laneBlocks = width / Lanes.scalarCount
        let blockSize = width * chunk
        parallel(shape.parts) { part in
            let partTiles = tiles + part * shape.pairs * width * width
            let partSums = sums + part * dimensions
            if !adding {
                partTiles.update(repeating: 0, count: shape.pairs * width * width)
                partSums.update(repeating: 0, count: dimensions)
            }
            let scratch = Scratch(count: shape.blocks * blockSize + 16 * width)
            defer { extendLifetime(scratch) }
            let packed = scratch.floats
            let products = packed + shape.blocks * blockSize
            let end = min(shape.count, (part + 1) * CovarianceShape.partRows)
            for first in stride(from: part * CovarianceShape.partRows, to: end, by: chunk) {
                let count = min(chunk, end - first)
                for row in 0..<count {
                    for column in stride(from: 0, to: dimensions, by: 16) {
                        pack(
                            rows + (first + row) * dimensions, column..<min(column + 16, dimensions),
                            packed + column * chunk + row * 16)
                    }
                }
                // Sixteen columns of one block times all of the other.
                let nest = LaneProducts(
                    planes: 1, rows: 1, taps: count, outputs: 16, columns: laneBlocks,
                    x_plane: 0, x_row: 0, x_tap: 1, x_column: chunk,
                    w_plane: 0, w_row: 0, w_tap: 16, w_output: 1, y_output: laneBlocks, y_column: 1)
                for pair in 0..<shape.pairs {
                    let (row, column) = shape.blocks(ofPair: pair)
                    for block in 0..<laneBlocks {
                        loops.products(
                            nest, packed + column * blockSize, packed + row * blockSize + block * chunk * 16,
                            into: products)
                        flush(products, 16 * width, partTiles + pair * width * width + block * 16 * width)
                    }
                }
                for block in stride(from: 0, to: dimensions, by: 16) {
                    products.update(repeating: 0, count: 16)
                    let values = packed + block * chunk
                    for row in 0..<count { for lane in 0..<16 { products[lane] += values[row * 16 + lane] } }
                    flush(products, min(16, dimensions - block), partSums + block)
                }
            }
        }
    }
}
