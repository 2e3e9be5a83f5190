extension CPUBackend {
    func linearInputGradient(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        relu input: DeviceBuffer<Float>?, inputGradient: DeviceBuffer<Float>, transposed: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        try shape.validate(
            "linear input gradient", tile: tile, input: inputGradient, output: outputGradient, weights: weights)
        let (tiles, inputs, outputs, stride) = (shape.batch.tiles, shape.inputs, shape.outputs, shape.outputStride)
        let dy = lanes(outputGradient)
        let dx = lanes(inputGradient)
        let activation = input.map { lanes($0) }
        let rows = transposed.map { pointer($0) }
        parallel(shape.batch.replicas * tiles * shape.inputStride) { index in
            let (batchTile, row) = (index / shape.inputStride, index % shape.inputStride)
            var sum = Lanes.zero
            if row < inputs {
                let w = pointer(weights, replica: batchTile / tiles) + row * stride
                let delta = dy + batchTile * outputs
                for out in 0..<outputs { sum += delta[out] * w[out] }
                if let activation {
                    sum.replace(with: Float.zero, where: activation[batchTile * inputs + row] .<= Float.zero)
                }
                dx[batchTile * inputs + row] = sum
            }
            if let rows {
                for sample in 0..<16 { rows[(batchTile * 16 + sample) * shape.inputStride + row] = sum[sample] }
            }
        }
    }
}
