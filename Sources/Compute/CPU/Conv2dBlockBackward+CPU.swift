extension CPUBackend {
    package func conv2dBlockBackward(
        _ block: ConvolutionBlock, to source: ConvolutionBlock, _ classifier: Classifier, gradients: StepGradients
    ) throws(ComputeError) {
        try block.validate("conv2d block backward", tile: tile)
        try block.validate("conv2d block backward", follows: source)
        try classifier.validate("conv2d block backward", tile: tile, follows: block)
        try gradients.validate("conv2d block backward", batch: block.shape.batch)
        try batchNormReluPoolBackward(block.norm, convolved: block.convolved, gradients: gradients)
        try conv2dInputGradient(
            block.shape, outputGradient: block.convolved, weights: block.weights,
            inputGradient: source.norm.pooledGradient)
        let (pooled, activation) = (pointer(source.norm.pooledGradient), pointer(block.input))
        let vectors = block.shape.inChannels * block.shape.height * block.shape.width
        parallel(block.shape.batch.replicas * block.shape.batch.tiles) { tile in
            let first = tile * vectors * 16
            loops.reluBackward(activation + first, count: vectors, gradient: pooled + first)
        }
        try batchNormReluPoolBackwardSums(source.norm)
        for layer in [classifier.first, classifier.second, classifier.third] {
            try gradients.validate("conv2d block backward", hold: layer.weights, count: layer.shape.weightCount)
            try linearWeightGradient(
                layer.shape, input: layer.input, transposedOutputGradient: layer.transposedDelta,
                gradients: gradients.whole(layer.weights))
        }
    }
}
