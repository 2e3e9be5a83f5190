import Compute

/// The gradient of a tanh, transposed too or not.
package enum TanhBackwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        TanhCase.cases(.backward, seed: seed) + TanhCase.cases(.transposed, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}
