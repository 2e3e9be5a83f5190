/// Partial statistics of batch norm.
public enum BatchNormStatisticsCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.statistics, seed: seed) }
}
