/// Samples in a device's memory, [count][feature].
package enum SampleBuffer {
    case bytes(DeviceBuffer<UInt8>)
    case floats(DeviceBuffer<Float>)

    /// Elements of all samples.
    var count: Int {
        switch self {
        case .bytes(let buffer): buffer.count
        case .floats(let buffer): buffer.count
        }
    }
}

/// Reads the batch of the schedule's next row, which becomes the current one, into an activation: each value of a channel
/// times its scale plus its shift, 0 where masked. Images may be moved and mirrored on the way.
package struct GatherSamples: Operation {
    package static let kernel = "gather_samples"
    package let batch: BatchShape
    /// Values per sample: ``channels`` times as many as a channel has.
    package let features: Int
    package let channels: Int
    /// [samples][features].
    package let samples: SampleBuffer
    /// [samples].
    package let labels: DeviceBuffer<UInt8>
    /// [channel][2]: scale and shift.
    package let scaling: DeviceBuffer<Float>
    /// [replicas][orderStride]: indices of samples in training order.
    package let order: DeviceBuffer<Int32>
    /// With a stride of 0 all replicas share one order.
    package let orderStride: Int
    package let schedule: StepSchedule
    /// How the samples, 8-bit images, are moved and mirrored; nil where they are taken as they are.
    package let augmentation: Augmentation?
    /// Result [replica][tile][feature][sample].
    package let output: DeviceBuffer<Float>
    /// Result [replica][tile][sample]; -1 where masked.
    package let batchLabels: DeviceBuffer<Int32>

    /// A gathering over buffers of the shapes above.
    package init(
        batch: BatchShape, features: Int, channels: Int, samples: SampleBuffer, labels: DeviceBuffer<UInt8>,
        scaling: DeviceBuffer<Float>, order: DeviceBuffer<Int32>, orderStride: Int, schedule: StepSchedule,
        augmentation: Augmentation? = nil, output: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>
    ) {
        self.batch = batch
        self.features = features
        self.channels = channels
        self.samples = samples
        self.labels = labels
        self.scaling = scaling
        self.order = order
        self.orderStride = orderStride
        self.schedule = schedule
        self.augmentation = augmentation
        self.output = output
        self.batchLabels = batchLabels
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try require(positive: [features, channels])
        try require(features % channels == 0, "\(features) values are not \(channels) channels of one size")
        try schedule.validate(for: self, replicas: batch.replicas)
        // Masked samples read sample 0.
        try require(labels, holds: 1)
        try require(
            samples.count >= labels.count * features,
            "\(samples.count) values are not \(labels.count) samples of \(features)")
        try require(scaling, holds: 2 * channels)
        try require(orderStride >= 0, "an order of stride \(orderStride); at least 0 is needed")
        try require(order, holds: (batch.replicas - 1) * orderStride + 1)
        if let augmentation {
            if case .floats = samples { try require(false, "floats are no 8-bit images, and cannot be augmented") }
            try augmentation.validate(
                for: self, planeSize: features / channels, replicas: batch.replicas, orderStride: orderStride)
        }
        try require(output, holds: batch.room * features)
        try require(batchLabels, holds: batch.room)
    }

    package var cost: OperationCost {
        let values = Double(batch.replicas * batch.samples * features)
        let width: Double =
            switch samples {
            case .bytes: 1
            case .floats: 4
            }
        return OperationCost(operations: 2 * values, bytes: (width + 4) * values)
    }
}
