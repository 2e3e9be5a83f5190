import Compute

/// The linear layers: loss and gradients, and predictions.
public enum ClassifierStepCases: KernelCases {
    private static let operations: [(StepCase.Operation, Pass)] = [
        (.classifier, .training), (.predictions, .inference),
    ]

    public static func cases(seed: UInt64) -> [any KernelCase] { StepCase.all(operations, seed: seed) }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        StepCase.launched(operations, seed: seed, replicas: replicas)
    }
}
