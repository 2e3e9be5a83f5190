import Compute
import Datasets
import Foundation
import Support
import Testing

@testable import Studies

/// Samples are on the device while runs need them, and no longer.
@Suite struct SampleUploadTests {
    /// `one` for both models, `two` for one of them; `linear` takes the images as they are, `lenet5` 32x32 of them.
    private static let yaml = """
        steps: 1
        batch_size: 4
        experiments:
          - {pruning_method: random, sizes: [4, 6], runs: 1, dataset: one, model: linear}
          - {pruning_method: random, sizes: 4, runs: 2, dataset: two, model: lenet5}
          - {pruning_method: random, sizes: 5, runs: 1, dataset: one, model: linear}
          - {pruning_method: random, sizes: 4, runs: 1, dataset: two, model: mlp}
        """

    private func dataset(_ name: String) throws -> Dataset {
        try Dataset(
            name: name, train: noise(16, classes: 2, run: name == "one" ? 0 : 2), test: noise(8, classes: 2, run: 1))
    }

    private func parsed() throws -> Study {
        try StudyReader(file: "test.yaml", acceptsAnyDataset: true).read(Self.yaml)
    }

    private func key(_ dataset: String, _ side: Int? = nil) -> BackendExecutor.StoreKey {
        BackendExecutor.StoreKey(set: TrainingSet(dataset), side: side)
    }

    @Test func runsHaveTheirSamplesAndNoOthers() throws {
        let temporary = try TemporaryDirectory()
        var loads: [String] = []
        let executor = BackendExecutor(on: CPUBackend()) { name in
            loads.append(name)
            return try self.dataset(name)
        }
        var held: [Set<BackendExecutor.StoreKey>] = []
        var begun: Set<BackendExecutor.StoreKey>?
        let results = try StudyRunner(
            parsed(), directory: temporary.results, executor: executor, replicas: 1,
            report: { event in
                switch event {
                case .began: begun = executor.storedKeys
                case .training: held.append(executor.storedKeys)
                default: break
                }
            }
        ).run()
        #expect(results.records.count == 6 && loads == ["one", "two"])
        // Of the first run alone before the directory is begun.
        #expect(begun == [key("one")])
        // `one` stays for its later runs, and goes after them; no run takes 32x32 images of `one`.
        #expect(
            held == [
                [key("one")], [key("one")], [key("one"), key("two", 32)], [key("one"), key("two", 32)], [key("one")],
                [key("two")],
            ])
    }

    /// What is finished is not brought to the device again.
    @Test func whatIsFinishedNeedsNoSamples() throws {
        let temporary = try TemporaryDirectory()
        let first = BackendExecutor(on: CPUBackend(), load: dataset)
        let cancellation = CancellationFlag()
        _ = studyError {
            _ = try StudyRunner(
                try parsed(), directory: temporary.results, executor: first, replicas: 1, cancellation: cancellation,
                report: { if case .finished(_, _, 4, _) = $0 { cancellation.cancel() } }
            ).run()
        }
        let second = BackendExecutor(on: CPUBackend(), load: dataset)
        var begun: Set<BackendExecutor.StoreKey>?
        let results = try StudyRunner(
            parsed(), directory: temporary.results, executor: second, replicas: 1,
            report: { if case .began = $0 { begun = second.storedKeys } }
        ).run()
        #expect(results.records.count == 6 && begun == [key("one")] && second.storedKeys == [key("two")])
    }

    /// The runner names each recipe once it comes up, and those that are to come.
    @Test func recipesComeWithThoseThatAreLeft() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        _ = try StudyRunner(parsed(), directory: temporary.results, executor: executor, replicas: 1).run()
        let found = executor.prepared.map { prepared in
            ([prepared.recipe] + prepared.later.sorted { $0.dataset < $1.dataset }).map {
                "\($0.dataset) \($0.model.name)"
            }
        }
        #expect(
            found.map { $0.sorted() } == [
                ["one linear"], ["one linear", "one linear", "two lenet5", "two mlp"],
                ["one linear", "two lenet5", "two mlp"], ["one linear", "two mlp"], ["two mlp"],
            ])
    }

    @Test func executorsShareWhatIsLoaded() throws {
        let sets = LoadedSets()
        let known = try BackendExecutor(on: CPUBackend(), sets: sets, load: dataset).dataset(TrainingSet("one"))
        let second = BackendExecutor(on: CPUBackend(), sets: sets, load: { _ in throw DeviceLost() })
        #expect(try second.dataset(TrainingSet("one")).fingerprint == known.fingerprint)
        #expect(throws: DeviceLost.self) { try second.dataset(TrainingSet("two")) }
    }

    /// Networks that are really trained have the same bits, whichever of two devices trains them, and with whichever others.
    @Test func twoDevicesTrainWhatOneTrains() throws {
        func results(_ executor: any StudyExecutor) throws -> [[Int]] {
            let temporary = try TemporaryDirectory()
            defer { withExtendedLifetime(temporary) {} }
            let results = try StudyRunner(
                parsed(), directory: temporary.results, executor: executor, replicas: 2
            ).run()
            return results.records.map { [$0.experimentID, $0.runID, $0.correct, $0.kept] }
        }
        let sets = LoadedSets()
        let host = BackendExecutor(onDemand: { throw DeviceLost() }, sets: sets, load: dataset)
        let pool = DevicePool(host: host, replicas: 2) {
            (0..<2).map { _ -> DeviceMaker in
                { seat in
                    let executor = BackendExecutor(
                        on: CPUBackend(), sets: sets, load: { _ in throw DeviceLost() }, progress: seat.progress)
                    _ = try executor.preparedBackend()
                    return executor
                }
            }
        }
        defer { pool.close() }
        #expect(try results(pool) == results(BackendExecutor(on: CPUBackend(), load: dataset)))
    }
}
