/// Checks that the buffers of a training operation hold what its shape says, so that no input can make a kernel read
/// or write past its memory.

/// Throws unless `buffer` holds at least `count` elements.
func require<Element: BufferElement>(_ operation: String, _ buffer: DeviceBuffer<Element>, holds count: Int)
    throws(ComputeError)
{
    guard buffer.count >= count else {
        throw .invalidShape(
            operation: operation, reason: "\(buffer.label) holds \(buffer.count) elements where \(count) are needed")
    }
}

/// Throws unless `tensor` has room for `count` elements of each of `replicas` replicas.
func require(_ operation: String, _ tensor: ReplicaTensor, holds count: Int, replicas: Int) throws(ComputeError) {
    try require(operation, tensor.buffer, holds: tensor.offset + (replicas - 1) * tensor.stride + count)
}

/// Throws unless every number is at least 1.
func require(_ operation: String, positive numbers: [Int]) throws(ComputeError) {
    guard numbers.allSatisfy({ $0 > 0 }) else {
        throw .invalidShape(operation: operation, reason: "every extent must be at least 1, got \(numbers)")
    }
}

extension BatchShape {
    /// The samples that an activation has room for, on a backend with `tile` samples a tile.
    package func samples(tile: Int) -> Int { replicas * tiles * tile }
}

extension GatherBatch {
    func validate(tile: Int) throws(ComputeError) {
        try require("gather", positive: [batch.replicas, batch.tiles, pixels])
        // With a stride of 0 all replicas share one order.
        try require("gather", order, holds: (batch.replicas - 1) * orderStride + 1)
        try require("gather", batchLabels, holds: batch.samples(tile: tile))
    }
}

extension Conv2DShape {
    func validate(
        _ operation: String, tile: Int, input: DeviceBuffer<Float>?, output: DeviceBuffer<Float>?,
        weights: ReplicaTensor?
    ) throws(ComputeError) {
        try require(operation, positive: [batch.replicas, batch.tiles, inChannels, outChannels, kernel])
        guard outHeight > 0, outWidth > 0 else {
            throw .invalidShape(
                operation: operation, reason: "a \(kernel)x\(kernel) kernel does not fit into \(height)x\(width)")
        }
        let samples = batch.samples(tile: tile)
        if let input { try require(operation, input, holds: samples * inChannels * height * width) }
        if let output { try require(operation, output, holds: samples * outChannels * outHeight * outWidth) }
        if let weights { try require(operation, weights, holds: weightCount, replicas: batch.replicas) }
    }
}

extension StepGradients {
    func validate(_ operation: String, batch: BatchShape) throws(ComputeError) {
        try require(operation, values, holds: batch.replicas * parameterCount)
        try require(operation, tiles, holds: batch.replicas * batch.tiles * tileCount)
        guard parameterCount % 16 == 0, tileOffset % 16 == 0, tileCount % 16 == 0, tileOffset >= 0,
            tileOffset + tileCount <= parameterCount
        else {
            throw .invalidShape(
                operation: operation,
                reason: "\(tileCount) gradients from \(tileOffset) on do not fit into \(parameterCount), in sixteens")
        }
    }

    func validate(_ operation: String, hold tensor: ReplicaTensor, sliced count: Int) throws(ComputeError) {
        guard tensor.stride == parameterCount, tensor.offset == tileOffset, paddedColumns(count) == tileCount else {
            throw .invalidShape(
                operation: operation,
                reason:
                    "\(count) parameters from \(tensor.offset) on are not the \(tileCount) from \(tileOffset) on that "
                    + "have a gradient a tile")
        }
    }

    func validate(_ operation: String, hold tensor: ReplicaTensor, count: Int) throws(ComputeError) {
        guard tensor.stride == parameterCount, tensor.offset + count <= parameterCount else {
            throw .invalidShape(
                operation: operation,
                reason:
                    "parameters \(tensor.offset)..<\(tensor.offset + count) of \(tensor.stride) have no place among "
                    + "\(parameterCount) gradients")
        }
    }
}

extension BatchNormReluPool {
    func validate(_ operation: String, tile: Int) throws(ComputeError) {
        let batch = shape.batch
        try require(
            operation, positive: [batch.replicas, batch.tiles, shape.channels, shape.pooledHeight, shape.pooledWidth])
        let pooled = batch.samples(tile: tile) * shape.channels * shape.pooledHeight * shape.pooledWidth
        try require(operation, extremes, holds: pooled)
        try require(operation, winners, holds: pooled)
        try require(operation, pooledGradient, holds: pooled)
        try require(operation, partials, holds: batch.replicas * batch.tiles * shape.channels * 2)
        try require(operation, sums, holds: batch.replicas * batch.tiles * shape.channels * 2)
        try require(operation, saved, holds: batch.replicas * shape.channels * 2)
        try require(operation, running, holds: batch.replicas * shape.channels * 2)
        try require(operation, gamma, holds: shape.channels, replicas: batch.replicas)
        try require(operation, beta, holds: shape.channels, replicas: batch.replicas)
    }
}

