extension CPUBackend {
    package func classifierStep(_ classifier: Classifier, from block: ConvolutionBlock) throws(ComputeError) {
        try classifier.validate("classifier step", tile: tile, follows: block)
        try joinStatistics(block.norm)
        try forward(classifier, from: block, .training)
        softmaxCrossEntropy(classifier, current: block.norm.current)
        let (first, second, third) = (classifier.first, classifier.second, classifier.third)
        for (layer, before) in [(third, second), (second, first)] {
            try linearInputGradient(
                layer.shape, outputGradient: layer.delta, weights: layer.weights, relu: layer.input,
                inputGradient: before.delta, transposed: before.transposedDelta)
        }
        try linearInputGradient(
            first.shape, outputGradient: first.delta, weights: first.weights, relu: first.input,
            inputGradient: block.norm.pooledGradient, transposed: nil)
        try batchNormReluPoolBackwardSums(block.norm)
    }

    package func classifierPredictions(
        _ classifier: Classifier, from block: ConvolutionBlock, schedule: StepSchedule,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) throws(ComputeError) {
        try classifier.validate("classifier predictions", tile: tile, follows: block)
        try forward(classifier, from: block, .inference)
        classify(
            classifier.batch, classes: classifier.classes, logits: classifier.logits, current: block.norm.current,
            predictions: predictions, predictionStride: predictionStride)
        pointer(schedule.cursor)[0] = pointer(block.norm.current)[2] + 1
    }

    private func forward(_ classifier: Classifier, from block: ConvolutionBlock, _ pass: Pass) throws(ComputeError) {
        let (first, second, third) = (classifier.first, classifier.second, classifier.third)
        try normaliseRelu(block.norm, pass, output: first.input)
        try linearForward(first.shape, relu: true, input: first.input, weights: first.weights, output: second.input)
        try linearForward(second.shape, relu: true, input: second.input, weights: second.weights, output: third.input)
        try linearForward(
            third.shape, relu: false, input: third.input, weights: third.weights, output: classifier.logits)
    }
}
