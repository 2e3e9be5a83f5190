/// The forward pass of a linear layer.
public enum LinearForwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.all(.forward, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        LinearCase.launched(.forward, seed: seed, replicas: replicas)
    }
}
