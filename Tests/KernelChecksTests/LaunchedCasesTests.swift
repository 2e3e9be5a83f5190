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

    /// Two steps of a model over `store`, recorded, an evaluation, and statistics of all samples.
    private static func train(_ model: ModelSpec, over store: SampleStore, on backend: OpenCLBackend) throws {
        let normalisation = Normalisation(
            [ChannelStatistics](repeating: ChannelStatistics(mean: 0.5, std: 0.25), count: store.shape.channels))
        if model.isAutoencoder {
            let recipe = try EmbeddingRecipe(model, training: TrainingOptions(length: .steps(2)), seed: 1)
            let embedder = try Embedder.fit(store, recipe, normalisation: normalisation, on: backend)
            _ = try embedder.error(of: store)
            return
        }
        let trained = try Trainer(store, model: model, normalisation: normalisation, on: backend).train(
            [TrainingRun(subset: Array(0..<store.count), seed: 1, run: 0)],
            options: TrainingOptions(length: .steps(2)), record: { _ in })
        let evaluator = Evaluator(store, normalisation: normalisation, on: backend)
        _ = try evaluator.evaluate(trained.weights)
        _ = try evaluator.statistics(trained.weights)
    }

    /// A training of each model with an evaluation, and the clusterings of the article: PCA to 50 or none, both kinds of
    /// k-means.
    private static func work(on backend: OpenCLBackend, isOwn: Bool) throws {
        var inputs = CaseInputs(seed: 1)
        let count = 70
        let labels = (0..<count).map { UInt8($0 % 10) }
        // A code that fits into the samples, of one image or row of 36 values.
        for model in ModelLibrary.classifiers + [ModelLibrary.autoencoder(size: 20)] {
            // The layered networks' programs serve samples of every shape. The wide forms take long to compile.
            let isWide = model.name.hasPrefix("lenet5-wide")
            if isWide && !isOwn { continue }
            for channels in model.side == nil || isWide ? [1] : [1, 3] {
                let side = model.side ?? 6
                let store = try SampleStore(
                    pixels: inputs.bytes(count * channels * side * side), labels: labels,
                    shape: .init(channels: channels, height: side, width: side), classes: 10, on: backend)
                try train(model, over: store, on: backend)
            }
            guard model.side == nil else { continue }
            let store = try SampleStore(
                floats: inputs.floats(count * 36), labels: labels, shape: .vector(36), classes: 10, on: backend)
            try train(model, over: store, on: backend)
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
        try Self.work(on: tool, isOwn: profile == DeviceProfile(for: device))
        let verified = try OpenCLBackend(device: device, profile: profile)
        var missing = Self.programs(of: tool)
        var seen: Set<String> = []
        // Compiling takes most of the time: a case of each form, what the tool launches first, until no program of its
        // kernel is missing. The number of networks is in no program, so that fewer prove the same.
        for kernelCase in KernelChecks.cases(.quick, for: profile).reversed() {
            guard missing.contains(where: { $0.hasPrefix("\(kernelCase.kernel) ") }),
                seen.insert("\(kernelCase.kernel), \(kernelCase.variety), \(kernelCase.form)").inserted
            else { continue }
            _ = KernelChecks.run(kernelCase, on: verified, reference: CPUBackend())
            missing.subtract(Self.programs(of: verified))
        }
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
