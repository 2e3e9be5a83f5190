import Compute

/// A block's convolution with what stands around it, over images and over another block.
package enum Conv2dBlockForwardCases: KernelCases {
    private static let operations: [(StepCase.Operation, Pass)] = [
        (.gathered, .training), (.gathered, .inference), (.normalised, .training), (.normalised, .inference),
    ]

    package static func cases(seed: UInt64) -> [any KernelCase] {
        StepCase.all(operations, seed: seed) + RaggedStepCase.cases(.gathered, seed: seed)
            + RaggedStepCase.cases(.normalised, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        StepCase.launched(operations, seed: seed, replicas: replicas)
    }

    package static func wide(seed: UInt64) -> [any KernelCase] { StepCase.wide(operations, seed: seed) }
}
