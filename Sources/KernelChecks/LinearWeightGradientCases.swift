/// The gradient of a linear layer's weights and biases.
public enum LinearWeightGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.all(.weightGradient, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        LinearCase.launched(.weightGradient, seed: seed, replicas: replicas)
    }
}
