extension CPUBackend {
    func batchNormStatistics(_ layer: BatchNormReluPool, input: DeviceBuffer<Float>) {
        let (tiles, channels) = (layer.shape.batch.tiles, layer.shape.channels)
        let positions = layer.shape.height * layer.shape.width
        let y = pointer(input)
        let partials = pointer(layer.partials)
        parallel(layer.shape.batch.replicas * tiles * channels) { index in
            let valid = batchUnderWay(layer.current, index / (tiles * channels)).valid
            let counted = validLanes(tile: index / channels % tiles, of: valid)
            let plane = y + index * positions * tile
            // Deviations from each lane's first value keep the sum of squares from cancelling.
            let (sum, squares) = loops.moments(plane, count: positions)
            let pivot = UnsafeMutableRawPointer(plane).loadUnaligned(as: Lanes.self)
            let laneMean = pivot + sum / Float(positions)
            let laneSquares = squares - sum * sum / Float(positions)
            let mean = counted == 0 ? 0 : laneMean.masked(to: counted).total / Float(counted)
            let spread = laneMean - mean
            partials[2 * index] = mean
            partials[2 * index + 1] = (laneSquares + spread * spread * Float(positions)).masked(to: counted).total
        }
    }
}
