import Compute

/// The gradient of a max pool's input.
package enum MaxPoolBackwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { PoolCase.cases(.maxBackward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        PoolCase.launched(.maxBackward, seed: seed, replicas: replicas)
    }
}
