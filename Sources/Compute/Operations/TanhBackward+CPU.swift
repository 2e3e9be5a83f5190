extension TanhBackward {
    package func compute(on backend: CPUBackend) {
        let (tile, stride) = (backend.tile, paddedColumns(features))
        let (output, gradient) = (backend.pointer(output), backend.pointer(gradient))
        let transposed = transposedGradient.map { backend.pointer($0) }
        backend.parallel(batch.replicas * batch.tiles) { batchTile in
            let first = batchTile * features * tile
            backend.loops.tanhBackward(output + first, count: features, gradient: gradient + first)
            guard let transposed else { return }
            backend.transposeTile(
                gradient + first, count: features, columns: 0..<stride, stride: stride,
                into: transposed + batchTile * tile * stride)
        }
    }
}
