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
        try operation.require(shape.padding == 0, "a padding of \(shape.padding); a block has none")
        if let excess = shape.excess { throw .invalidShape(operation: type(of: operation).kernel, reason: excess) }
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
        if let augmentation = gather.augmentation {
            try operation.require(
                augmentation.width == shape.width, "rows of \(augmentation.width) pixels are no input of \(shape)")
        }
    }
}

extension Conv2DShape {
    /// The most planes before and after a block's convolution: 16 bytes of local memory each, beside 12 KiB of sums. That
    /// stays within 16 KiB; a device has 32 at the least, of which Mesa's Rusticl counts each array twice.
    private static let mostPlanes = 224
    /// The largest kernel of a block: a GPU's work-items hold the sums of all its taps in registers.
    private static let largestKernel = 7
    /// The most values per sample that ``Conv2dWeightGradients`` holds for a single plane of the first block: 40 KiB of
    /// private memory in vectors of 16 samples.
    private static let mostRunningValues = 640

    /// What the kernels of a block do not take, as a sentence's part; nil where they take the shape.
    package var excess: String? {
        if kernel > Self.largestKernel {
            return "a kernel of \(kernel)x\(kernel); at most \(Self.largestKernel)x\(Self.largestKernel) is accepted"
        }
        if max(inChannels, outChannels) > Self.mostPlanes {
            return "\(max(inChannels, outChannels)) planes; at most \(Self.mostPlanes) are accepted"
        }
        return nil
    }

    /// What the kernels of the first block do not take, as a sentence's part; nil where they take the shape.
    package var excessAsFirst: String? {
        if excess == nil, runningValues > Self.mostRunningValues {
            return
                "\(inChannels) planes, a kernel of \(kernel)x\(kernel) and rows of \(outWidth) need room for \(runningValues) "
                + "running values; at most \(Self.mostRunningValues) are accepted"
        }
        return excess
    }

    /// The sums of a plane's taps and a row of its gradients.
    private var runningValues: Int { inChannels * kernel * kernel + outWidth }

    /// Of how many planes such values fit into private memory together, at least one.
    var runningPlanes: Int { max(1, Self.mostRunningValues / runningValues) }
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
