/// One step of Adam (Kingma & Ba 2015, algorithm 1, as PyTorch computes it) for all parameters of all replicas: it finishes
/// gradients, loss and right answers, moves parameters and moments on, and the schedule.
package struct AdamStep: Operation {
    package static let kernel = "adam_step"
    /// Replicas and tiles of the batch.
    package let batch: BatchShape
    /// [replica][parameter], each.
    package let parameters: DeviceBuffer<Float>
    package let firstMoments: DeviceBuffer<Float>
    package let secondMoments: DeviceBuffer<Float>
    package let gradients: StepGradients
    /// ``Classifier/lossAndCorrect``.
    package let lossAndCorrect: DeviceBuffer<Float>
    /// Result [step][replica]: the mean loss.
    package let losses: DeviceBuffer<Float>
    /// Result [step][replica]: right answers.
    package let correct: DeviceBuffer<Int32>
    package let schedule: StepSchedule

    package init(
        batch: BatchShape, parameters: DeviceBuffer<Float>, firstMoments: DeviceBuffer<Float>,
        secondMoments: DeviceBuffer<Float>, gradients: StepGradients, lossAndCorrect: DeviceBuffer<Float>,
        losses: DeviceBuffer<Float>, correct: DeviceBuffer<Int32>, schedule: StepSchedule
    ) {
        self.batch = batch
        self.parameters = parameters
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.gradients = gradients
        self.lossAndCorrect = lossAndCorrect
        self.losses = losses
        self.correct = correct
        self.schedule = schedule
    }

    /// PyTorch's defaults.
    package static let beta1 = 0.9
    package static let beta2 = 0.999
    package static let epsilon = 1e-8

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try schedule.validate(for: self)
        try gradients.validate(for: self, batch: batch)
        let count = batch.replicas * gradients.parameterCount
        for state in [parameters, firstMoments, secondMoments] { try require(state, holds: count) }
        try require(lossAndCorrect, holds: batch.replicas * batch.tiles * 2)
        try require(losses, holds: schedule.steps * batch.replicas)
        try require(correct, holds: schedule.steps * batch.replicas)
    }

    /// For each parameter the two moments (3 and 4 operations), a root, a sum, a division and the step (2); its bytes are
    /// the parameter and both moments, read and written, and one gradient.
    package var cost: OperationCost {
        let size = Double(batch.replicas * gradients.parameterCount)
        return OperationCost(operations: 12 * size, bytes: 4 * 7 * size)
    }
}
