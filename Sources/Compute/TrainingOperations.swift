/// What a step needs to know that changes from step to step, kept on the device so that the host sets nothing inside
/// an epoch: the operation that gathers a batch copies the cursor's row into `current`, and the last one of a step moves
/// the cursor on.
package struct StepSchedule {
    /// [steps][4]: position of the batch's first sample in the order, count of valid samples, 0, 0.
    package let batches: DeviceBuffer<Int32>
    /// [steps][2]: Adam's step size lr / (1 - beta1^t), and 1 / sqrt(1 - beta2^t).
    package let rates: DeviceBuffer<Float>
    /// [1]: the next step.
    package let cursor: DeviceBuffer<Int32>
    /// [4]: first sample, valid samples, step, 0 of the step under way.
    package let current: DeviceBuffer<Int32>

    /// A schedule over buffers of the shapes above.
    package init(
        batches: DeviceBuffer<Int32>, rates: DeviceBuffer<Float>, cursor: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>
    ) {
        self.batches = batches
        self.rates = rates
        self.cursor = cursor
        self.current = current
    }
}

/// The gradients of all parameters, [replica][parameter], and what becomes of it only when a step ends: a sum a tile of
/// the first convolution's weights, whose gradient each tile's work-group finishes by itself.
package struct StepGradients {
    /// [replica][parameter]; what no operation writes (biases before batch norm, padding) stays as it is.
    package let values: DeviceBuffer<Float>
    /// Parameters of one replica, padding included: a multiple of 16.
    package let parameterCount: Int
    /// [replica][tile][tileCount]; padding stays as it is.
    package let tiles: DeviceBuffer<Float>
    /// The parameter that the first value of a tile belongs to: a multiple of 16.
    package let tileOffset: Int
    /// Values a tile: the convolution's weights, padded to 16.
    package let tileCount: Int

    /// Gradients over buffers of the shapes above.
    package init(
        _ values: DeviceBuffer<Float>, parameterCount: Int, tiles: DeviceBuffer<Float>, tileOffset: Int, tileCount: Int
    ) {
        self.values = values
        self.parameterCount = parameterCount
        self.tiles = tiles
        self.tileOffset = tileOffset
        self.tileCount = tileCount
    }
}

/// A batch of 8-bit images on its way into float activations, 0 where masked.
package struct GatherBatch {
    /// Replicas and tiles of the batch.
    package var batch: BatchShape
    /// Values an image: channels x height x width.
    package var pixels: Int
    /// [images][pixels].
    package var images: DeviceBuffer<UInt8>
    /// [images].
    package var labels: DeviceBuffer<UInt8>
    /// [replicas][orderStride]: indices of images in training order.
    package var order: DeviceBuffer<Int32>
    package var orderStride: Int
    /// The batch is that of the schedule's next row.
    package var schedule: StepSchedule
    /// Value of a pixel: `pixel * scale + shift`.
    package var scale: Float
    package var shift: Float
    /// Result [replica][tile][sample]; -1 where masked.
    package var batchLabels: DeviceBuffer<Int32>

    package init(
        batch: BatchShape, pixels: Int, images: DeviceBuffer<UInt8>, labels: DeviceBuffer<UInt8>,
        order: DeviceBuffer<Int32>, orderStride: Int, schedule: StepSchedule, scale: Float, shift: Float,
        batchLabels: DeviceBuffer<Int32>
    ) {
        self.batch = batch
        self.pixels = pixels
        self.images = images
        self.labels = labels
        self.order = order
        self.orderStride = orderStride
        self.schedule = schedule
        self.scale = scale
        self.shift = shift
        self.batchLabels = batchLabels
    }
}

/// Batch norm over the samples and positions of each channel (Ioffe & Szegedy 2015) with ReLU and a 2x2 max-pool: the
/// parameters and buffers of one such layer. The pool comes first, since normalising keeps or turns the order of values:
/// what wins is the largest value where gamma is positive, the smallest where it is negative.
package struct BatchNormReluPool {
    package var shape: PlaneShape
    /// [channel] scale and shift.
    package var gamma: ReplicaTensor
    package var beta: ReplicaTensor
    /// [replica][2][channel]: running mean, running variance (unbiased), momentum 0.1.
    package var running: DeviceBuffer<Float>
    /// [replica][tile][channel][y / 2][x / 2][sample]: what wins each pool, not yet normalised.
    package var extremes: DeviceBuffer<Float>
    /// The same shape: 2 * dy + dx of the winner, the first one on ties and where gamma is 0.
    package var winners: DeviceBuffer<UInt8>
    /// [replica][tile][channel][2]: mean and sum of squared deviations of a tile's valid samples.
    package var partials: DeviceBuffer<Float>
    /// [replica][channel][2]: the batch's mean and 1 / sqrt(variance + epsilon), for the backward pass.
    package var saved: DeviceBuffer<Float>
    /// The shape of `extremes`: the gradient of the layer's output, 0 where ReLU let nothing pass and where masked.
    package var pooledGradient: DeviceBuffer<Float>
    /// [replica][tile][channel][2]: sums over a tile of the pooled gradient, and of it times the normalised input.
    package var sums: DeviceBuffer<Float>
    /// ``StepSchedule/current``.
    package var current: DeviceBuffer<Int32>

    package init(
        shape: PlaneShape, gamma: ReplicaTensor, beta: ReplicaTensor, running: DeviceBuffer<Float>,
        extremes: DeviceBuffer<Float>, winners: DeviceBuffer<UInt8>, partials: DeviceBuffer<Float>,
        saved: DeviceBuffer<Float>, pooledGradient: DeviceBuffer<Float>, sums: DeviceBuffer<Float>,
        current: DeviceBuffer<Int32>
    ) {
        self.shape = shape
        self.gamma = gamma
        self.beta = beta
        self.running = running
        self.extremes = extremes
        self.winners = winners
        self.partials = partials
        self.saved = saved
        self.pooledGradient = pooledGradient
        self.sums = sums
        self.current = current
    }

    /// Added to the variance, PyTorch's default.
    package static let epsilon: Float = 1e-5
    /// Weight of the newest batch in the running statistics, PyTorch's default.
    package static let momentum: Float = 0.1
}

