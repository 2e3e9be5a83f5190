/// A batch of 8-bit images on its way into float activations, 0 where masked.
package struct GatherBatch {
    /// Replicas and tiles of the batch.
    package var batch: BatchShape
    /// Values per image: channels x height x width.
    package var pixels: Int
    package var channels: Int
    /// [images][pixels].
    package var images: DeviceBuffer<UInt8>
    /// [images].
    package var labels: DeviceBuffer<UInt8>
    /// [replicas][orderStride]: indices of images in training order.
    package var order: DeviceBuffer<Int32>
    /// With a stride of 0 all replicas share one order.
    package var orderStride: Int
    /// The batch is that of the schedule's next row.
    package var schedule: StepSchedule
    /// [channel][2]: scale and shift of its pixels, whose values are `pixel * scale + shift`.
    package var scaling: DeviceBuffer<Float>
    /// How the images are moved and mirrored; nil where they are taken as they are.
    package var augmentation: Augmentation?
    /// Result [replica][tile][sample]; -1 where masked.
    package var batchLabels: DeviceBuffer<Int32>

    package init(
        batch: BatchShape, pixels: Int, channels: Int, images: DeviceBuffer<UInt8>, labels: DeviceBuffer<UInt8>,
        scaling: DeviceBuffer<Float>, order: DeviceBuffer<Int32>, orderStride: Int, schedule: StepSchedule,
        augmentation: Augmentation? = nil, batchLabels: DeviceBuffer<Int32>
    ) {
        self.batch = batch
        self.pixels = pixels
        self.channels = channels
        self.images = images
        self.labels = labels
        self.order = order
        self.orderStride = orderStride
        self.schedule = schedule
        self.scaling = scaling
        self.augmentation = augmentation
        self.batchLabels = batchLabels
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try operation.require(positive: [pixels, channels])
        try operation.require(
            pixels % channels == 0, "\(pixels) pixels are not \(channels) channels of one size")
        try operation.require(scaling, holds: 2 * channels)
        try schedule.validate(for: operation, replicas: batch.replicas)
        try operation.require(labels, holds: 1)
        // Masked samples read image 0.
        try operation.require(images, holds: labels.count * pixels)
        try operation.require(orderStride >= 0, "an order of stride \(orderStride); at least 0 is needed")
        try operation.require(order, holds: (batch.replicas - 1) * orderStride + 1)
        try augmentation?.validate(
            for: operation, planeSize: pixels / channels, replicas: batch.replicas, orderStride: orderStride)
        try operation.require(batchLabels, holds: batch.room)
    }
}
