import Compute
import Foundation
import Networks
import Testing

@testable import Studies

/// Models that the device has no memory for.
@Suite struct StudyMemoryTests {
    private static let yaml = """
        model: [lenet5, mlp]
        experiments:
          - {pruning_method: none}
          - {pruning_method: random, sizes: 40}
        """

    /// A study with a model that does not fit even alone is refused by the model's place before anything is made, the
    /// results' directory included.
    @Test func aModelThatDoesNotFitIsRefusedBeforeAnythingIsMade() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.memoryFault = { $0.model.name == "mlp" ? "training 1 network of mlp takes too much" : nil }
        let runner = StudyRunner(try study(Self.yaml), directory: temporary.results, executor: executor)
        let error = #expect(throws: ComputeError.self) { try runner.run() }
        #expect(error?.description == "test.yaml:1:17: training 1 network of mlp takes too much")
        #expect(error?.category == .unavailable)
        #expect(executor.preparations == 0 && executor.batches.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: temporary.results))
        executor.memoryFault = { _ in nil }
        #expect(try runner.run().records.count == 4 * 5)
    }

    /// Networks of scores train on the whole set, whatever is kept.
    @Test func scoreNetworksAreCheckedWithTheWholeSet() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let yaml = "experiments: [{pruning_method: score, scores: el2n, score_epochs: 1, sizes: 40}]"
        _ = try StudyRunner(try study(yaml), directory: temporary.results, executor: executor).run()
        #expect(executor.memoryCounts == [40, try executor.dataset(TrainingSet("mnist")).shape.count])
    }

    /// So is one whose embedding does not fit, by the embedding's place in its list.
    @Test func anEmbeddingThatDoesNotFitIsRefusedBeforeAnythingIsMade() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.memoryFault = { $0.model.isAutoencoder ? "training 1 network takes too much" : nil }
        let yaml = """
            experiments:
              - pruning_method: cluster
                ks: 2
                sizes: 40
                selection_strategies: closest
                embedding_size: 4
                embedding: [pca,
                  autoencoder]
            """
        let runner = StudyRunner(try study(yaml), directory: temporary.results, executor: executor)
        let error = #expect(throws: ComputeError.self) { try runner.run() }
        #expect(error?.description == "test.yaml:8:7: training 1 network takes too much")
        #expect(executor.preparations == 0 && !FileManager.default.fileExists(atPath: temporary.results))
    }

    /// If fewer networks fit, as many are trained at once.
    @Test func fewerNetworksTrainAtOnceWhereThatSuffices() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.beforeTraining = { _, jobs, _ in
            if jobs.count > 1 { throw ComputeError.doesNotFit(reason: "at most 1 network at once is accepted") }
        }
        var notices: [String] = []
        let results = try StudyRunner(
            study("experiments: [{pruning_method: none}]"), directory: temporary.results, executor: executor,
            report: { if case .notice(let text) = $0 { notices.append(text) } }
        ).run()
        #expect(results.records.count == 5 && results.records.allSatisfy { $0.replicas == 1 })
        #expect(notices.contains("at most 1 network at once is accepted; going on with 1 at once"))
    }
}
