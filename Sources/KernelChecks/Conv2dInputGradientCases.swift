/// The gradient of a convolution's input.
public enum Conv2dInputGradientCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { Conv2dCase.all(.inputGradient, seed: seed) }
}
