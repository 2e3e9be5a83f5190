import Compute

/// The gradients of a convolution's weights and biases.
package enum Conv2dKernelGradientsCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { ConvolutionCase.cases(.kernelGradients, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        ConvolutionCase.launched(.kernelGradients, seed: seed, replicas: replicas)
    }
}
