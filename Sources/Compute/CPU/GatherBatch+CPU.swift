extension CPUBackend {
    /// Reads the batches that `schedule.current` names into `output` and labels.
    func gatherBatch(_ gather: GatherBatch, output: DeviceBuffer<Float>) {
        let (tiles, pixels, positions) = (gather.batch.tiles, gather.pixels, gather.pixels / gather.channels)
        let images = pointer(gather.images)
        let labels = pointer(gather.labels)
        let order = pointer(gather.order)
        let scaling = pointer(gather.scaling)
        let activations = pointer(output)
        let batchLabels = pointer(gather.batchLabels)
        parallel(gather.batch.replicas * tiles) { index in
            let (replica, tileIndex) = (index / tiles, index % tiles)
            let (base, valid) = batchUnderWay(gather.schedule.current, replica)
            let target = activations + index * pixels * tile
            let samples = validLanes(tile: tileIndex, of: valid)
            let chosen = order + replica * gather.orderStride + base + tileIndex * tile
            let changes = gather.augmentation.map {
                (
                    UnsafePointer(pointer($0.changes) + replica * gather.orderStride + base + tileIndex * tile),
                    width: $0.width
                )
            }
            packImages(
                samples, channels: gather.channels, positions: positions, scaling: scaling, changes: changes,
                into: target
            ) { UnsafePointer(images + Int(chosen[$0]) * pixels) }
            for sample in 0..<tile {
                batchLabels[index * tile + sample] = sample < samples ? Int32(labels[Int(chosen[sample])]) : -1
            }
        }
    }
}
