import Compute

/// Adam's step and the end of a step: the sums over tiles that it finishes.
package enum AdamStepCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        StepEndCase.awkward.map { StepEndCase($0, .adam(.none), seed: seed) }
            + [StepEndCase.Update.adam(.penalty(0.03)), .adam(.decoupled)].flatMap { update in
                StepEndCase.few.map { StepEndCase($0, update, seed: seed) }
            } + RaggedCase.cases(.adam, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [StepEndCase(StepEndCase.leNet5(replicas), .adam(.none), seed: seed)]
    }
}
