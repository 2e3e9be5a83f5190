extension TanhForward {
    package func compute(on backend: CPUBackend) {
        let (input, output) = (backend.pointer(input), backend.pointer(output))
        backend.parallel(batch.replicas * batch.tiles) { batchTile in
            let first = batchTile * features * backend.tile
            backend.loops.tanhForward(input + first, count: features, into: output + first)
        }
    }
}
