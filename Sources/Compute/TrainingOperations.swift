/// What a step needs to know that changes from step to step, kept on the device so that the host sets nothing inside
/// an epoch: ``TrainingOperations/beginStep(_:)`` copies the cursor's row into `current` and moves the cursor on.
public struct StepSchedule {
    /// [steps][4]: position of the batch's first sample in the order, count of valid samples, 0, 0.
    public let batches: DeviceBuffer<Int32>
    /// [steps][2]: Adam's step size lr / (1 - beta1^t), and 1 / sqrt(1 - beta2^t).
    public let rates: DeviceBuffer<Float>
    /// [1]: the next step.
    public let cursor: DeviceBuffer<Int32>
    /// [4]: first sample, valid samples, step, 0 of the step under way.
    public let current: DeviceBuffer<Int32>

    /// A schedule over buffers of the shapes above.
    public init(
        batches: DeviceBuffer<Int32>, rates: DeviceBuffer<Float>, cursor: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>
    ) {
        self.batches = batches
        self.rates = rates
        self.cursor = cursor
        self.current = current
    }
}

/// Partial gradients: [replica][slice][parameter]. A weight gradient that is split over tiles writes one slice a part;
/// ``TrainingOperations/adamStep(_:)`` adds the slices in order.
public struct GradientSlices {
    public let buffer: DeviceBuffer<Float>
    /// Slices a replica.
    public let slices: Int
    /// Elements of one slice: the parameters of one replica.
    public let parameterCount: Int

    /// Slices over a buffer of replicas x slices x parameterCount elements.
    public init(_ buffer: DeviceBuffer<Float>, slices: Int, parameterCount: Int) {
        self.buffer = buffer
        self.slices = slices
        self.parameterCount = parameterCount
    }
}

/// A batch of 8-bit images on its way into float activations.
public struct GatherBatch {
    /// Replicas and tiles of the batch.
    public var batch: BatchShape
    /// Values an image: channels x height x width.
    public var pixels: Int
    /// [images][pixels].
    public var images: DeviceBuffer<UInt8>
    /// [images].
    public var labels: DeviceBuffer<UInt8>
    /// [replicas][orderStride]: indices of images in training order.
    public var order: DeviceBuffer<Int32>
    public var orderStride: Int
    /// ``StepSchedule/current``.
    public var current: DeviceBuffer<Int32>
    /// Value of a pixel: `pixel * scale + shift`.
    public var scale: Float
    public var shift: Float
    /// Result [replica][tile][pixel][sample]; 0 where masked.
    public var activations: DeviceBuffer<Float>
    /// Result [replica][tile][sample]; -1 where masked.
    public var batchLabels: DeviceBuffer<Int32>

    public init(
        batch: BatchShape, pixels: Int, images: DeviceBuffer<UInt8>, labels: DeviceBuffer<UInt8>,
        order: DeviceBuffer<Int32>, orderStride: Int, current: DeviceBuffer<Int32>, scale: Float, shift: Float,
        activations: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>
    ) {
        self.batch = batch
        self.pixels = pixels
        self.images = images
        self.labels = labels
        self.order = order
        self.orderStride = orderStride
        self.current = current
        self.scale = scale
        self.shift = shift
        self.activations = activations
        self.batchLabels = batchLabels
    }
}

/// Batch norm over the samples and positions of each channel (Ioffe & Szegedy 2015), followed by ReLU and a 2x2
/// max-pool: the buffers of one such layer.
public struct BatchNormReluPool {
    public var shape: PlaneShape
    /// [channel] scale and shift.
    public var gamma: ReplicaTensor
    public var beta: ReplicaTensor
    /// [replica][2][channel]: running mean, running variance (unbiased), momentum 0.1.
    public var running: DeviceBuffer<Float>
    /// [replica][tile][channel][2]: mean and sum of squared deviations of a tile's valid samples.
    public var partials: DeviceBuffer<Float>
    /// [replica][channel][2]: the batch's mean and 1 / sqrt(variance + epsilon), for the backward pass.
    public var saved: DeviceBuffer<Float>
    /// [replica][tile][channel][y / 2][x / 2][sample]: 2 * dy + dx of the pool's winner, 4 where ReLU let nothing pass.
    public var winners: DeviceBuffer<UInt8>
    /// ``StepSchedule/current``.
    public var current: DeviceBuffer<Int32>

    public init(
        shape: PlaneShape, gamma: ReplicaTensor, beta: ReplicaTensor, running: DeviceBuffer<Float>,
        partials: DeviceBuffer<Float>, saved: DeviceBuffer<Float>, winners: DeviceBuffer<UInt8>,
        current: DeviceBuffer<Int32>
    ) {
        self.shape = shape
        self.gamma = gamma
        self.beta = beta
        self.running = running
        self.partials = partials
        self.saved = saved
        self.winners = winners
        self.current = current
    }

    /// Added to the variance, PyTorch's default.
    public static let epsilon: Float = 1e-5
    /// Weight of the newest batch in the running statistics, PyTorch's default.
    public static let momentum: Float = 0.1
}

/// Softmax cross-entropy, averaged over the valid samples of a batch.
public struct SoftmaxCrossEntropy {
    public var batch: BatchShape
    public var classes: Int
    /// [replica][tile][class][sample].
    public var logits: DeviceBuffer<Float>
    /// [replica][tile][sample], -1 where masked.
    public var batchLabels: DeviceBuffer<Int32>
    /// ``StepSchedule/current``.
    public var current: DeviceBuffer<Int32>
    /// Result [step][replica]: the mean loss.
    public var losses: DeviceBuffer<Float>
    /// Result [step][replica]: right answers.
    public var correct: DeviceBuffer<Int32>
    /// Result [replica][tile][class][sample]: the gradient; 0 where masked.
    public var delta: DeviceBuffer<Float>
    /// Result [replica][tile][sample][class padded to 16]: the same, transposed; 0 in the padding.
    public var transposedDelta: DeviceBuffer<Float>

