import Compute

/// The way back through a block, and the gradients of the linear layers.
package enum Conv2dBlockBackwardCases: KernelCases {
    private static let operations: [(StepCase.Operation, Pass)] = [
        (.blockBackward, .training)
    ]

    package static func cases(seed: UInt64) -> [any KernelCase] {
        StepCase.all(operations, seed: seed) + RaggedStepCase.cases(.blockBackward, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        StepCase.launched(operations, seed: seed, replicas: replicas)
    }

    package static func wide(seed: UInt64) -> [any KernelCase] { StepCase.wide(operations, seed: seed) }
}
