/// The sums of batch norm's backward pass.
public enum BatchNormReluPoolBackwardSumsCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.backwardSums, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        BatchNormCase.launched(.backwardSums, seed: seed, replicas: replicas)
    }
}
