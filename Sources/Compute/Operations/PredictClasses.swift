/// The class of the largest logit (the lowest on ties) of each valid sample of a batch; the schedule moves on.
package struct PredictClasses: Operation {
    package static let kernel = "predict_classes"
    package let batch: BatchShape
    package let classes: Int
    /// [replica][tile][class][sample].
    package let logits: DeviceBuffer<Float>
    package let schedule: StepSchedule
    /// Result [replica][predictionStride], each at its sample's position in the order.
    package let predictions: DeviceBuffer<Int32>
    package let predictionStride: Int

    /// Predictions over buffers of the shapes above.
    package init(
        batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, schedule: StepSchedule,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) {
        self.batch = batch
        self.classes = classes
        self.logits = logits
        self.schedule = schedule
        self.predictions = predictions
        self.predictionStride = predictionStride
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try schedule.validate(for: self, replicas: batch.replicas)
        try require(positive: [classes, predictionStride])
        try require(logits, holds: batch.room * classes)
        try require(predictions, holds: batch.replicas * predictionStride)
    }

    package var cost: OperationCost {
        let samples = Double(batch.replicas * batch.samples)
        return OperationCost(operations: samples * Double(classes), bytes: 4 * samples * Double(classes + 1))
    }
}
