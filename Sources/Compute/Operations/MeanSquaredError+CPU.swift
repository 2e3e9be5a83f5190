extension MeanSquaredError {
    package func compute(on backend: CPUBackend) {
        let (tile, stride) = (backend.tile, paddedColumns(values))
        let (output, target, delta) = (backend.pointer(output), backend.pointer(target), backend.pointer(delta))
        let (transposed, losses) = (backend.pointer(transposedDelta), backend.pointer(lossAndCorrect))
        backend.parallel(batch.replicas * batch.tiles) { batchTile in
            let valid = backend.batchUnderWay(current, batchTile / batch.tiles).valid
            let factor = 2 / (Float(valid) * Float(values))
            let first = batchTile * values * tile
            let counted = validLanes(tile: batchTile % batch.tiles, of: valid)
            let squares = backend.loops.squaredError(
                output + first, target: target + first, count: values, factor: factor, lanes: counted,
                into: delta + first)
            backend.transposeTile(
                delta + first, count: values, columns: 0..<stride, stride: stride,
                into: transposed + batchTile * tile * stride)
            losses[2 * batchTile] = squares.masked(to: counted).total / Float(values)
            losses[2 * batchTile + 1] = 0
        }
    }
}