extension ConvolutionBlock {
    func validate(_ operation: String, tile: Int) throws(ComputeError) {
        try shape.validate(operation, tile: tile, input: input, output: convolved, weights: weights)
        try require(operation, bias, holds: shape.outChannels, replicas: shape.batch.replicas)
        try norm.validate(operation, tile: tile)
        let plane = PlaneShape(
            batch: shape.batch, channels: shape.outChannels, height: shape.outHeight, width: shape.outWidth)
        guard norm.shape == plane else {
            throw .invalidShape(
                operation: operation, reason: "the convolution gives \(plane), batch norm takes \(norm.shape)")
        }
        for tensor in [bias, norm.gamma, norm.beta]
        where tensor.buffer.storage !== weights.buffer.storage || tensor.stride != weights.stride {
            throw .invalidShape(operation: operation, reason: "a block's parameters stand in one buffer")
        }
    }

    /// Throws unless the block takes what `source` gives.
    func validate(_ operation: String, follows source: ConvolutionBlock) throws(ComputeError) {
        let given = source.norm.shape
        guard
            given.batch == shape.batch, given.channels == shape.inChannels, given.pooledHeight == shape.height,
            given.pooledWidth == shape.width, source.weights.buffer.storage === weights.buffer.storage
        else {
            throw .invalidShape(
                operation: operation, reason: "the block takes \(shape), the one before it gives \(given)")
        }
    }

    func validate(_ operation: String, takes gather: GatherBatch, tile: Int) throws(ComputeError) {
        try gather.validate(tile: tile)
        guard gather.batch == shape.batch, gather.pixels == shape.inChannels * shape.height * shape.width else {
            throw .invalidShape(
                operation: operation, reason: "images of \(gather.pixels) pixels are no input of \(shape)")
        }
    }
}

extension Classifier {
    func validate(_ operation: String, tile: Int, follows block: ConvolutionBlock) throws(ComputeError) {
        let plane = block.norm.shape
        let features = plane.channels * plane.pooledHeight * plane.pooledWidth
        guard
            first.shape.batch == plane.batch, second.shape.batch == plane.batch, third.shape.batch == plane.batch,
            first.shape.inputs == features, second.shape.inputs == first.shape.outputs,
            third.shape.inputs == second.shape.outputs
        else {
            throw .invalidShape(
                operation: operation,
                reason: "layers from \(first.shape.inputs), \(second.shape.inputs) and \(third.shape.inputs) values do "
                    + "not follow \(features) features")
        }
        for layer in [first, second, third] {
            try layer.shape.validate(
                operation, tile: tile, input: layer.input, output: layer.delta, weights: layer.weights)
            try require(
                operation, layer.transposedDelta, holds: batch.samples(tile: tile) * layer.shape.outputStride)
            guard layer.weights.buffer.storage === block.weights.buffer.storage,
                layer.weights.stride == block.weights.stride
            else { throw .invalidShape(operation: operation, reason: "all parameters stand in one buffer") }
        }
        try require(operation, logits, holds: batch.samples(tile: tile) * classes)
        try require(operation, batchLabels, holds: batch.samples(tile: tile))
        try require(operation, results, holds: batch.replicas * batch.tiles * 2)
    }
}

extension LinearShape {
    func validate(
        _ operation: String, tile: Int, input: DeviceBuffer<Float>?, output: DeviceBuffer<Float>?,
        weights: ReplicaTensor?
    ) throws(ComputeError) {
        try require(operation, positive: [batch.replicas, batch.tiles, inputs, outputs])
        let samples = batch.samples(tile: tile)
        if let input { try require(operation, input, holds: samples * inputs) }
        if let output { try require(operation, output, holds: samples * outputs) }
        if let weights { try require(operation, weights, holds: weightCount, replicas: batch.replicas) }
    }
}

extension AdamStep {
    func validate() throws(ComputeError) {
        let count = batch.replicas * gradients.parameterCount
        try require("Adam step", positive: [batch.replicas, batch.tiles, gradients.parameterCount])
        try gradients.validate("Adam step", batch: batch)
        try require("Adam step", parameters, holds: count)
        try require("Adam step", firstMoments, holds: count)
        try require("Adam step", secondMoments, holds: count)
        try require("Adam step", results, holds: batch.replicas * batch.tiles * 2)
    }
}
