extension CPUBackend {
    package func conv2dBlockForward(_ block: ConvolutionBlock, from source: BlockSource, _ pass: Pass)
        throws(ComputeError)
    {
        try block.validate("conv2d block forward", tile: tile)
        switch source {
        case .images(let gather):
            try block.validate("conv2d block forward", takes: gather, tile: tile)
            beginStep(gather.schedule)
            try gatherBatch(gather, output: block.input)
        case .block(let source):
            try block.validate("conv2d block forward", follows: source)
            if pass == .training { try joinStatistics(source.norm) }
            try normaliseRelu(source.norm, pass, output: block.input)
        }
        try conv2dForward(
            block.shape, input: block.input, weights: block.weights, bias: block.bias, output: block.convolved)
        if pass == .training { try batchNormStatistics(block.norm, input: block.convolved) }
        try poolExtremes(block.norm, input: block.convolved)
    }
}
