extension Conv2dBlockBackward {
    package func compute(on backend: CPUBackend) {
        backend.batchNormReluPoolBackward(block.norm, convolved: block.convolved, gradients: gradients)
        backend.conv2dInputGradient(
            block.shape, outputGradient: block.convolved, weights: block.weights,
            inputGradient: source.norm.pooledGradient)
        backend.reluBackward(
            block.shape.batch, count: block.shape.inputCount, output: block.input,
            gradient: source.norm.pooledGradient)
        backend.batchNormReluPoolBackwardSums(source.norm)
        for layer in classifier.layers {
            backend.linearWeightGradient(
                layer.shape, input: layer.input, transposedOutputGradient: layer.transposedDelta,
                gradients: gradients.whole(layer.weights))
        }
    }
}
