/// The first block's backward pass to its convolution's output, and both convolutions' weight gradients: the first one's
/// a sum per tile, which ``AdamStep`` finishes.
package struct Conv2dWeightGradients: Operation {
    package static let kernel = "conv2d_weight_gradients"
    package let block: ConvolutionBlock
    package let next: ConvolutionBlock
    package let gradients: StepGradients

    /// - Parameter next: the block that follows `block`, with the gradient of its convolution's output in that one's place.
    package init(_ block: ConvolutionBlock, next: ConvolutionBlock, gradients: StepGradients) {
        self.block = block
        self.next = next
        self.gradients = gradients
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try block.validate(for: self, layout: layout)
        try next.validate(for: self, layout: layout)
        try next.validate(for: self, follows: block)
        try require(
            block.shape.kernel == next.shape.kernel,
            "kernels of \(block.shape.kernel) and \(next.shape.kernel); equal ones are needed")
        if let excess = block.shape.excessAsFirst { throw .invalidShape(operation: Self.kernel, reason: excess) }
        try gradients.validate(for: self, batch: block.shape.batch)
        try gradients.validate(for: self, hold: block.norm)
        try gradients.validate(for: self, tiled: block.weights, count: block.shape.weightCount)
        try gradients.validate(for: self, hold: next.weights, count: next.shape.weightCount)
    }

    /// Beside the multiply-adds: 4 operations per value of the first convolution's output. A pool's winner is a byte.
    package var cost: OperationCost {
        let (shape, plane) = (block.shape, block.norm.shape)
        return OperationCost(
            samples: shape.batch, multiplyAdds: shape.multiplyAdds + next.shape.multiplyAdds, others: 4 * plane.count,
            floats: Double(shape.inputCount + 2 * plane.count) + 1.25 * Double(plane.pooledCount)
                + Double(next.shape.inputCount + next.shape.outputCount),
            weights: shape.weightCount + next.shape.weightCount)
    }
}
