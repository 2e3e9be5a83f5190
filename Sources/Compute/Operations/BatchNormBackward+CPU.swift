extension BatchNormBackward {
    package func compute(on backend: CPUBackend) {
        let (channels, positions, tiles) = (layer.channels, layer.positions, layer.batch.tiles)
        let (input, gradient) = (backend.pointer(input), backend.pointer(gradient))
        let size = positions * backend.tile
        backend.parallel(layer.batch.replicas * channels) { index in
            let (replica, channel) = (index / channels, index % channels)
            let valid = backend.batchUnderWay(layer.current, replica).valid
            let count = Float(valid) * Float(positions)
            let saved = backend.pointer(layer.saved) + 2 * index
            func plane(_ tileIndex: Int) -> Int { ((replica * tiles + tileIndex) * channels + channel) * size }
            var (sum, product) = (Lanes.zero, Lanes.zero)
            for tileIndex in 0..<tiles {
                let counted = validLanes(tile: tileIndex, of: valid)
                let own = backend.loops.poolSums(
                    pooled: input + plane(tileIndex), gradient: gradient + plane(tileIndex), count: positions,
                    mean: saved[0], inverse: saved[1])
                sum += own.sums.masked(to: counted)
                product += own.products.masked(to: counted)
            }
            let slice = backend.pointer(gradients.values) + replica * gradients.parameterCount
            slice[layer.gamma.offset + channel] = product.total
            slice[layer.beta.offset + channel] = sum.total
            for tileIndex in 0..<tiles {
                backend.loops.normaliseBackward(
                    LaneBatchNormSlope(
                        mean: saved[0], inverse: saved[1], shift: sum.total / count, slope: product.total / count,
                        factor: backend.pointer(layer.gamma, replica: replica)[channel] * saved[1],
                        lanes: validLanes(tile: tileIndex, of: valid)),
                    input + plane(tileIndex), count: positions, gradient: gradient + plane(tileIndex))
            }
        }
        guard let transposedGradient else { return }
        let (transposed, stride) = (backend.pointer(transposedGradient), paddedColumns(layer.features))
        backend.parallel(layer.batch.replicas * tiles) { batchTile in
            backend.transposeTile(
                gradient + batchTile * channels * size, count: layer.features, columns: 0..<stride, stride: stride,
                into: transposed + batchTile * backend.tile * stride)
        }
    }
}
