/// Operations that have no kernel yet: each refuses, naming itself. Whoever writes the kernel removes its lines here.
extension OpenCLBackend {
    private func missing(_ operation: String) -> ComputeError {
        .invalidShape(operation: operation, reason: "there is no OpenCL kernel for it yet; use --device cpu")
    }

    public func gradientSlices(tiles: Int) -> Int { max(tiles, 1) }

    public func beginStep(_ schedule: StepSchedule) throws(ComputeError) { throw missing("beginStep") }

    public func gatherBatch(_ gather: GatherBatch) throws(ComputeError) { throw missing("gatherBatch") }

    public func conv2dForward(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("conv2dForward") }

    public func conv2dInputGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("conv2dInputGradient") }

    public func conv2dWeightGradient(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices, offset: Int
    ) throws(ComputeError) { throw missing("conv2dWeightGradient") }

    public func conv2dBiasGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, gradients: GradientSlices, offset: Int
    ) throws(ComputeError) { throw missing("conv2dBiasGradient") }

    public func batchNormStatistics(_ layer: BatchNormReluPool, input: DeviceBuffer<Float>) throws(ComputeError) {
        throw missing("batchNormStatistics")
    }

    public func batchNormReluPoolForward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("batchNormReluPoolForward") }

    public func batchNormReluPoolInference(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("batchNormReluPoolInference") }

    public func batchNormReluPoolBackwardSums(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("batchNormReluPoolBackwardSums") }

    public func batchNormReluPoolBackward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        inputGradient: DeviceBuffer<Float>, gradients: GradientSlices
    ) throws(ComputeError) { throw missing("batchNormReluPoolBackward") }

    public func linearForward(
        _ shape: LinearShape, relu: Bool, input: DeviceBuffer<Float>, weights: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("linearForward") }

    public func linearInputGradient(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        relu input: DeviceBuffer<Float>?, inputGradient: DeviceBuffer<Float>, transposed: DeviceBuffer<Float>?
    ) throws(ComputeError) { throw missing("linearInputGradient") }

    public func linearWeightGradient(
        _ shape: LinearShape, input: DeviceBuffer<Float>, transposedOutputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices, offset: Int
    ) throws(ComputeError) { throw missing("linearWeightGradient") }

    public func softmaxCrossEntropy(_ loss: SoftmaxCrossEntropy) throws(ComputeError) {
        throw missing("softmaxCrossEntropy")
    }

    public func classify(
        _ batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, current: DeviceBuffer<Int32>,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) throws(ComputeError) { throw missing("classify") }

    public func adamStep(_ step: AdamStep) throws(ComputeError) { throw missing("adamStep") }
}
