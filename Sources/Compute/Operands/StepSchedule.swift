/// What a step needs to know that changes from step to step, kept on the device so that the host sets nothing inside
/// an epoch: the operation that gathers a batch copies the cursor's row into `current`, and the last one of a step moves
/// the cursor on.
package struct StepSchedule {
    /// [steps][4]: position of the batch's first sample in the order, count of valid samples, 0, 0.
    package let batches: DeviceBuffer<Int32>
    /// [steps][2 or 3]: the optimizer's numbers. Adam's are its step size lr / (1 - beta1^t) and 1 / sqrt(1 - beta2^t), and
    /// with a decoupled decay 1 - lr * weight decay; SGD's are the learning rate and an unused one.
    package let rates: DeviceBuffer<Float>
    /// [1]: the next step.
    package let cursor: DeviceBuffer<Int32>
    /// [4]: first sample, valid samples, step, 0 of the step under way.
    package let current: DeviceBuffer<Int32>
    /// Steps that there is room for.
    package var steps: Int { batches.count / 4 }

    /// A schedule over buffers of the shapes above.
    package init(
        batches: DeviceBuffer<Int32>, rates: DeviceBuffer<Float>, cursor: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>
    ) {
        self.batches = batches
        self.rates = rates
        self.cursor = cursor
        self.current = current
    }

    func validate(for operation: some Operation) throws(ComputeError) {
        try operation.require(batches, holds: 4)
        try operation.require(rates, holds: 2 * steps)
        try operation.require(cursor, holds: 1)
        try operation.require(current, holds: 4)
    }
}
