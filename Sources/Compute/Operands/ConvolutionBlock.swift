/// A block of convolution, batch norm, ReLU and 2x2 max-pool. All its parameters are in one buffer.
package struct ConvolutionBlock {
    package var shape: Conv2DShape
    package var weights: ReplicaTensor
    package var bias: ReplicaTensor
    /// The convolution's input, [replica][tile][channel][y][x][sample]: the batch of images, or what the block before
    /// it gives.
    package var input: DeviceBuffer<Float>
    /// The convolution's output in training. ``Conv2dBlockBackward`` puts its gradient in its place;
    /// ``Conv2dWeightGradients`` leaves anything there.
    package var convolved: DeviceBuffer<Float>
    package var norm: BatchNormReluPool

    package init(
        shape: Conv2DShape, weights: ReplicaTensor, bias: ReplicaTensor, input: DeviceBuffer<Float>,
        convolved: DeviceBuffer<Float>, norm: BatchNormReluPool
    ) {
        self.shape = shape
        self.weights = weights
        self.bias = bias
        self.input = input
        self.convolved = convolved
        self.norm = norm
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        let batch = shape.batch
        try shape.validate(for: operation, layout: layout)
        try operation.require(input, holds: batch.room * shape.inputCount)
        try operation.require(convolved, holds: batch.room * shape.outputCount)
        try operation.require(weights, holds: shape.weightCount, replicas: batch.replicas)
        try operation.require(bias, holds: shape.outChannels, replicas: batch.replicas)
        try norm.validate(for: operation, layout: layout)
        let plane = PlaneShape(
            batch: batch, channels: shape.outChannels, height: shape.outHeight, width: shape.outWidth)
        try operation.require(
            norm.shape == plane, "the convolution gives \(plane), batch norm takes \(norm.shape)")
        try operation.require(
            [bias, norm.gamma, norm.beta].allSatisfy { $0.sharesBuffer(with: weights) },
            "a block's parameters are not in one buffer")
    }

    /// Throws unless the block takes what `source` gives.
    func validate(for operation: some Operation, follows source: ConvolutionBlock) throws(ComputeError) {
        let given = source.norm.shape
        try operation.require(
            given.batch == shape.batch && given.channels == shape.inChannels && given.pooledHeight == shape.height
                && given.pooledWidth == shape.width && source.weights.sharesBuffer(with: weights)
                && source.norm.current.storage === norm.current.storage,
            "the block takes \(shape), the one before it gives \(given)")
    }

    /// Throws unless the block takes a batch of such images.
    func validate(for operation: some Operation, takes gather: GatherBatch) throws(ComputeError) {
        try operation.require(
            gather.batch == shape.batch && gather.pixels == shape.inputCount && gather.channels == shape.inChannels
                && gather.schedule.current.storage === norm.current.storage,
            "images of \(gather.pixels) pixels in \(gather.channels) channels are no input of \(shape)")
    }
}

/// Where a block's input comes from.
package enum BlockSource {
    /// The batch of the schedule's next row.
    case images(GatherBatch)
    /// The block before it.
    case block(ConvolutionBlock)
}

/// Whose statistics batch norm takes.
package enum Pass: Sendable {
    /// The batch's.
    case training
    /// The running ones; what only the backward pass wants is not written.
    case inference
}
