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
    func samples(tile: Int) -> Int { replicas * tiles * tile }

    func validateClassify(
        tile: Int, classes: Int, logits: DeviceBuffer<Float>, predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) throws(ComputeError) {
        try require("classify", positive: [replicas, tiles, classes])
        try require("classify", logits, holds: samples(tile: tile) * classes)
        try require("classify", predictions, holds: replicas * predictionStride)
    }
}

extension GatherBatch {
    func validate(tile: Int) throws(ComputeError) {
        try require("gather batch", positive: [batch.replicas, batch.tiles, pixels])
        try require("gather batch", order, holds: batch.replicas * orderStride)
        try require("gather batch", activations, holds: batch.samples(tile: tile) * pixels)
        try require("gather batch", batchLabels, holds: batch.samples(tile: tile))
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

extension GradientSlices {
    /// The tiles whose samples slice `slice` sums: contiguous, and as even as can be.
    func tiles(of slice: Int, among tiles: Int) -> Range<Int> {
        let chunk = (tiles + slices - 1) / slices
        return min(slice * chunk, tiles)..<min((slice + 1) * chunk, tiles)
    }

    func validate(_ operation: String, batch: BatchShape, offset: Int, count: Int) throws(ComputeError) {
        try require(operation, buffer, holds: batch.replicas * slices * parameterCount)
        guard offset >= 0, offset + count <= parameterCount else {
            throw .invalidShape(
                operation: operation,
                reason: "gradients \(offset)..<\(offset + count) are outside \(parameterCount) parameters")
        }
    }
}

extension BatchNormReluPool {
    func validate(
        _ operation: String, tile: Int, plane: DeviceBuffer<Float>, pooled: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        let batch = shape.batch
        try require(operation, positive: [batch.replicas, batch.tiles, shape.channels, shape.height, shape.width])
        let planes = batch.samples(tile: tile) * shape.channels
        try require(operation, plane, holds: planes * shape.height * shape.width)
        try require(operation, partials, holds: batch.replicas * batch.tiles * shape.channels * 2)
        try require(operation, saved, holds: batch.replicas * shape.channels * 2)
        try require(operation, running, holds: batch.replicas * shape.channels * 2)
        try require(operation, gamma, holds: shape.channels, replicas: batch.replicas)
        try require(operation, beta, holds: shape.channels, replicas: batch.replicas)
        if let pooled {
            let count = planes * shape.pooledHeight * shape.pooledWidth
            try require(operation, pooled, holds: count)
            try require(operation, winners, holds: count)
        }
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

    func validate(
        _ operation: String, tile: Int, relu: DeviceBuffer<Float>?, transposed: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        let samples = batch.samples(tile: tile)
        if let relu { try require(operation, relu, holds: samples * inputs) }
        if let transposed { try require(operation, transposed, holds: samples * inputStride) }
    }
}

extension SoftmaxCrossEntropy {
    func validate(tile: Int) throws(ComputeError) {
        let operation = "softmax cross-entropy"
        try require(operation, positive: [batch.replicas, batch.tiles, classes])
        let samples = batch.samples(tile: tile)
        try require(operation, logits, holds: samples * classes)
        try require(operation, delta, holds: samples * classes)
        try require(operation, transposedDelta, holds: samples * paddedColumns(classes))
        try require(operation, batchLabels, holds: samples)
    }
}

extension AdamStep {
    func validate() throws(ComputeError) {
        let count = replicas * gradients.parameterCount
        try require("Adam step", positive: [replicas, gradients.parameterCount, gradients.slices])
        try require("Adam step", parameters, holds: count)
        try require("Adam step", firstMoments, holds: count)
        try require("Adam step", secondMoments, holds: count)
        try require("Adam step", gradients.buffer, holds: count * gradients.slices)
    }
}
