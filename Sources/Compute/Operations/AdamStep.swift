/// One step of Adam (Kingma & Ba 2015, algorithm 1, as PyTorch computes it) for all parameters of all replicas: it finishes
/// gradients, loss and right answers, moves parameters and moments on, and the schedule.
package struct AdamStep: Operation {
    package static let kernel = "adam_step"

    /// How parameters are kept small.
    package enum Decay: Sendable {
        case none
        /// So much of a parameter is added to its gradient (PyTorch's Adam with `weight_decay`).
        case penalty(Float)
        /// A parameter shrinks by itself before the step (AdamW, Loshchilov & Hutter 2019): the schedule's rates have a
        /// third number, what is left of it.
        case decoupled
    }

    package let end: StepEnd
    /// [replica][parameter], each.
    package let firstMoments: DeviceBuffer<Float>
    package let secondMoments: DeviceBuffer<Float>
    package let decay: Decay

    package init(
        _ end: StepEnd, firstMoments: DeviceBuffer<Float>, secondMoments: DeviceBuffer<Float>, decay: Decay = .none
    ) {
        self.end = end
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.decay = decay
    }

    /// PyTorch's defaults.
    package static let beta1 = 0.9
    package static let beta2 = 0.999
    package static let epsilon = 1e-8

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try end.validate(for: self, layout: layout)
        for state in [firstMoments, secondMoments] { try require(state, holds: end.count) }
        if case .decoupled = decay {
            try require(end.schedule.rates, holds: 3 * end.schedule.rows * end.schedule.steps)
        }
    }

    /// For each parameter the two moments (3 and 4 operations), a root, a sum, a division and the step (2), and one or two more with
    /// a decay; its bytes are the parameter and both moments, read and written, and one gradient.
    package var cost: OperationCost {
        let size = Double(end.count)
        let decaying: Double =
            switch decay {
            case .none: 0
            case .penalty: 2
            case .decoupled: 1
            }
        return OperationCost(operations: (12 + decaying) * size, bytes: 4 * 7 * size)
    }
}
