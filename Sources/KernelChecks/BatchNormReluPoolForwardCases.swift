/// Batch norm in training, ReLU and max-pool.
public enum BatchNormReluPoolForwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.forward, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        BatchNormCase.launched(.forward, seed: seed, replicas: replicas)
    }
}
