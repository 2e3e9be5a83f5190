/// From the block before the classifier, normalised with its running statistics and through ReLU, to the class of the
/// largest logit (the lowest on ties) of each valid sample; the schedule moves on.
package struct ClassifierPredictions: Operation {
    package static let kernel = ClassifierStep.kernel
    package let classifier: Classifier
    package let block: ConvolutionBlock
    package let schedule: StepSchedule
    /// Result [replica][predictionStride]: a sample's class at its position in the order.
    package let predictions: DeviceBuffer<Int32>
    package let predictionStride: Int

    package init(
        _ classifier: Classifier, from block: ConvolutionBlock, schedule: StepSchedule,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) {
        self.classifier = classifier
        self.block = block
        self.schedule = schedule
        self.predictions = predictions
        self.predictionStride = predictionStride
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try block.validate(for: self, layout: layout)
        try classifier.validate(for: self, layout: layout, follows: block)
        try schedule.validate(for: self, replicas: block.shape.batch.replicas)
        try require(
            schedule.current.storage === block.norm.current.storage, "the schedule is not that of the block's batch")
        try require(positive: [predictionStride])
        try require(predictions, holds: block.shape.batch.replicas * predictionStride)
    }

    /// Beside the multiply-adds: 2 operations to normalise a feature.
    package var cost: OperationCost {
        let features = block.norm.shape.pooledCount
        return OperationCost(
            samples: block.shape.batch, multiplyAdds: classifier.multiplyAdds, others: 2 * features,
            floats: Double(2 * features + classifier.hidden), weights: classifier.multiplyAdds)
    }
}
