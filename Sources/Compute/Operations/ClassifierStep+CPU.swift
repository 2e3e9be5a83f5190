extension ClassifierStep {
    package func compute(on backend: CPUBackend) {
        backend.joinStatistics(block.norm)
        backend.forward(classifier, from: block, .training)
        backend.softmaxCrossEntropy(classifier, current: block.norm.current)
        let layers = classifier.layers
        for index in layers.indices.dropFirst().reversed() {
            let (layer, before) = (layers[index], layers[index - 1])
            backend.linearInputGradient(
                layer.shape, outputGradient: layer.delta, weights: layer.weights, relu: layer.input,
                inputGradient: before.delta, transposed: before.transposedDelta)
        }
        let first = layers[0]
        backend.linearInputGradient(
            first.shape, outputGradient: first.delta, weights: first.weights, relu: first.input,
            inputGradient: block.norm.pooledGradient, transposed: nil)
        backend.batchNormReluPoolBackwardSums(block.norm)
    }
}

extension CPUBackend {
    /// The block's output and that of every layer.
    func forward(_ classifier: Classifier, from block: ConvolutionBlock, _ pass: Pass) {
        let layers = classifier.layers
        normaliseRelu(block.norm, pass, output: layers[0].input)
        for (index, layer) in layers.enumerated() {
            let isLast = index + 1 == layers.count
            linearForward(
                layer.shape, relu: !isLast, input: layer.input, weights: layer.weights,
                output: isLast ? classifier.logits : layers[index + 1].input)
        }
    }
}
