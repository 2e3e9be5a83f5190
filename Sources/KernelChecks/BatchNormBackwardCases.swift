import Compute

/// The gradient of batch norm, transposed too or not.
package enum BatchNormBackwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        BatchNormCase.cases(.backward, seed: seed) + BatchNormCase.cases(.transposed, seed: seed)
            + RaggedCase.cases(.normBackward, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
