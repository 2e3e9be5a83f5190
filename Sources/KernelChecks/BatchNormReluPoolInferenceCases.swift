/// Batch norm in inference, ReLU and max-pool.
public enum BatchNormReluPoolInferenceCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.inference, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        BatchNormCase.launched(.inference, seed: seed, replicas: replicas)
    }
}
