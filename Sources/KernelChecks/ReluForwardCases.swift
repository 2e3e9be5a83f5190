import Compute

/// ReLU.
package enum ReluForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { ReluCase.cases(isBackward: false, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
