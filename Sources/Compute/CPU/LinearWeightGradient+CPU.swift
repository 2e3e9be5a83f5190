extension CPUBackend {
    func linearWeightGradient(
        _ shape: LinearShape, input: DeviceBuffer<Float>, transposedOutputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices
    ) {
        let (tiles, inputs, vectors) = (shape.batch.tiles, shape.inputs, shape.outputStride / tile)
        let x = pointer(input)
        let delta = pointer(transposedOutputGradient)
        // Some inputs a task; the last task of each slice has the biases, whose inputs are 1.
        let block = 48
        let blocks = (inputs + block - 1) / block
        parallel(shape.batch.replicas * gradients.slices * (blocks + 1)) { index in
            let (part, first) = (index / (blocks + 1), index % (blocks + 1) * block)
            let (replica, slice) = (part / gradients.slices, part % gradients.slices)
            let isBias = index % (blocks + 1) == blocks
            let row = isBias ? inputs : first
            let summed = gradients.tiles(of: slice, among: tiles)
            let firstTile = replica * tiles + summed.lowerBound
            // The lanes are outputs here, so that no sum runs across lanes; the taps are samples.
            let products = LaneProducts(
                planes: summed.count, rows: 1, taps: tile, outputs: isBias ? 1 : min(block, inputs - first),
                columns: vectors,
                x_plane: tile * vectors, x_row: 0, x_tap: vectors, x_column: 1,
                w_plane: isBias ? 0 : inputs * tile, w_row: 0, w_tap: isBias ? 0 : 1, w_output: isBias ? 0 : tile,
                y_output: vectors, y_column: 1)
            let target = pointer(gradients, replica: replica, slice: slice) + row * shape.outputStride
            withUnsafePointer(to: Float(1)) { one in
                loops.products(
                    products, delta + firstTile * tile * vectors * tile,
                    isBias ? one : UnsafePointer(x + (firstTile * inputs + first) * tile), into: target)
            }
        }
    }
}
