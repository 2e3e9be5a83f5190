/// How many replicas and tiles of samples an activation holds. An activation of C channels of HxW values is stored as
/// [replica][tile][channel][y][x][sample in tile]; a batch of B samples takes ceil(B / TILE) tiles, and samples past
/// the batch's valid count are masked.
package struct BatchShape: Hashable, Sendable {
    /// R, the networks that are trained side by side.
    package var replicas: Int
    /// B, the samples that a full batch has for each of them.
    package var samples: Int
    /// TILE of the backend that holds the activations.
    package var tile: Int
    /// Tiles per batch.
    package var tiles: Int { (samples + tile - 1) / tile }
    /// Samples that an activation has room for.
    package var room: Int { replicas * tiles * tile }

    /// A batch of up to `samples` samples for each of `replicas` networks, in tiles of `tile`.
    package init(replicas: Int, samples: Int, tile: Int) {
        self.replicas = replicas
        self.samples = samples
        self.tile = tile
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try operation.require(positive: [replicas, samples])
        try operation.require(tile == layout.tile, "tiles of \(tile) samples where \(layout.tile) are needed")
    }
}

/// A convolution of stride 1: input HxW with P rows and columns of zeros on each side, output (H+2P-K+1)x(W+2P-K+1).
/// Weights are [in channel][ky][kx][out channel], biases [out channel].
package struct Conv2DShape: Hashable, Sendable {
    package var batch: BatchShape
    package var inChannels: Int
    package var outChannels: Int
    package var height: Int
    package var width: Int
    /// K, the side of the square kernel.
    package var kernel: Int
    /// P; the fused blocks take 0 alone.
    package var padding: Int
    /// Rows of the output.
    package var outHeight: Int { height + 2 * padding - kernel + 1 }
    /// Columns of the output.
    package var outWidth: Int { width + 2 * padding - kernel + 1 }
    /// Elements of the weight tensor.
    package var weightCount: Int { inChannels * kernel * kernel * outChannels }
    /// Values of a sample's input.
    package var inputCount: Int { inChannels * height * width }
    /// Values of a sample's output.
    package var outputCount: Int { outChannels * outHeight * outWidth }
    /// Multiply-adds per sample, those with padding left out; each gradient takes as many.
    var multiplyAdds: Int {
        let rows = (0..<outHeight).reduce(0) { $0 + taps(at: $1, of: height).count }
        let columns = (0..<outWidth).reduce(0) { $0 + taps(at: $1, of: width).count }
        return inChannels * outChannels * rows * columns
    }

    /// A convolution of `inChannels` planes of `height` x `width` into `outChannels` planes.
    package init(
        batch: BatchShape, inChannels: Int, outChannels: Int, height: Int, width: Int, kernel: Int, padding: Int = 0
    ) {
        self.batch = batch
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.height = height
        self.width = width
        self.kernel = kernel
        self.padding = padding
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try operation.require(positive: [inChannels, outChannels, height, width, kernel])
        try operation.require(padding >= 0, "a padding of \(padding); at least 0 is needed")
        try operation.require(
            outHeight > 0 && outWidth > 0, "a \(kernel)x\(kernel) kernel does not fit into \(height)x\(width)")
    }
}

/// C planes of HxW values a sample, as batch norm, ReLU and the 2x2 max-pool see them. The pool drops an odd last row
/// or column, as PyTorch does.
package struct PlaneShape: Hashable, Sendable {
    package var batch: BatchShape
    package var channels: Int
    package var height: Int
    package var width: Int
    /// Rows after the pool.
    package var pooledHeight: Int { height / 2 }
    /// Columns after the pool.
    package var pooledWidth: Int { width / 2 }
    /// Values of a sample.
    var count: Int { channels * height * width }
    /// Values of a sample after the pool.
    var pooledCount: Int { channels * pooledHeight * pooledWidth }

    /// `channels` planes of `height` x `width`.
    package init(batch: BatchShape, channels: Int, height: Int, width: Int) {
        self.batch = batch
        self.channels = channels
        self.height = height
        self.width = width
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try operation.require(positive: [channels, pooledHeight, pooledWidth])
    }
}

/// A linear layer. Weights are [inputs + 1][outputStride]: a row an input, the bias as last row, columns from `outputs`
/// on are padding and stay zero.
package struct LinearShape: Hashable, Sendable {
    package var batch: BatchShape
    package var inputs: Int
    package var outputs: Int
    /// Columns of the stored weights and of a transposed delta: `outputs` rounded up to 16.
    package var outputStride: Int { paddedColumns(outputs) }
    /// Columns of the transposed delta of the inputs.
    package var inputStride: Int { paddedColumns(inputs) }
    /// Elements of the stored weights with padding and bias row.
    package var weightCount: Int { (inputs + 1) * outputStride }

    /// A layer from `inputs` to `outputs` values a sample.
    package init(batch: BatchShape, inputs: Int, outputs: Int) {
        self.batch = batch
        self.inputs = inputs
        self.outputs = outputs
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try operation.require(positive: [inputs, outputs])
    }
}

/// `columns` rounded up to 16, so that rows of weights and of transposed deltas are whole vectors on every device.
package func paddedColumns(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }
