extension GatherSamples {
    package func compute(on backend: CPUBackend) {
        backend.beginStep(schedule, replicas: batch.replicas)
        let (tile, positions) = (backend.tile, features / channels)
        let (labels, scaling) = (backend.pointer(labels), backend.pointer(scaling))
        let (order, activations) = (backend.pointer(order), backend.pointer(output))
        let batchLabels = backend.pointer(batchLabels)
        backend.parallel(batch.replicas * batch.tiles) { index in
            let (replica, tileIndex) = (index / batch.tiles, index % batch.tiles)
            let (base, valid) = backend.batchUnderWay(schedule.current, replica)
            let target = activations + index * features * tile
            let count = validLanes(tile: tileIndex, of: valid)
            let chosen = order + replica * orderStride + base + tileIndex * tile
            switch samples {
            case .bytes(let buffer):
                let values = backend.pointer(buffer)
                let changes = augmentation.map {
                    (
                        UnsafePointer(backend.pointer($0.changes) + replica * orderStride + base + tileIndex * tile),
                        width: $0.width
                    )
                }
                backend.packImages(
                    count, channels: channels, positions: positions, scaling: scaling, changes: changes, into: target
                ) { UnsafePointer(values + Int(chosen[$0]) * features) }
            case .floats(let buffer):
                let values = backend.pointer(buffer)
                for channel in 0..<channels {
                    let (scale, shift) = (scaling[2 * channel], scaling[2 * channel + 1])
                    let first = channel * positions
                    packTile(rows: count, columns: positions, into: target + first * tile) {
                        UnsafePointer(values + Int(chosen[$0]) * features + first)
                    } value: { value, _ in
                        value * scale + shift
                    }
                }
            }
            for sample in 0..<tile {
                batchLabels[index * tile + sample] = sample < count ? Int32(labels[Int(chosen[sample])]) : -1
            }
        }
    }
}
