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
