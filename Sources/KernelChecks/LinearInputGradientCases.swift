/// The gradient of a linear layer's input.
public enum LinearInputGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.all(.inputGradient, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        LinearCase.launched(.inputGradient, seed: seed, replicas: replicas)
    }
}
