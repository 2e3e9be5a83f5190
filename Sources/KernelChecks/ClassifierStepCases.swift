import Compute

/// The linear layers: loss and gradients, and predictions.
package enum ClassifierStepCases: KernelCases {
    private static let operations: [(StepCase.Operation, Pass)] = [
        (.classifier, .training), (.predictions, .inference),
    ]

    package static func cases(seed: UInt64) -> [any KernelCase] {
        StepCase.all(operations, seed: seed) + RaggedStepCase.cases(.classifier, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        StepCase.launched(operations, seed: seed, replicas: replicas)
    }

    package static func wide(seed: UInt64) -> [any KernelCase] { StepCase.wide(operations, seed: seed) }
}
