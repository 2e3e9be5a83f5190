import Compute

/// What comes between the convolutions and linear layers of layered networks, at the sizes that `lenet5-1998` has after its
/// first convolution, and the loss of `autoencoder` on 28x28 images.
extension LayerBenchmarks {
    private func pool(_ maker: Maker) -> PoolShape {
        PoolShape(batch: maker.batch, channels: 6, height: 28, width: 28, side: 2)
    }

    private func norm(_ maker: Maker) throws(ComputeError) -> BatchNorm {
        let (channels, stride) = (6, 32)
        let parameters = try maker.floats(maker.replicas * stride, "parameters")
        let statistics = [Float](repeating: 0.5, count: maker.replicas * 2 * channels)
        return BatchNorm(
            batch: maker.batch, channels: channels, positions: 784,
            gamma: ReplicaTensor(parameters, offset: 0, stride: stride),
            beta: ReplicaTensor(parameters, offset: 16, stride: stride),
            running: try maker.backend.makeBuffer(statistics, label: "running statistics"),
            saved: try maker.backend.makeBuffer(statistics, label: "saved statistics"),
            current: try maker.current())
    }

    /// All of them.
    var betweenWeights: [Benchmark] {
        let (values, pixels, planes) = (4704, 784, "6 planes of 28x28")
        return [
            benchmark(TanhForward.kernel, "\(values) values a sample") { maker throws(ComputeError) in
                TanhForward(
                    batch: maker.batch, features: values, input: try maker.values(values, "input"),
                    output: try maker.values(values, "output"))
            },
            benchmark(TanhBackward.kernel, "\(values) values a sample") { maker throws(ComputeError) in
                TanhBackward(
                    batch: maker.batch, features: values, output: try maker.values(values, "output"),
                    gradient: try maker.values(values, "gradient"), transposedGradient: nil)
            },
            benchmark(AvgPoolForward.kernel, "\(planes) by 2") { maker throws(ComputeError) in
                let shape = pool(maker)
                return AvgPoolForward(
                    shape, input: try maker.values(shape.count, "input"),
                    output: try maker.values(shape.pooledCount, "output"))
            },
            benchmark(AvgPoolBackward.kernel, "\(planes) by 2") { maker throws(ComputeError) in
                let shape = pool(maker)
                return AvgPoolBackward(
                    shape, outputGradient: try maker.values(shape.pooledCount, "gradient of the output"),
                    inputGradient: try maker.values(shape.count, "gradient of the input"))
            },
            benchmark(MaxPoolForward.kernel, "\(planes) by 2") { maker throws(ComputeError) in
                let shape = pool(maker)
                return MaxPoolForward(
                    shape, input: try maker.values(shape.count, "input"),
                    output: try maker.values(shape.pooledCount, "output"),
                    winners: try maker.integers(
                        [Int32](repeating: 0, count: maker.batch.room * shape.pooledCount), "winners"))
            },
            benchmark(MaxPoolBackward.kernel, "\(planes) by 2") { maker throws(ComputeError) in
                let shape = pool(maker)
                return MaxPoolBackward(
                    shape, outputGradient: try maker.values(shape.pooledCount, "gradient of the output"),
                    winners: try maker.integers(
                        (0..<maker.batch.room * shape.pooledCount).map { Int32($0 % 4) }, "winners"),
                    inputGradient: try maker.values(shape.count, "gradient of the input"))
            },
            benchmark(BatchNormForward.kernel, "\(planes), training") { maker throws(ComputeError) in
                let layer = try norm(maker)
                return BatchNormForward(
                    layer, .training, input: try maker.values(layer.features, "input"),
                    output: try maker.values(layer.features, "output"))
            },
            benchmark(BatchNormForward.kernel, "\(planes), inference") { maker throws(ComputeError) in
                let layer = try norm(maker)
                return BatchNormForward(
                    layer, .inference, input: try maker.values(layer.features, "input"),
                    output: try maker.values(layer.features, "output"))
            },
            benchmark(BatchNormBackward.kernel, planes) { maker throws(ComputeError) in
                let layer = try norm(maker)
                return BatchNormBackward(
                    layer, input: try maker.values(layer.features, "input"),
                    gradient: try maker.values(layer.features, "gradient"), transposedGradient: nil,
                    gradients: StepGradients(
                        try maker.floats(maker.replicas * layer.gamma.stride, "gradients"),
                        parameterCount: layer.gamma.stride))
            },
            benchmark(MeanSquaredError.kernel, "\(pixels) values a sample") { maker throws(ComputeError) in
                MeanSquaredError(
                    batch: maker.batch, values: pixels, output: try maker.values(pixels, "output"),
                    target: try maker.values(pixels, "target"),
                    current: try maker.current(),
                    delta: try maker.values(pixels, "gradient"),
                    transposedDelta: try maker.values(paddedColumns(pixels), "transposed gradient"),
                    lossAndCorrect: try maker.floats(maker.batch.replicas * maker.batch.tiles * 2, "losses"))
            },
        ]
    }
}
