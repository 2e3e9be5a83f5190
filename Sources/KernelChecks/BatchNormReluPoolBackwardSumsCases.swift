/// The sums of batch norm's backward pass.
public enum BatchNormReluPoolBackwardSumsCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.backwardSums, seed: seed) }
}
