import Compute

/// Batch norm by the batch's statistics and by the running ones.
package enum BatchNormForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        BatchNormCase.cases(.training, seed: seed) + BatchNormCase.cases(.inference, seed: seed)
            + RaggedCase.cases(.normForward, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
