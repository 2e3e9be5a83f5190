extension ReluBackward {
    package func compute(on backend: CPUBackend) {
        let (tile, stride) = (backend.tile, paddedColumns(features))
        backend.reluBackward(batch, count: features, output: output, gradient: gradient)
        guard let transposedGradient else { return }
        let (gradient, transposed) = (backend.pointer(gradient), backend.pointer(transposedGradient))
        backend.parallel(batch.replicas * batch.tiles) { batchTile in
            backend.transposeTile(
                gradient + batchTile * features * tile, count: features, columns: 0..<stride, stride: stride,
                into: transposed + batchTile * tile * stride)
        }
    }
}

extension CPUBackend {
    /// Puts 0 into a gradient where the ReLU's output, `count` values per sample, is not positive.
    func reluBackward(
        _ batch: BatchShape, count: Int, output: DeviceBuffer<Float>, gradient: DeviceBuffer<Float>
    ) {
        let (y, dy) = (pointer(output), pointer(gradient))
        parallel(batch.replicas * batch.tiles) { batchTile in
            let first = batchTile * count * tile
            loops.reluBackward(y + first, count: count, gradient: dy + first)
        }
    }
}
