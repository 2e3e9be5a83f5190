import Compute

/// The outputs of a linear layer.
package enum LinearForwardCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] { LinearCase.cases(.forward, seed: seed) }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        LinearCase.launched(.forward, seed: seed, replicas: replicas)
    }
}
