extension CPUBackend {
    package func conv2dWeightGradients(_ block: ConvolutionBlock, next: ConvolutionBlock, gradients: StepGradients)
        throws(ComputeError)
    {
        try block.validate("conv2d weight gradients", tile: tile)
        try next.validate("conv2d weight gradients", tile: tile)
        try next.validate("conv2d weight gradients", follows: block)
        try gradients.validate("conv2d weight gradients", batch: block.shape.batch)
        try gradients.validate("conv2d weight gradients", hold: block.weights, sliced: block.shape.weightCount)
        try gradients.validate("conv2d weight gradients", hold: next.weights, count: next.shape.weightCount)
        try batchNormReluPoolBackward(block.norm, convolved: block.convolved, gradients: gradients)
        try conv2dWeightGradient(
            block.shape, input: block.input, outputGradient: block.convolved,
            gradients: gradients.slices(tiles: block.shape.batch.tiles))
        try conv2dWeightGradient(
            next.shape, input: next.input, outputGradient: next.convolved, gradients: gradients.whole(next.weights))
    }
}
