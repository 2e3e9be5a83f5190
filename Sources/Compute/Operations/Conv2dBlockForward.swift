/// The forward pass of a block as far as it goes without the statistics of the whole batch: its input (gathered, and the
/// schedule's next row with it; or the block before it, normalised and through ReLU), its convolution, what wins the
/// pools, and in training the statistics of each tile. Normalising the block before it finishes that one's statistics,
/// saves them and moves the running ones.
package struct Conv2dBlockForward: Operation {
    package static let kernel = "conv2d_block_forward"
    package let block: ConvolutionBlock
    package let source: BlockSource
    package let pass: Pass

    package init(_ block: ConvolutionBlock, from source: BlockSource, _ pass: Pass) {
        self.block = block
        self.source = source
        self.pass = pass
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try block.validate(for: self, layout: layout)
        switch source {
        case .images(let gather):
            try gather.validate(for: self, layout: layout)
            try block.validate(for: self, takes: gather)
        case .block(let source):
            try source.validate(for: self, layout: layout)
            try block.validate(for: self, follows: source)
        }
    }

    /// Beside the multiply-adds: 2 operations per value of the input, 3 per pooled value for the pool's comparisons, and in
    /// training 3 per value for the statistics. A pixel and a pool's winner are bytes.
    package var cost: OperationCost {
        let (shape, plane) = (block.shape, block.norm.shape)
        let isTraining = pass == .training
        let read =
            switch source {
            case .images: 0.25
            case .block: 1.0
            }
        let others = 2 * shape.inputCount + 3 * plane.pooledCount + (isTraining ? 3 * plane.count : 0)
        return OperationCost(
            samples: shape.batch, multiplyAdds: shape.multiplyAdds, others: others,
            floats: (1 + read) * Double(shape.inputCount)
                + (isTraining ? Double(plane.count) + 1.25 * Double(plane.pooledCount) : Double(plane.pooledCount)),
            weights: shape.weightCount)
    }
}
