/// How many replicas and tiles of samples an activation holds. An activation of C channels of HxW values is stored as
/// [replica][tile][channel][y][x][sample in tile]; a batch of B samples takes ceil(B / TILE) tiles, and samples past
/// the batch's valid count are masked.
package struct BatchShape: Hashable, Sendable {
    /// R, the networks that are trained side by side.
    package var replicas: Int
    /// Tiles a batch.
    package var tiles: Int

    /// A batch of `tiles` tiles for each of `replicas` networks.
    package init(replicas: Int, tiles: Int) {
        self.replicas = replicas
        self.tiles = tiles
    }
}

/// A convolution of stride 1 without padding: input HxW, output (H-K+1)x(W-K+1).
/// Weights are [in channel][ky][kx][out channel], biases [out channel].
package struct Conv2DShape: Hashable, Sendable {
    package var batch: BatchShape
    package var inChannels: Int
    package var outChannels: Int
    package var height: Int
    package var width: Int
    /// K, the side of the square kernel.
    package var kernel: Int
    /// Rows of the output.
    package var outHeight: Int { height - kernel + 1 }
    /// Columns of the output.
    package var outWidth: Int { width - kernel + 1 }
    /// Elements of the weight tensor.
    package var weightCount: Int { inChannels * kernel * kernel * outChannels }

    /// A convolution of `inChannels` planes of `height` x `width` into `outChannels` planes.
    package init(batch: BatchShape, inChannels: Int, outChannels: Int, height: Int, width: Int, kernel: Int) {
        self.batch = batch
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.height = height
        self.width = width
        self.kernel = kernel
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

    /// `channels` planes of `height` x `width`.
    package init(batch: BatchShape, channels: Int, height: Int, width: Int) {
        self.batch = batch
        self.channels = channels
        self.height = height
        self.width = width
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
}

/// `columns` rounded up to 16, so that rows of weights and of transposed deltas are whole vectors on every device.
package func paddedColumns(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }
