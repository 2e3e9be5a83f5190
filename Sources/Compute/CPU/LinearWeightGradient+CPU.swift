extension CPUBackend {
    func linearWeightGradient(
        _ shape: LinearShape, input: DeviceBuffer<Float>, transposedOutputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices
    ) throws(ComputeError) {
        try shape.validate("linear weight gradient", tile: tile, input: input, output: nil, weights: nil)
        let (tiles, inputs, vectors) = (shape.batch.tiles, shape.inputs, shape.outputStride / 16)
        let x = pointer(input)
        let delta = lanes(transposedOutputGradient)
        let rows = inputs + 1
        parallel(shape.batch.replicas * gradients.slices * rows) { index in
            let (part, row) = (index / rows, index % rows)
            let (replica, slice) = (part / gradients.slices, part % gradients.slices)
            let target = pointer(gradients, replica: replica, slice: slice) + row * shape.outputStride
            for vector in 0..<vectors {
                // The lanes are outputs here, so that no sum runs across lanes.
                var sum = Lanes.zero
                for tileIndex in gradients.tiles(of: slice, among: tiles) {
                    let batchTile = replica * tiles + tileIndex
                    let samples = x + (batchTile * inputs + row) * 16
                    for sample in 0..<16 {
                        let value = row < inputs ? samples[sample] : 1
                        sum += delta[(batchTile * 16 + sample) * vectors + vector] * value
                    }
                }
                for lane in 0..<16 { target[vector * 16 + lane] = sum[lane] }
            }
        }
    }
}
