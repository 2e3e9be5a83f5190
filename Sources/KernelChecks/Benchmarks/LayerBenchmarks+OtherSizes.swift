import Compute

/// The linear layers of `linear`, `mlp` and `autoencoder` with sizes that ``all`` does not have, and Adam's step for
/// the parameters of these models.
extension LayerBenchmarks {
    private func forward(_ inputs: Int, _ outputs: Int) -> Benchmark {
        benchmark(LinearForward.kernel, "\(inputs)-\(outputs)") { maker throws(ComputeError) in
            let shape = LinearShape(batch: maker.batch, inputs: inputs, outputs: outputs)
            return LinearForward(
                shape, input: try maker.values(inputs, "input"), weights: try maker.weights(shape),
                output: try maker.values(outputs, "output"))
        }
    }

    private func inputGradient(_ inputs: Int, _ outputs: Int) -> Benchmark {
        benchmark(LinearInputGradient.kernel, "\(inputs)-\(outputs)") { maker throws(ComputeError) in
            let shape = LinearShape(batch: maker.batch, inputs: inputs, outputs: outputs)
            return LinearInputGradient(
                shape, outputGradient: try maker.values(outputs, "gradient of the output"),
                weights: try maker.weights(shape), inputGradient: try maker.values(inputs, "gradient of the input"))
        }
    }

    private func weightGradients(_ inputs: Int, _ outputs: Int) -> Benchmark {
        benchmark(LinearWeightGradients.kernel, "\(inputs)-\(outputs)") { maker throws(ComputeError) in
            let shape = LinearShape(batch: maker.batch, inputs: inputs, outputs: outputs)
            return LinearWeightGradients(
                shape, input: try maker.values(inputs, "input"),
                transposedDelta: try maker.values(paddedColumns(outputs), "transposed gradient"),
                weights: try maker.weights(shape),
                gradients: StepGradients(
                    try maker.floats(maker.replicas * shape.weightCount, "gradients"),
                    parameterCount: shape.weightCount))
        }
    }

    /// Adam's step for a model of linear layers with these widths.
    private func adam(_ model: String, _ widths: [Int]) -> Benchmark {
        let count = zip(widths, widths.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * paddedColumns($1.1) }
        return benchmark(AdamStep.kernel, "\(count) parameters of \(model)") { maker throws(ComputeError) in
            let all = maker.replicas * count
            func zeros(_ label: String) throws(ComputeError) -> DeviceBuffer<Float> {
                let buffer = try maker.backend.makeBuffer(of: Float.self, count: all, label: label)
                try maker.backend.fill(buffer, with: 0)
                return buffer
            }
            return AdamStep(
                StepEnd(
                    batch: maker.batch, parameters: try maker.floats(all, "parameters"),
                    gradients: StepGradients(try maker.floats(all, "gradients"), parameterCount: count),
                    lossAndCorrect: try maker.floats(maker.batch.replicas * maker.batch.tiles * 2, "losses of tiles"),
                    losses: try maker.floats(2 * maker.replicas, "losses"),
                    correct: try maker.integers([Int32](repeating: 0, count: 2 * maker.replicas), "right answers"),
                    schedule: try maker.schedule()),
                firstMoments: try zeros("first moments"), secondMoments: try zeros("second moments"))
        }
    }

    /// All of these benchmarks.
    var otherSizes: [Benchmark] {
        [
            forward(784, 10), weightGradients(784, 10), forward(784, 256), forward(256, 784), inputGradient(256, 784),
            weightGradients(256, 784), adam("linear", [784, 10]), adam("mlp", [784, 300, 100, 10]),
            adam("autoencoder", [784, 256, 64, 256, 784]),
        ]
    }
}
