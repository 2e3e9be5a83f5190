/// The gradient of batch norm's input.
public enum BatchNormReluPoolBackwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { BatchNormCase.all(.backward, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        BatchNormCase.launched(.backward, seed: seed, replicas: replicas)
    }
}
