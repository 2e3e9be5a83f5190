/// Batch norm in inference, ReLU and max-pool.
public enum BatchNormReluPoolInferenceCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.inference, seed: seed) }
}
