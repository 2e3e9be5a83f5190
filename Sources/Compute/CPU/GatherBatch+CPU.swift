extension CPUBackend {
    /// Reads the batch that `schedule.current` names into `output` and labels.
    func gatherBatch(_ gather: GatherBatch, output: DeviceBuffer<Float>) throws(ComputeError) {
        try gather.validate(tile: tile)
        let (tiles, pixels) = (gather.batch.tiles, gather.pixels)
        let current = pointer(gather.schedule.current)
        let (base, valid) = (Int(current[0]), Int(current[1]))
        let images = pointer(gather.images)
        let labels = pointer(gather.labels)
        let order = pointer(gather.order)
        let activations = pointer(output)
        let batchLabels = pointer(gather.batchLabels)
        parallel(gather.batch.replicas * tiles) { index in
            let (replica, tileIndex) = (index / tiles, index % tiles)
            let target = activations + index * pixels * 16
            for sample in 0..<16 {
                let position = tileIndex * 16 + sample
                guard position < valid else {
                    batchLabels[index * 16 + sample] = -1
                    for pixel in 0..<pixels { target[pixel * 16 + sample] = 0 }
                    continue
                }
                let image = Int(order[replica * gather.orderStride + base + position])
                batchLabels[index * 16 + sample] = Int32(labels[image])
                let source = images + image * pixels
                for pixel in 0..<pixels {
                    target[pixel * 16 + sample] = Float(source[pixel]) * gather.scale + gather.shift
                }
            }
        }
    }
}
