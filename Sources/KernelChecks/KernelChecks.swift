import Compute

/// Every kernel's cases, and how they are run.
package enum KernelChecks {
    /// One entry a kernel, in alphabetical order.
    private static let kernels: [any KernelCases.Type] = [
        AdamStepCases.self,
        AvgPoolBackwardCases.self,
        AvgPoolForwardCases.self,
        BatchNormBackwardCases.self,
        BatchNormForwardCases.self,
        CentroidsGatherCases.self,
        ClassifierStepCases.self,
        Conv2dBlockBackwardCases.self,
        Conv2dBlockForwardCases.self,
        Conv2dForwardCases.self,
        Conv2dInputGradientCases.self,
        Conv2dKernelGradientsCases.self,
        Conv2dWeightGradientsCases.self,
        CopyCases.self,
        CovarianceCases.self,
        FillCases.self,
        FmaPeakCases.self,
        GatherSamplesCases.self,
        GreedyDistancesCases.self,
        GreedyPickCases.self,
        KmeansAccumulateCases.self,
        KmeansAccumulateUpdateCases.self,
        KmeansAssignCases.self,
        KmeansCoarseCases.self,
        KmeansPanelsCases.self,
        KmeansPlusPlusDistancesCases.self,
        KmeansPlusPlusPickCases.self,
        KmeansReduceCases.self,
        KmeansUpdateCases.self,
        LinearForwardCases.self,
        LinearInputGradientCases.self,
        LinearWeightGradientsCases.self,
        MaxPoolBackwardCases.self,
        MaxPoolForwardCases.self,
        MeanSquaredErrorCases.self,
        PcaProjectCases.self,
        PointsGatherCases.self,
        PointsPackCases.self,
        PointsUnpackCases.self,
        PredictClassesCases.self,
        ReluBackwardCases.self,
        ReluForwardCases.self,
        SampleStatisticsCases.self,
        SgdStepCases.self,
        SoftmaxCrossEntropyCases.self,
        TanhBackwardCases.self,
        TanhForwardCases.self,
    ]

    /// The cases of all kernels for each of `seeds`, what the tool launches with two networks among them, but for the wide
    /// forms of LeNet-5.
    package static func allCases(seeds: [UInt64] = [1]) -> [any KernelCase] {
        kernels.flatMap { kernel in
            seeds.flatMap { kernel.cases(seed: $0) + kernel.launched(seed: $0, replicas: 2) }
        }
    }

    /// The cases that `selection` takes for a device in `profile`: what is awkward, and what the tool launches there.
    /// - Parameter isOwn: whether the device takes this profile by itself or when it is told to. Elsewhere what the tool
    ///   launches is left out, but for that of GPUs among all cases: most users have one, and few developers.
    package static func cases(
        _ selection: CaseSelection, seed: UInt64 = 1, for profile: DeviceProfile, isOwn: Bool = true
    ) -> [any KernelCase] {
        kernels.flatMap { kernel -> [any KernelCase] in
            let awkward = selection.choose(from: kernel.cases(seed: seed))
            let names = Set(awkward.map(\.name))
            let launched: [any KernelCase] =
                switch selection {
                case .full where isOwn:
                    kernel.launched(seed: seed, replicas: profile.suggestedReplicas) + kernel.wide(seed: seed)
                case .full where profile.splitsWork:
                    kernel.launched(seed: seed, replicas: profile.suggestedReplicas)
                // The number of networks changes no program, and two of them show what depends on it.
                case .quick where isOwn: kernel.launched(seed: seed, replicas: 2) + kernel.wide(seed: seed)
                case .full, .quick, .tiny: []
                }
            return awkward + launched.filter { !names.contains($0.name) }
        }
    }

    /// Runs one case; an error of the operation is a result too.
    package static func run(_ kernelCase: any KernelCase, on backend: any Backend, reference: CPUBackend) -> CaseResult
    {
        do {
            return try kernelCase.run(on: backend, reference: reference)
        } catch {
            return CaseResult(
                kernel: kernelCase.kernel, name: kernelCase.name, maxError: .infinity, bound: 0, verdict: .failed,
                message: "\(error)")
        }
    }
}
