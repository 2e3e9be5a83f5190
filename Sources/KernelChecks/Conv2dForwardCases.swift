import Compute

/// The outputs of a convolution.
package enum Conv2dForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { ConvolutionCase.cases(.forward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        ConvolutionCase.launched(.forward, seed: seed, replicas: replicas)
    }
}
