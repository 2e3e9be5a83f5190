extension CPUBackend {
    public func conv2dBiasGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, gradients: GradientSlices, offset: Int
    ) throws(ComputeError) {
        try shape.validate("conv2d bias gradient", tile: tile, input: nil, output: outputGradient, weights: nil)
        try gradients.validate("conv2d bias gradient", batch: shape.batch, offset: offset, count: shape.outChannels)
        let outs = shape.outChannels
        let positions = shape.outHeight * shape.outWidth
        let dy = lanes(outputGradient)
        parallel(shape.batch.replicas * gradients.slices * outs) { index in
            let (part, out) = (index / outs, index % outs)
            let (replica, slice) = (part / gradients.slices, part % gradients.slices)
            var sum = Lanes.zero
            for tileIndex in gradients.tiles(of: slice, among: shape.batch.tiles) {
                let plane = dy + ((replica * shape.batch.tiles + tileIndex) * outs + out) * positions
                for position in 0..<positions { sum += plane[position] }
            }
            pointer(gradients, replica: replica, slice: slice)[offset + out] = sum.total
        }
    }
}
