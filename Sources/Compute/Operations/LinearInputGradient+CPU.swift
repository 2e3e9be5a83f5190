extension LinearInputGradient {
    package func compute(on backend: CPUBackend) {
        backend.linearInputGradient(
            shape, outputGradient: outputGradient, weights: weights, relu: nil, inputGradient: inputGradient,
            transposed: transposedGradient)
    }
}

extension CPUBackend {
    func linearInputGradient(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        relu input: DeviceBuffer<Float>?, inputGradient: DeviceBuffer<Float>, transposed: DeviceBuffer<Float>?
    ) {
        let (tiles, inputs, outputs, stride) = (shape.batch.tiles, shape.inputs, shape.outputs, shape.outputStride)
        let dy = pointer(outputGradient)
        let dx = pointer(inputGradient)
        let activation = input.map { pointer($0) }
        let rows = transposed.map { pointer($0) }
        // Some inputs a task, for all tiles: they share the weights.
        let block = 48
        let blocks = (shape.inputStride + block - 1) / block
        parallel(shape.batch.replicas * blocks) { index in
            let (replica, first) = (index / blocks, index % blocks * block)
            let end = min(first + block, inputs)
            if first < end {
                let products = LaneProducts(
                    planes: 1, rows: 1, taps: outputs, outputs: end - first, columns: tiles,
                    x_plane: 0, x_row: 0, x_tap: 1, x_column: outputs,
                    w_plane: 0, w_row: 0, w_tap: 1, w_output: stride,
                    y_output: 1, y_column: inputs)
                loops.products(
                    products, dy + replica * tiles * outputs * tile,
                    pointer(weights, replica: replica) + first * stride,
                    into: dx + (replica * tiles * inputs + first) * tile)
            }
            for batchTile in replica * tiles..<(replica + 1) * tiles {
                let gradient = dx + batchTile * inputs * tile
                if let activation, first < end {
                    let values = activation + (batchTile * inputs + first) * tile
                    loops.reluBackward(values, count: end - first, gradient: gradient + first * tile)
                }
                guard let rows else { continue }
                transposeTile(
                    gradient, count: inputs, columns: first..<min(first + block, shape.inputStride),
                    stride: shape.inputStride, into: rows + batchTile * tile * shape.inputStride)
            }
        }
    }
}
