extension Conv2dBlockForward {
    package func compute(on backend: CPUBackend) {
        switch source {
        case .images(let gather):
            backend.beginStep(gather.schedule, replicas: gather.batch.replicas)
            backend.gatherBatch(gather, output: block.input)
        case .block(let source):
            if pass == .training { backend.joinStatistics(source.norm) }
            backend.normaliseRelu(source.norm, pass, output: block.input)
        }
        backend.conv2dForward(
            block.shape, input: block.input, weights: block.weights, bias: block.bias, output: block.convolved)
        if pass == .training { backend.batchNormStatistics(block.norm, input: block.convolved) }
        backend.maxPool(block.norm, input: block.convolved)
    }
}
