import Clustering
import Datasets
import KernelChecks
import Networks
import OpenCL
import Testing

@testable import Compute

/// What `verify` runs includes every program that the tool itself runs on a device: the proof is to let it work and to
/// compare the two lists.
@Suite struct LaunchedCasesTests {
    private static func programs(of backend: OpenCLBackend) -> Set<String> {
        Set(
            backend.kernels.keys.map { key in
                "\(key.kernel) \(key.defines.map { "\($0.name)=\($0.value)" }.joined(separator: " "))"
            })
    }

    /// A training with an evaluation, and the clusterings of the article: PCA to 50 or none, both kinds of k-means.
    private static func work(on backend: OpenCLBackend) throws {
        var inputs = CaseInputs(seed: 1)
        for channels in [1, 3] {
            let count = 70
            let store = try SampleStore(
                pixels: inputs.bytes(count * channels * 1024), labels: (0..<count).map { UInt8($0 % 10) },
                shape: .init(channels: channels, height: 32, width: 32), classes: 10, on: backend)
            let normalisation = Normalisation(
                [ChannelStatistics](repeating: ChannelStatistics(mean: 0.5, std: 0.25), count: channels))
            let trained = try Trainer(store, normalisation: normalisation, on: backend).train(
                [TrainingRun(subset: Array(0..<count), seed: 1, run: 0)], options: TrainingOptions(length: .steps(2)))
            _ = try Evaluator(store, normalisation: normalisation, on: backend).evaluate(trained.weights)
        }
        // More images than pixels, as studies have: PCA of fewer takes a program of their number.
        let images = try FeatureMatrix(bytes: inputs.bytes(800 * 784), count: 800, dimensions: 784)
        let projected = try PCA.fit(images, components: 50, on: backend).project(images, on: backend)
        for (points, clusters) in [(projected, [50, 500]), (try images.points(on: backend), [50])] {
            for k in clusters {
                for kind in [KMeans.Kind.lloyd(iterations: 2), .miniBatch()] {
                    _ = try KMeans(k: k, kind: kind).fit(points, on: backend)
                }
            }
        }
    }

    @Test(
        .enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"),
        arguments: DeviceProfile.all)
    func everyProgramOfTheToolIsVerified(_ profile: DeviceProfile) throws {
        let device = try #require(try Device.all().first)
        let tool = try OpenCLBackend(device: device, profile: profile)
        try Self.work(on: tool)
        let verified = try OpenCLBackend(device: device, profile: profile)
        // The number of networks is in no program, so that fewer prove the same in less time.
        for kernelCase in KernelChecks.cases(.quick, for: profile) {
            _ = KernelChecks.run(kernelCase, on: verified, reference: CPUBackend())
        }
        let missing = Self.programs(of: tool).subtracting(Self.programs(of: verified))
        #expect(missing.isEmpty, "\(missing.sorted())")
        func forms(_ selection: CaseSelection) -> Set<String> {
            Set(KernelChecks.cases(selection, for: profile).map { "\($0.kernel) \($0.form)" })
        }
        #expect(forms(.quick).isSubset(of: forms(.full)))
    }

    @Test func theNumberOfNetworksIsTheDevices() {
        for profile in DeviceProfile.all {
            let trained = KernelChecks.cases(.full, for: profile).filter {
                $0.kernel == "conv2d_block_forward" && $0.name.hasPrefix("R \(profile.suggestedReplicas), batch 64, ")
            }
            #expect(trained.count == 4, "\(profile.name)")
        }
    }

    /// What the tool launches is verified where it is launched, and in the GPU's form everywhere.
    @Test func whatNobodyLaunchesIsLeftOut() {
        func launched(_ selection: CaseSelection, _ profile: DeviceProfile, isOwn: Bool) -> Bool {
            KernelChecks.cases(selection, for: profile, isOwn: isOwn).contains {
                $0.kernel == "classifier_step" && $0.name.contains(", batch 64, ")
            }
        }
        for profile in DeviceProfile.all {
            #expect(launched(.full, profile, isOwn: true) && launched(.quick, profile, isOwn: true))
            #expect(launched(.full, profile, isOwn: false) == [.gpu, .gpu64].contains(profile))
            #expect(!launched(.quick, profile, isOwn: false) && !launched(.tiny, profile, isOwn: true))
        }
    }
}
