extension GatherSamples {
    package func compute(on backend: CPUBackend) {
        backend.beginStep(schedule)
        let (tile, positions) = (backend.tile, features / channels)
        let current = backend.pointer(schedule.current)
        let (base, valid) = (Int(current[0]), Int(current[1]))
        let (labels, scaling) = (backend.pointer(labels), backend.pointer(scaling))
        let (order, activations) = (backend.pointer(order), backend.pointer(output))
        let batchLabels = backend.pointer(batchLabels)
        backend.parallel(batch.replicas * batch.tiles) { index in
            let (replica, tileIndex) = (index / batch.tiles, index % batch.tiles)
            let target = activations + index * features * tile
            let count = validLanes(tile: tileIndex, of: valid)
            let chosen = order + replica * orderStride + base + tileIndex * tile
            func value(_ feature: Float, _ column: Int) -> Float {
                let channel = column / positions
                return feature * scaling[2 * channel] + scaling[2 * channel + 1]
            }
            switch samples {
            case .bytes(let buffer):
                let values = backend.pointer(buffer)
                packTile(rows: count, columns: features, into: target) {
                    UnsafePointer(values + Int(chosen[$0]) * features)
                } value: {
                    value(Float($0), $1)
                }
            case .floats(let buffer):
                let values = backend.pointer(buffer)
                packTile(rows: count, columns: features, into: target) {
                    UnsafePointer(values + Int(chosen[$0]) * features)
                } value: {
                    value($0, $1)
                }
            }
            for sample in 0..<tile {
                batchLabels[index * tile + sample] = sample < count ? Int32(labels[Int(chosen[sample])]) : -1
            }
        }
    }
}
