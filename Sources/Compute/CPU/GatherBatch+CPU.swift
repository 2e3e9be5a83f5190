extension CPUBackend {
    /// Reads the batch that `schedule.current` names into `output` and labels.
    func gatherBatch(_ gather: GatherBatch, output: DeviceBuffer<Float>) {
        let (tiles, pixels) = (gather.batch.tiles, gather.pixels)
        let current = pointer(gather.schedule.current)
        let (base, valid) = (Int(current[0]), Int(current[1]))
        let images = pointer(gather.images)
        let labels = pointer(gather.labels)
        let order = pointer(gather.order)
        let (scale, shift) = (gather.scale, gather.shift)
        let activations = pointer(output)
        let batchLabels = pointer(gather.batchLabels)
        parallel(gather.batch.replicas * tiles) { index in
            let (replica, tileIndex) = (index / tiles, index % tiles)
            let target = activations + index * pixels * tile
            let samples = validLanes(tile: tileIndex, of: valid)
            let chosen = order + replica * gather.orderStride + base + tileIndex * tile
            packTile(rows: samples, columns: pixels, into: target) {
                UnsafePointer(images + Int(chosen[$0]) * pixels)
            } value: { pixel, _ in
                Float(pixel) * scale + shift
            }
            for sample in 0..<tile {
                batchLabels[index * tile + sample] = sample < samples ? Int32(labels[Int(chosen[sample])]) : -1
            }
        }
    }
}
