extension ReluForward {
    package func compute(on backend: CPUBackend) {
        let (input, output) = (backend.pointer(input), backend.pointer(output))
        backend.parallel(batch.replicas * batch.tiles) { batchTile in
            let first = batchTile * features * backend.tile
            backend.loops.normaliseRelu(input + first, count: features, scale: 1, shift: 0, into: output + first)
        }
    }
}
