import Compute

/// The gradient of an average pool's input.
package enum AvgPoolBackwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { PoolCase.cases(.avgBackward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        PoolCase.launched(.avgBackward, seed: seed, replicas: replicas)
    }
}
