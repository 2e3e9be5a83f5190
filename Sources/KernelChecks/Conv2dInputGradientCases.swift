/// The gradient of a convolution's input.
public enum Conv2dInputGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { Conv2dCase.all(.inputGradient, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        Conv2dCase.launched(.inputGradient, seed: seed, replicas: replicas)
    }
}
