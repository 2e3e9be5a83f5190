import Compute

/// The gradients of a linear layer's weights and biases.
package enum LinearWeightGradientsCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.cases(.weightGradients, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        LinearCase.launched(.weightGradients, seed: seed, replicas: replicas)
    }
}
