import Compute

/// tanh.
package enum TanhForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { TanhCase.cases(.forward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
