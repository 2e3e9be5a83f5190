/// The backward pass from a block's pooled gradient to that of the block before it and its sums; the gradients of the
/// block's gamma and beta, and of the classifier's weights.
package struct Conv2dBlockBackward: Operation {
    package static let kernel = "conv2d_block_backward"
    package let block: ConvolutionBlock
    package let source: ConvolutionBlock
    package let classifier: Classifier
    package let gradients: StepGradients

    /// - Parameter source: the block before `block`, which `classifier` follows.
    package init(
        _ block: ConvolutionBlock, to source: ConvolutionBlock, _ classifier: Classifier, gradients: StepGradients
    ) {
        self.block = block
        self.source = source
        self.classifier = classifier
        self.gradients = gradients
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try block.validate(for: self, layout: layout)
        try source.validate(for: self, layout: layout)
        try block.validate(for: self, follows: source)
        try classifier.validate(for: self, layout: layout, follows: block)
        try gradients.validate(for: self, batch: block.shape.batch)
        try gradients.validate(for: self, hold: block.norm)
        for layer in classifier.layers {
            try gradients.validate(for: self, hold: layer.weights, count: layer.shape.weightCount)
        }
    }

    /// Beside the multiply-adds: 4 operations per value of the convolution's output, and 4 per value of its input. A pool's
    /// winner is a byte.
    package var cost: OperationCost {
        let (shape, plane) = (block.shape, block.norm.shape)
        return OperationCost(
            samples: shape.batch, multiplyAdds: shape.multiplyAdds + classifier.multiplyAdds,
            others: 4 * plane.count + 4 * shape.inputCount,
            floats: Double(2 * plane.count) + 2.25 * Double(plane.pooledCount)
                + Double(3 * shape.inputCount + 2 * classifier.hidden),
            weights: shape.weightCount + classifier.multiplyAdds)
    }
}
