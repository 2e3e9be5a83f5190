import Foundation
import Testing

@testable import Compute
@testable import Networks
import TestSupport

/// The network against PyTorch's own numbers in float64.
@Suite struct PyTorchTests {
    @Test(arguments: TestBackends.names, [0, 1]) func oneStepGivesPyTorchsLossLogitsAndGradients(
        backendName: String, caseIndex: Int
    ) throws {
        let expected = try Fixture.expected()
        let step = expected.steps[caseIndex]
        let fixture = try FixtureNetwork(
            weights: step.weights, ranges: [step.first..<step.first + step.count],
            on: TestBackends.make(backendName))
        try fixture.step()

        let logits = try fixture.logits(step.count)
        #expect(relativeError(logits.flatMap { $0 }, step.logits.flatMap { $0.map { Float($0) } }) < 1e-5)
        let losses = try fixture.network.losses(steps: 1)
        #expect(abs(Double(losses[0][0]) - step.loss) < 1e-5 * step.loss)

        let reference = try Fixture.tensors(step.tensors)
        let gradients = try fixture.network.gradients(replica: 0)
        for name in gradients.keys.sorted() {
            if name == "layer1.0.bias" || name == "layer2.0.bias" {
                #expect(gradients[name]?.values.allSatisfy { $0 == 0 } == true, "\(name) is zero before batch norm")
            } else {
                let error = relativeError(gradients[name]?.values ?? [], reference[name]?.values ?? [])
                #expect(error < 1e-5, "gradient of \(name) is off by \(error) of its largest")
            }
        }
        let weights = try fixture.parameters.download()[0]
        for name in ["layer1.1.running_mean", "layer1.1.running_var", "layer2.1.running_mean", "layer2.1.running_var"] {
            let error = relativeError(weights[name], reference[name]?.values ?? [])
            #expect(error < 1e-5, "\(name) is off by \(error)")
        }
    }

    @Test(arguments: TestBackends.names, [1, 3]) func tenStepsOfAdamFollowPyTorchs(
        backendName: String, replicas: Int
    ) throws {
        let trace = try Fixture.expected().trace
        let ranges = stride(from: 0, to: 600, by: trace.batch_size).map { $0..<min($0 + trace.batch_size, 600) }
        let fixture = try FixtureNetwork(
            weights: "initial.safetensors", replicas: replicas, ranges: ranges, learningRate: trace.learning_rate,
            on: TestBackends.make(backendName))
        for _ in ranges { try fixture.step() }
        let losses = try fixture.network.losses(steps: ranges.count)
        for (step, (ours, theirs)) in zip(losses, trace.losses).enumerated() {
            for loss in ours { #expect(abs(Double(loss) - theirs) < 1e-4, "step \(step): \(loss), PyTorch \(theirs)") }
        }
        let trained = try Fixture.tensors("trained.safetensors")
        for weights in try fixture.parameters.download() {
            for (name, tensor) in trained {
                let error = relativeError(weights[name], tensor.values)
                #expect(error < 1e-4, "\(name) is off by \(error) of its largest after ten steps")
            }
        }
    }

    @Test(arguments: TestBackends.names) func inferenceGivesPyTorchsLogits(backendName: String) throws {
        let expected = try Fixture.expected().evaluation
        let fixture = try FixtureNetwork(
            weights: "trained.safetensors", ranges: [expected.first..<expected.first + expected.count],
            training: false, on: TestBackends.make(backendName))
        let predictions = try fixture.predict(expected.count)
        let logits = try fixture.logits(expected.count)
        let best = expected.logits.map { row in row.indices.max { row[$0] < row[$1] } }
        #expect(predictions.map { Int($0) } == best)
        #expect(relativeError(logits.flatMap { $0 }, expected.logits.flatMap { $0.map { Float($0) } }) < 1e-5)
    }
}
