import KernelChecks
import OpenCL
import Testing

@testable import Compute

@Suite struct TunableCasesTests {
    @Test func everyTunableKernelHasCases() {
        let kernels = Set(KernelChecks.allCases().map(\.kernel))
        for tunable in Tunable.all { #expect(kernels.isSuperset(of: tunable.kernels + tunable.arrangers)) }
    }

    /// What the tuner demands of a candidate before it keeps it, of all of them at once, where they differ most.
    @Test(.enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"))
    func everyCandidateGivesTheSameBits() throws {
        let backend = try OpenCLBackend(device: try #require(try Device.all().first))
        let reference = CPUBackend()
        func results(_ tunable: Tunable, _ sizes: [Int]) throws -> [CaseResult] {
            let target = try backend.with(BlockSizes(backend.profile).with(sizes, for: tunable), profiling: false)
            // Tiny networks are smaller than most blocks; LeNet-5 as the tool launches it is not.
            let network = KernelChecks.cases(.quick, for: backend.profile).filter {
                $0.name.contains("training, 1-6-16 planes")
            }
            return (KernelChecks.cases(.tiny, for: backend.profile) + network)
                .filter { tunable.kernels.contains($0.kernel) }
                .map { KernelChecks.run($0, on: target, reference: reference) }
        }
        for tunable in Tunable.all {
            let candidates = tunable.candidates(backend.profile)
            let standard = try results(tunable, candidates[0])
            #expect(!standard.isEmpty && Set(standard.map(\.fingerprint)).count > 1)
            for candidate in candidates {
                let changed = try results(tunable, candidate)
                #expect(changed.allSatisfy { $0.verdict == .right }, "\(tunable.name) \(candidate)")
                #expect(changed.map(\.fingerprint) == standard.map(\.fingerprint), "\(tunable.name) \(candidate)")
            }
        }
    }
}