/// A block of convolution, batch norm, ReLU and 2x2 max-pool. All its parameters stand in one buffer.
package struct ConvolutionBlock {
    package var shape: Conv2DShape
    package var weights: ReplicaTensor
    package var bias: ReplicaTensor
    /// The convolution's input, [replica][tile][channel][y][x][sample]: the batch of images, or what the block before
    /// it gives.
    package var input: DeviceBuffer<Float>
    /// The convolution's output in training. ``TrainingOperations/conv2dBlockBackward(_:to:_:gradients:)`` puts its
    /// gradient in its place; ``TrainingOperations/conv2dWeightGradients(_:next:gradients:)`` leaves anything there.
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

/// Three linear layers with ReLU between them behind a block, and softmax cross-entropy.
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
    }
    /// Each takes the output of the one before it.
    package var first: Layer
    package var second: Layer
    package var third: Layer
    /// [replica][tile][class][sample].
    package var logits: DeviceBuffer<Float>
    /// [replica][tile][sample], -1 where masked.
    package var batchLabels: DeviceBuffer<Int32>
    /// [replica][tile][2]: sum of the losses of a tile's valid samples, right answers among them.
    package var results: DeviceBuffer<Float>

    package init(
        first: Layer, second: Layer, third: Layer, logits: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>,
        results: DeviceBuffer<Float>
    ) {
        self.first = first
        self.second = second
        self.third = third
        self.logits = logits
        self.batchLabels = batchLabels
        self.results = results
    }

    var batch: BatchShape { first.shape.batch }
    var classes: Int { third.shape.outputs }
}

/// One step of Adam (Kingma & Ba 2015, algorithm 1, as PyTorch computes it) for all parameters of all replicas, and the
/// step's results.
package struct AdamStep {
    /// Replicas and tiles of the batch.
    package var batch: BatchShape
    /// [replica][parameter], each.
    package var parameters: DeviceBuffer<Float>
    package var firstMoments: DeviceBuffer<Float>
    package var secondMoments: DeviceBuffer<Float>
    package var gradients: StepGradients
    /// ``Classifier/results``.
    package var results: DeviceBuffer<Float>
    /// Result [step][replica]: the mean loss.
    package var losses: DeviceBuffer<Float>
    /// Result [step][replica]: right answers.
    package var correct: DeviceBuffer<Int32>
    package var schedule: StepSchedule

    package init(
        batch: BatchShape, parameters: DeviceBuffer<Float>, firstMoments: DeviceBuffer<Float>,
        secondMoments: DeviceBuffer<Float>, gradients: StepGradients, results: DeviceBuffer<Float>,
        losses: DeviceBuffer<Float>, correct: DeviceBuffer<Int32>, schedule: StepSchedule
    ) {
        self.batch = batch
        self.parameters = parameters
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.gradients = gradients
        self.results = results
        self.losses = losses
        self.correct = correct
        self.schedule = schedule
    }

    /// PyTorch's defaults.
    package static let beta1 = 0.9
    package static let beta2 = 0.999
    package static let epsilon = 1e-8
}

/// The operations behind training and evaluation: each is a launch on a device, and on the CPU path a composition of
/// plain operations. In their order they make a step. Every operation overwrites its results and throws
/// ``ComputeError/invalidShape(operation:reason:)`` where a buffer is too small for its shape.
package protocol TrainingOperations: BufferBackend {
    /// Forward pass of a block as far as it goes without the statistics of the whole batch: its input (gathered, and the
    /// schedule's next row with it; or the block before it, normalised and through ReLU), its convolution, what wins
    /// the pools, and in training the statistics of each tile. Normalising the block before it finishes that one's
    /// statistics, saves them and moves the running ones.
    func conv2dBlockForward(_ block: ConvolutionBlock, from source: BlockSource, _ pass: Pass) throws(ComputeError)
    /// From the block before the classifier, normalised and through ReLU, to the loss, and back to the block's pooled
    /// gradient and its sums: linear layers, softmax cross-entropy, deltas in both layouts.
    func classifierStep(_ classifier: Classifier, from block: ConvolutionBlock) throws(ComputeError)
    /// The class of the largest logit (the lowest on ties) of each valid sample, into `predictions`
    /// [replica][predictionStride] at the sample's position in the order; the schedule moves on.
    func classifierPredictions(
        _ classifier: Classifier, from block: ConvolutionBlock, schedule: StepSchedule,
        predictions: DeviceBuffer<Int32>, predictionStride: Int) throws(ComputeError)
    /// Backward pass from a block's pooled gradient to that of the block before it and its sums; the gradients of the
    /// block's gamma and beta, and of the classifier's weights.
    func conv2dBlockBackward(
        _ block: ConvolutionBlock, to source: ConvolutionBlock, _ classifier: Classifier, gradients: StepGradients)
        throws(ComputeError)
    /// The first block's backward pass to its convolution's output, and both convolutions' weight gradients.
    func conv2dWeightGradients(_ block: ConvolutionBlock, next: ConvolutionBlock, gradients: StepGradients)
        throws(ComputeError)
    /// Finishes gradients and results, moves parameters and moments on, and the schedule.
    func adamStep(_ step: AdamStep) throws(ComputeError)
}
