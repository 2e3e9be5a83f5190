import Compute

/// The gradients of both convolutions.
package enum Conv2dWeightGradientsCases: KernelCases {
    private static let operations: [(StepCase.Operation, Pass)] = [
        (.weightGradients, .training)
    ]

    package static func cases(seed: UInt64) -> [any KernelCase] {
        StepCase.all(operations, seed: seed) + RaggedStepCase.cases(.weightGradients, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        StepCase.launched(operations, seed: seed, replicas: replicas)
    }

    package static func wide(seed: UInt64) -> [any KernelCase] { StepCase.wide(operations, seed: seed) }
}
