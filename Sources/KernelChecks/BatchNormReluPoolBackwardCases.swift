/// The gradient of batch norm's input.
public enum BatchNormReluPoolBackwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.backward, seed: seed) }
}
