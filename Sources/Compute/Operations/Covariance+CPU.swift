extension Covariance {
    package func compute(on backend: CPUBackend) {
        switch operands {
        case .bytes(let rows, let tiles, let sums):
            sum(
                backend.pointer(rows), tiles: backend.pointer(tiles), sums: backend.pointer(sums), on: backend
            ) { row, columns, out in
                for (lane, column) in columns.enumerated() { out[lane] = Float(row[column]) }
            } flush: { products, count, tile in
                for element in 0..<count { tile[element] += Int32(products[element]) }
            }
        case .floats(let rows, let shift, let tiles, let sums):
            let shifts = backend.pointer(shift)
            sum(
                backend.pointer(rows), tiles: backend.pointer(tiles), sums: backend.pointer(sums), on: backend
            ) { row, columns, out in
                for (lane, column) in columns.enumerated() { out[lane] = row[column] - shifts[column] }
            } flush: { products, count, tile in
                for element in 0..<count { tile[element] += products[element] }
            }
        }
    }

    /// Every part of the rows on its own, in chunks that are packed once, as blocks of a vector's columns:
    /// [block][row][lane]. The products of each pair of column blocks are summed in registers over a chunk, and flushed
    /// into its tile.
    @inline(__always)
    private func sum<Element, Sum: Numeric>(
        _ rows: UnsafePointer<Element>, tiles: UnsafeMutablePointer<Sum>, sums: UnsafeMutablePointer<Sum>,
        on backend: CPUBackend,
        pack: (_ row: UnsafePointer<Element>, _ columns: Range<Int>, _ out: UnsafeMutablePointer<Float>) -> Void,
        flush: (_ products: UnsafePointer<Float>, _ count: Int, _ tile: UnsafeMutablePointer<Sum>) -> Void
    ) {
        let (shape, adding, loops) = (shape, adding, backend.loops)
        let (width, chunk, dimensions) = (CovarianceShape.width, CovarianceShape.chunkRows, shape.dimensions)
        let lanes = Lanes.scalarCount
        let laneBlocks = width / lanes
        let blockSize = width * chunk
        backend.parallel(shape.parts) { part in
            let partTiles = tiles + part * shape.pairs * width * width
            let partSums = sums + part * dimensions
            if !adding {
                partTiles.update(repeating: 0, count: shape.pairs * width * width)
                partSums.update(repeating: 0, count: dimensions)
            }
            let scratch = Scratch(count: shape.blocks * blockSize + lanes * width)
            defer { extendLifetime(scratch) }
            let packed = scratch.floats
            let products = packed + shape.blocks * blockSize
            let end = min(shape.count, (part + 1) * CovarianceShape.partRows)
            for first in stride(from: part * CovarianceShape.partRows, to: end, by: chunk) {
                let count = min(chunk, end - first)
                for row in 0..<count {
                    for column in stride(from: 0, to: dimensions, by: lanes) {
                        pack(
                            rows + (first + row) * dimensions, column..<min(column + lanes, dimensions),
                            packed + column * chunk + row * lanes)
                    }
                }
                // A vector's columns of one block times all of the other.
                let nest = LaneProducts(
                    planes: 1, rows: 1, taps: count, outputs: lanes, columns: laneBlocks,
                    x_plane: 0, x_row: 0, x_tap: 1, x_column: chunk,
                    w_plane: 0, w_row: 0, w_tap: lanes, w_output: 1, y_output: laneBlocks, y_column: 1)
                for pair in 0..<shape.pairs {
                    let (row, column) = shape.blocks(ofPair: pair)
                    for block in 0..<laneBlocks {
                        loops.products(
                            nest, packed + column * blockSize, packed + row * blockSize + block * chunk * lanes,
                            into: products)
                        flush(products, lanes * width, partTiles + pair * width * width + block * lanes * width)
                    }
                }
                for block in stride(from: 0, to: dimensions, by: lanes) {
                    products.update(repeating: 0, count: lanes)
                    let values = packed + block * chunk
                    for row in 0..<count { for lane in 0..<lanes { products[lane] += values[row * lanes + lane] } }
                    flush(products, min(lanes, dimensions - block), partSums + block)
                }
            }
        }
    }
}
