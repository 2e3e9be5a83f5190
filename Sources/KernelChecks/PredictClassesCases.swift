import Compute

/// The classes of logits.
package enum PredictClassesCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        LogitsCase.cases(isLoss: false, seed: seed) + RaggedCase.cases(.predictions, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
