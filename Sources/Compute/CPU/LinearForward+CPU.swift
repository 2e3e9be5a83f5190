extension CPUBackend {
    func linearForward(
        _ shape: LinearShape, relu: Bool, input: DeviceBuffer<Float>, weights: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try shape.validate("linear forward", tile: tile, input: input, output: output, weights: weights)
        let (tiles, inputs, outputs, stride) = (shape.batch.tiles, shape.inputs, shape.outputs, shape.outputStride)
        let x = lanes(input)
        let y = lanes(output)
        let pairs = (outputs + 1) / 2
        parallel(shape.batch.replicas * tiles * pairs) { index in
            let (batchTile, out) = (index / pairs, index % pairs * 2)
            let w = pointer(weights, replica: batchTile / tiles) + out
            let source = x + batchTile * inputs
            // Columns past the last output are padding, so that the second of a pair can always be computed.
            var first = Lanes(repeating: w[inputs * stride])
            var second = Lanes(repeating: w[inputs * stride + 1])
            var row = 0
            while row < inputs {
                let value = source[row]
                first += value * w[row * stride]
                second += value * w[row * stride + 1]
                row += 1
            }
            if relu {
                // Written so that a NaN passes.
                first.replace(with: Float.zero, where: first .<= Float.zero)
                second.replace(with: Float.zero, where: second .<= Float.zero)
            }
            y[batchTile * outputs + out] = first
            if out + 1 < outputs { y[batchTile * outputs + out + 1] = second }
        }
    }
}