    public init(
        batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>, losses: DeviceBuffer<Float>, correct: DeviceBuffer<Int32>,
        delta: DeviceBuffer<Float>, transposedDelta: DeviceBuffer<Float>
    ) {
        self.batch = batch
        self.classes = classes
        self.logits = logits
        self.batchLabels = batchLabels
        self.current = current
        self.losses = losses
        self.correct = correct
        self.delta = delta
        self.transposedDelta = transposedDelta
    }
}

/// One step of Adam (Kingma & Ba 2015, algorithm 1, as PyTorch computes it) for all parameters of all replicas.
public struct AdamStep {
    public var replicas: Int
    /// [replica][parameter], each.
    public var parameters: DeviceBuffer<Float>
    public var firstMoments: DeviceBuffer<Float>
    public var secondMoments: DeviceBuffer<Float>
    public var gradients: GradientSlices
    public var schedule: StepSchedule

    public init(
        replicas: Int, parameters: DeviceBuffer<Float>, firstMoments: DeviceBuffer<Float>,
        secondMoments: DeviceBuffer<Float>, gradients: GradientSlices, schedule: StepSchedule
    ) {
        self.replicas = replicas
        self.parameters = parameters
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.gradients = gradients
        self.schedule = schedule
    }

    /// PyTorch's defaults.
    public static let beta1 = 0.9
    public static let beta2 = 0.999
    public static let epsilon = 1e-8
}

/// The operations behind training and evaluation. Buffers named input or output are activations,
/// [replica][tile][channel][y][x][sample] or [replica][tile][value][sample]; every operation overwrites its results
/// and throws ``ComputeError/invalidShape(operation:reason:)`` where a buffer is too small for its shape.
public protocol TrainingOperations: BufferBackend {
    /// Into how many slices weight gradients are split for batches of `tiles` tiles on this device.
    func gradientSlices(tiles: Int) -> Int

    /// Takes the schedule's next row.
    func beginStep(_ schedule: StepSchedule) throws(ComputeError)
    /// Reads a batch of images in training order, normalised.
    func gatherBatch(_ gather: GatherBatch) throws(ComputeError)

    /// output = bias + input * weights.
    func conv2dForward(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>) throws(ComputeError)
    /// Gradient of the input from that of the output.
    func conv2dInputGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>) throws(ComputeError)
    /// Gradient of the weights, into parameter `offset` of each slice.
    func conv2dWeightGradient(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices, offset: Int) throws(ComputeError)
    /// Gradient of the biases, into parameter `offset` of each slice.
    func conv2dBiasGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, gradients: GradientSlices, offset: Int)
        throws(ComputeError)

    /// Mean and sum of squared deviations of each tile and channel over the valid samples, into `layer.partials`.
    func batchNormStatistics(_ layer: BatchNormReluPool, input: DeviceBuffer<Float>) throws(ComputeError)
    /// Training: normalises with the batch's statistics (from `layer.partials`), then ReLU and max-pool; saves what the
    /// backward pass needs and moves the running statistics.
    func batchNormReluPoolForward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>) throws(ComputeError)
    /// Inference: the same with the running statistics.
    func batchNormReluPoolInference(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>) throws(ComputeError)
    /// Sums of the gradient and of gradient times normalised input over each tile, into `layer.partials`.
    func batchNormReluPoolBackwardSums(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>)
        throws(ComputeError)
    /// Gradient of the input (from `layer.partials`), and of gamma and beta into their parameters of slice 0;
    /// 0 where masked.
    func batchNormReluPoolBackward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        inputGradient: DeviceBuffer<Float>, gradients: GradientSlices) throws(ComputeError)

    /// output = input * weights + bias, through ReLU if `relu`.
    func linearForward(
        _ shape: LinearShape, relu: Bool, input: DeviceBuffer<Float>, weights: ReplicaTensor,
        output: DeviceBuffer<Float>) throws(ComputeError)
    /// Gradient of the input. With `relu`, the input was a ReLU's output, and the gradient is that of the ReLU's own
    /// input: 0 where the input is not positive. With `transposed`, it is also stored [replica][tile][sample][input
    /// padded to 16], with 0 in the padding.
    func linearInputGradient(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        relu input: DeviceBuffer<Float>?, inputGradient: DeviceBuffer<Float>, transposed: DeviceBuffer<Float>?)
        throws(ComputeError)
    /// Gradient of weights and biases from the transposed gradient of the output, into parameter `offset` of each slice.
    func linearWeightGradient(
        _ shape: LinearShape, input: DeviceBuffer<Float>, transposedOutputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices, offset: Int) throws(ComputeError)

    /// Loss, right answers and the gradient of the logits.
    func softmaxCrossEntropy(_ loss: SoftmaxCrossEntropy) throws(ComputeError)
    /// The class of the largest logit (the lowest on ties) of each valid sample, into `predictions`
    /// [replica][predictionStride] at the sample's position in the order.
    func classify(
        _ batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, current: DeviceBuffer<Int32>,
        predictions: DeviceBuffer<Int32>, predictionStride: Int) throws(ComputeError)
    /// Adds the gradient's slices and moves parameters and moments on.
    func adamStep(_ step: AdamStep) throws(ComputeError)
}
