/// What the operation that ends a training step takes, whatever moves the parameters: it finishes gradients, loss and right
/// answers, moves the parameters on, and the schedule.
package struct StepEnd {
    /// Replicas and tiles of the batch.
    package let batch: BatchShape
    /// [replica][parameter].
    package let parameters: DeviceBuffer<Float>
    package let gradients: StepGradients
    /// ``Classifier/lossAndCorrect``.
    package let lossAndCorrect: DeviceBuffer<Float>
    /// Result [step][replica]: the mean loss; as it was where the replica is idle.
    package let losses: DeviceBuffer<Float>
    /// Result [step][replica]: right answers; as they were where the replica is idle.
    package let correct: DeviceBuffer<Int32>
    package let schedule: StepSchedule

    /// Operands over buffers of the shapes above.
    package init(
        batch: BatchShape, parameters: DeviceBuffer<Float>, gradients: StepGradients,
        lossAndCorrect: DeviceBuffer<Float>, losses: DeviceBuffer<Float>, correct: DeviceBuffer<Int32>,
        schedule: StepSchedule
    ) {
        self.batch = batch
        self.parameters = parameters
        self.gradients = gradients
        self.lossAndCorrect = lossAndCorrect
        self.losses = losses
        self.correct = correct
        self.schedule = schedule
    }

    /// Parameters of all replicas.
    var count: Int { batch.replicas * gradients.parameterCount }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try schedule.validate(for: operation, replicas: batch.replicas)
        try gradients.validate(for: operation, batch: batch)
        try operation.require(parameters, holds: count)
        try operation.require(lossAndCorrect, holds: batch.replicas * batch.tiles * 2)
        try operation.require(losses, holds: schedule.steps * batch.replicas)
        try operation.require(correct, holds: schedule.steps * batch.replicas)
    }
}
