extension CPUBackend {
    /// Reads the batch that `schedule.current` names into `output` and labels.
    func gatherBatch(_ gather: GatherBatch, output: DeviceBuffer<Float>) {
        let (tiles, pixels, positions) = (gather.batch.tiles, gather.pixels, gather.pixels / gather.channels)
        let current = pointer(gather.schedule.current)
        let (base, valid) = (Int(current[0]), Int(current[1]))
        let images = pointer(gather.images)
        let labels = pointer(gather.labels)
        let order = pointer(gather.order)
        let scaling = pointer(gather.scaling)
        let activations = pointer(output)
        let batchLabels = pointer(gather.batchLabels)
        parallel(gather.batch.replicas * tiles) { index in
            let (replica, tileIndex) = (index / tiles, index % tiles)
            let target = activations + index * pixels * tile
            let samples = validLanes(tile: tileIndex, of: valid)
            let chosen = order + replica * gather.orderStride + base + tileIndex * tile
            for channel in 0..<gather.channels {
                let (scale, shift) = (scaling[2 * channel], scaling[2 * channel + 1])
                let first = channel * positions
                packTile(rows: samples, columns: positions, into: target + first * tile) {
                    UnsafePointer(images + Int(chosen[$0]) * pixels + first)
                } value: { pixel, _ in
                    Float(pixel) * scale + shift
                }
            }
            for sample in 0..<tile {
                batchLabels[index * tile + sample] = sample < samples ? Int32(labels[Int(chosen[sample])]) : -1
            }
        }
    }
}
