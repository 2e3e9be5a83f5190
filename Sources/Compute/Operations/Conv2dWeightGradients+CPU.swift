extension Conv2dWeightGradients {
    package func compute(on backend: CPUBackend) {
        backend.batchNormReluPoolBackward(block.norm, convolved: block.convolved, gradients: gradients)
        backend.conv2dWeightGradient(
            block.shape, input: block.input, outputGradient: block.convolved,
            gradients: gradients.slices(tiles: block.shape.batch.tiles))
        backend.conv2dWeightGradient(
            next.shape, input: next.input, outputGradient: next.convolved, gradients: gradients.whole(next.weights))
    }
}
