/// The gradient of a convolution's weights.
public enum Conv2dWeightGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { Conv2dCase.all(.weightGradient, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        Conv2dCase.launched(.weightGradient, seed: seed, replicas: replicas)
    }
}
