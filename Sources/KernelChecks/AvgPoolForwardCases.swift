import Compute

/// Average pools.
package enum AvgPoolForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { PoolCase.cases(.avgForward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        PoolCase.launched(.avgForward, seed: seed, replicas: replicas)
    }
}
