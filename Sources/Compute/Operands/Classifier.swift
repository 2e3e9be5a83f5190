/// One to four linear layers with ReLU between them after a block, and softmax cross-entropy.
package struct Classifier {
    /// One of the layers and its buffers.
    package struct Layer {
        package var shape: LinearShape
        /// [inputs + 1][outputs padded to 16], in the buffer of all parameters.
        package var weights: ReplicaTensor
        /// [replica][tile][input][sample].
        package var input: DeviceBuffer<Float>
        /// [replica][tile][output][sample]: the gradient of the output before its ReLU, 0 where masked.
        package var delta: DeviceBuffer<Float>
        /// [replica][tile][sample][output padded to 16]: the same, transposed; 0 in the padding.
        package var transposedDelta: DeviceBuffer<Float>

        package init(
            shape: LinearShape, weights: ReplicaTensor, input: DeviceBuffer<Float>, delta: DeviceBuffer<Float>,
            transposedDelta: DeviceBuffer<Float>
        ) {
            self.shape = shape
            self.weights = weights
            self.input = input
            self.delta = delta
            self.transposedDelta = transposedDelta
        }

        func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
            let batch = shape.batch
            try shape.validate(for: operation, layout: layout, weights: weights)
            try operation.require(input, holds: batch.room * shape.inputs)
            try operation.require(delta, holds: batch.room * shape.outputs)
            try operation.require(transposedDelta, holds: batch.room * shape.outputStride)
        }
    }
    /// Each takes the output of the one before it.
    package var layers: [Layer]
    /// [replica][tile][class][sample].
    package var logits: DeviceBuffer<Float>
    /// [replica][tile][sample], -1 where masked.
    package var batchLabels: DeviceBuffer<Int32>
    /// [replica][tile][2]: sum of the losses of a tile's valid samples, right answers among them.
    package var lossAndCorrect: DeviceBuffer<Float>
    /// The samples' weights; nil if all are equal.
    package var sampleWeights: SampleWeights?

    /// How many layers there may be.
    package static let layerCounts = 1...4

    /// A classifier over buffers of the shapes above.
    package init(
        layers: [Layer], logits: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>,
        lossAndCorrect: DeviceBuffer<Float>, sampleWeights: SampleWeights? = nil
    ) {
        self.layers = layers
        self.logits = logits
        self.batchLabels = batchLabels
        self.lossAndCorrect = lossAndCorrect
        self.sampleWeights = sampleWeights
    }

    /// The number of logits.
    package var classes: Int { layers.last?.shape.outputs ?? 0 }
    /// Values between the layers.
    var hidden: Int { layers.dropFirst().reduce(0) { $0 + $1.shape.inputs } }
    /// Multiply-adds per sample of one pass over all layers.
    var multiplyAdds: Int { layers.reduce(0) { $0 + $1.shape.inputs * $1.shape.outputs } }

    /// Throws unless it takes what `block` gives and every buffer is large enough.
    func validate(for operation: some Operation, layout: DataLayout, follows block: ConvolutionBlock)
        throws(ComputeError)
    {
        let batch = block.shape.batch
        try operation.require(
            Self.layerCounts.contains(layers.count),
            "\(layers.count) linear layers; \(Self.layerCounts.lowerBound) to \(Self.layerCounts.upperBound) are accepted"
        )
        var given = block.norm.shape.pooledCount
        for layer in layers {
            try layer.validate(for: operation, layout: layout)
            try operation.require(
                layer.shape.batch == batch && layer.shape.inputs == given,
                "a layer of \(layer.shape.inputs) inputs does not follow \(given) values")
            try operation.require(layer.weights.sharesBuffer(with: block.weights), "parameters are not in one buffer")
            given = layer.shape.outputs
        }
        try operation.require(logits, holds: batch.room * classes)
        try operation.require(batchLabels, holds: batch.room)
        try operation.require(lossAndCorrect, holds: batch.replicas * batch.tiles * 2)
        try sampleWeights?.validate(for: operation, batch)
    }
}
