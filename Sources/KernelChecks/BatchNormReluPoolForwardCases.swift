/// Batch norm in training, ReLU and max-pool.
public enum BatchNormReluPoolForwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.forward, seed: seed) }
}
