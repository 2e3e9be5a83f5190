/// The forward convolution.
public enum Conv2dForwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { Conv2dCase.all(.forward, seed: seed) }
}
