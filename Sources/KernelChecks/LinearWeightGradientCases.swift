/// The gradient of a linear layer's weights and biases.
public enum LinearWeightGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.all(.weightGradient, seed: seed) }
}
