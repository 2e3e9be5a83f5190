import Compute

/// The gradient of a convolution's input.
package enum Conv2dInputGradientCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { ConvolutionCase.cases(.inputGradient, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        ConvolutionCase.launched(.inputGradient, seed: seed, replicas: replicas)
    }
}
