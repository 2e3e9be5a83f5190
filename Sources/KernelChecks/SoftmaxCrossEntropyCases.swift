import Compute

/// Loss and gradient of logits.
package enum SoftmaxCrossEntropyCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        LogitsCase.cases(isLoss: true, seed: seed) + RaggedCase.cases(.loss, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
