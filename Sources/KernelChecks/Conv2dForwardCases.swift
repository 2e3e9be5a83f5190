/// The forward convolution.
public enum Conv2dForwardCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] { Conv2dCase.all(.forward, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        Conv2dCase.launched(.forward, seed: seed, replicas: replicas)
    }
}
