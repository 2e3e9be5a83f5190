import Compute

/// The step of stochastic gradient descent and the end of a step: the sums over tiles that it finishes.
package enum SgdStepCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        StepEndCase.awkward.map { StepEndCase($0, .sgd(momentum: 0.9, weightDecay: 0.03), seed: seed) }
            + StepEndCase.few.map { StepEndCase($0, .sgd(momentum: nil, weightDecay: 0.03), seed: seed) }
            + [StepEndCase(StepEndCase.few[0], .sgd(momentum: 0.5, weightDecay: 0), seed: seed)]
            + RaggedCase.cases(.sgd, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [StepEndCase(StepEndCase.leNet5(replicas), .sgd(momentum: 0.9, weightDecay: 0.0005), seed: seed)]
    }
}
