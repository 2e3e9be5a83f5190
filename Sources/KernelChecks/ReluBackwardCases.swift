import Compute

/// The gradient of a ReLU.
package enum ReluBackwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { ReluCase.cases(isBackward: true, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
