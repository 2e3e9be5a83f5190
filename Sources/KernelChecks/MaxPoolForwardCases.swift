import Compute

/// Max pools and their winners.
package enum MaxPoolForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { PoolCase.cases(.maxForward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        PoolCase.launched(.maxForward, seed: seed, replicas: replicas)
    }
}
