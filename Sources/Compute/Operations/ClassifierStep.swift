/// From the block before the classifier, normalised and through ReLU, to the loss, and back to the block's pooled
/// gradient and its sums: linear layers, softmax cross-entropy, deltas in both layouts.
package struct ClassifierStep: Operation {
    package static let kernel = "classifier_step"
    package let classifier: Classifier
    package let block: ConvolutionBlock

    package init(_ classifier: Classifier, from block: ConvolutionBlock) {
        self.classifier = classifier
        self.block = block
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try block.validate(for: self, layout: layout)
        try classifier.validate(for: self, layout: layout, follows: block)
    }

    /// Beside the multiply-adds of both directions: 2 operations to normalise a feature and 3 for its sums, and those of
    /// ``SoftmaxCrossEntropy``, whose logits are written first.
    package var cost: OperationCost {
        let (features, classes) = (block.norm.shape.pooledCount, classifier.classes)
        let isWeighted = classifier.sampleWeights != nil
        return OperationCost(
            samples: block.shape.batch, multiplyAdds: 2 * classifier.multiplyAdds,
            others: 5 * features
                + (SoftmaxCrossEntropy.operationsPerLogit + (isWeighted ? 1 : 0)) * classes,
            floats: Double(
                3 * features + 3 * classifier.hidden + (1 + SoftmaxCrossEntropy.floatsPerLogit) * classes
                    + (isWeighted ? 2 : 0)),
            weights: classifier.multiplyAdds)
    }
}
