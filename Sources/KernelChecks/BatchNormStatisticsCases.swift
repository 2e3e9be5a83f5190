/// Partial statistics of batch norm.
public enum BatchNormStatisticsCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.statistics, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        BatchNormCase.launched(.statistics, seed: seed, replicas: replicas)
    }
}
