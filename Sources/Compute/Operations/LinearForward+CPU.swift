extension LinearForward {
    package func compute(on backend: CPUBackend) {
        backend.linearForward(shape, relu: false, input: input, weights: weights, output: output)
    }
}

extension CPUBackend {
    func linearForward(
        _ shape: LinearShape, relu: Bool, input: DeviceBuffer<Float>, weights: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) {
        let (tiles, inputs, outputs, stride) = (shape.batch.tiles, shape.inputs, shape.outputs, shape.outputStride)
        let x = pointer(input)
        let y = pointer(output)
        // Some outputs a task, for all tiles: they share the weights.
        let block = 24
        let blocks = (outputs + block - 1) / block
        parallel(shape.batch.replicas * blocks) { index in
            let (replica, first) = (index / blocks, index % blocks * block)
            let count = min(block, outputs - first)
            let products = LaneProducts(
                planes: 1, rows: 1, taps: inputs, outputs: count, columns: tiles,
                x_plane: 0, x_row: 0, x_tap: 1, x_column: inputs,
                w_plane: 0, w_row: 0, w_tap: stride, w_output: 1,
                y_output: 1, y_column: outputs)
            let w = pointer(weights, replica: replica) + first
            let target = y + (replica * tiles * outputs + first) * tile
            loops.products(products, x + replica * tiles * inputs * tile, w, start: w + inputs * stride, into: target)
            guard relu else { return }
            for tileIndex in 0..<tiles {
                let values = (target + tileIndex * outputs * tile).lanes
                for output in 0..<count {
                    // Written so that a NaN passes.
                    values[output].replace(with: Float.zero, where: values[output] .<= Float.zero)
                }
            }
        }
    }
}
