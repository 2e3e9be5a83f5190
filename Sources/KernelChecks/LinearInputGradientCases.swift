/// The gradient of a linear layer's input.
public enum LinearInputGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.all(.inputGradient, seed: seed) }
}
