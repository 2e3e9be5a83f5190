/// What a step needs to know that changes from step to step, kept on the device so that the host sets nothing inside
/// an epoch: the operation that gathers a batch copies the cursor's row into `current`, and the last one of a step moves
/// the cursor on.
///
/// A row of a step is for all replicas, or each replica has one of its own. A replica whose row has no valid sample is idle
/// in that step: its parameters, the optimizer's memory, its running statistics and its loss stay as they are.
package struct StepSchedule {
    /// [steps][rows][4]: position of the batch's first sample in the order, count of valid samples, 0, 0.
    package let batches: DeviceBuffer<Int32>
    /// [steps][rows][2 or 3]: the optimizer's numbers. Adam's are its step size lr / (1 - beta1^t) and
    /// 1 / sqrt(1 - beta2^t), and with a decoupled decay 1 - lr * weight decay; SGD's are the learning rate and an unused
    /// one.
    package let rates: DeviceBuffer<Float>
    /// [1]: the next step.
    package let cursor: DeviceBuffer<Int32>
    /// [replica][4] of the step under way: first sample, valid samples, step, row of the rates.
    package let current: DeviceBuffer<Int32>
    /// Rows per step: 1, or the number of replicas.
    package let rows: Int
    /// Steps that there is room for.
    package var steps: Int { batches.count / (4 * rows) }

    /// A schedule over buffers of the shapes above.
    package init(
        batches: DeviceBuffer<Int32>, rates: DeviceBuffer<Float>, cursor: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>, rows: Int = 1
    ) {
        self.batches = batches
        self.rates = rates
        self.cursor = cursor
        self.current = current
        self.rows = rows
    }

    /// The number of elements that `current` has for so many replicas.
    package static func currentCount(replicas: Int) -> Int { 4 * replicas }

    func validate(for operation: some Operation, replicas: Int) throws(ComputeError) {
        try operation.require(
            rows == 1 || rows == replicas,
            "a schedule of \(rows) rows per step for \(replicas) replicas; 1 row, or one per replica, is needed")
        try operation.require(
            rows * steps <= Int(Int32.max),
            "a schedule of \(rows * steps) rows; at most \(Int32.max) are accepted, the numbers of a 32-bit cursor")
        try operation.require(batches, holds: 4 * rows)
        try operation.require(rates, holds: 2 * rows * steps)
        try operation.require(cursor, holds: 1)
        try operation.require(current, holds: Self.currentCount(replicas: replicas))
    }
}
