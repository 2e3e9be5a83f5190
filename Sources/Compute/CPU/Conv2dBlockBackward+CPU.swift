extension CPUBackend {
    public func conv2dBlockBackward(
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
        reluGradient(
            source.norm.pooledGradient, of: block.input,
            count: block.shape.batch.samples(tile: 1) * block.shape.inChannels * block.shape.height * block.shape.width)
        try batchNormReluPoolBackwardSums(source.norm)
        for layer in [classifier.first, classifier.second, classifier.third] {
            try gradients.validate("conv2d block backward", hold: layer.weights, count: layer.shape.weightCount)
            try linearWeightGradient(
                layer.shape, input: layer.input, transposedOutputGradient: layer.transposedDelta,
                gradients: gradients.whole(layer.weights))
        }
    }

    /// Puts 0 into `gradient` where a ReLU's output is not positive; `count` vectors.
    private func reluGradient(_ gradient: DeviceBuffer<Float>, of output: DeviceBuffer<Float>, count: Int) {
        let (delta, activation) = (lanes(gradient), lanes(output))
        for index in 0..<count { delta[index].replace(with: Float.zero, where: activation[index] .<= Float.zero) }
    }
}
