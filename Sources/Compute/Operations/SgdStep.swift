/// One step of stochastic gradient descent, as PyTorch computes it, for all parameters of all replicas: it finishes
/// gradients, loss and right answers, moves parameters and velocities on, and the schedule.
///
/// A parameter's gradient g has `weightDecay` times the parameter added. With momentum, v = momentum * v + g takes its place.
/// The parameter -= learning rate * v.
package struct SgdStep: Operation {
    package static let kernel = "sgd_step"

    /// What earlier steps leave.
    package struct Momentum {
        /// The share of a velocity that stays.
        package let share: Float
        /// [replica][parameter]; 0 before the first step.
        package let velocities: DeviceBuffer<Float>

        package init(_ share: Float, velocities: DeviceBuffer<Float>) {
            self.share = share
            self.velocities = velocities
        }
    }

    package let end: StepEnd
    /// Nil where each step is by its own gradient alone.
    package let momentum: Momentum?
    package let weightDecay: Float

    package init(_ end: StepEnd, momentum: Momentum? = nil, weightDecay: Float = 0) {
        self.end = end
        self.momentum = momentum
        self.weightDecay = weightDecay
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try end.validate(for: self, layout: layout)
        if let momentum { try require(momentum.velocities, holds: end.count) }
    }

    /// For each parameter the decay and the step (2 operations each), and 2 for a velocity; its bytes are the parameter and
    /// the velocity, read and written, and one gradient.
    package var cost: OperationCost {
        let size = Double(end.count)
        return OperationCost(
            operations: (momentum == nil ? 4 : 6) * size, bytes: 4 * (momentum == nil ? 3 : 5) * size)
    }
}
