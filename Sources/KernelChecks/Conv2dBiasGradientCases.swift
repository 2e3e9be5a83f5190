/// The gradient of a convolution's biases.
public enum Conv2dBiasGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { Conv2dCase.all(.biasGradient, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        []
    }
}
