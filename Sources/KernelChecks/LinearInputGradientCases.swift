import Compute

/// The gradient of a linear layer's input.
package enum LinearInputGradientCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.cases(.inputGradient, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        LinearCase.launched(.inputGradient, seed: seed, replicas: replicas)
    }
}
