import Datasets

extension ModelSpec {
    /// The shape in which the model takes samples of some shape.
    package func input(of samples: SampleShape) -> SampleShape {
        side.map { SampleShape(channels: samples.channels, height: $0, width: $0) } ?? samples
    }

    /// Refuses a training that cannot begin, so that nothing is computed before.
    /// - Parameters:
    ///   - samples: the shape of the samples as they are in the data set.
    ///   - batch: the largest batch size; nil if unknown.
    /// - Throws: ``NetworkError/invalid(reason:)``: as ``ParameterLayout/init(_:samples:classes:)``; for an augmentation that
    ///   leaves nothing of an image; and for batch norm of a single value.
    package func check(
        samples: SampleShape, classes: Int, batch: Int? = nil, augment: Augment? = nil
    ) throws(NetworkError) {
        let input = input(of: samples)
        let layout = try ParameterLayout(self, samples: input, classes: classes)
        if let batch, let fault = layout.fault(batch: batch) { throw .invalid(reason: fault) }
        if let fault = augment?.fault(height: input.height, width: input.width) { throw .invalid(reason: fault) }
    }
}

extension ParameterLayout {
    /// The reason why batches of at most `batch` samples cannot be trained on, as a sentence; nil if they can. Like
    /// PyTorch, this refuses batches with one value per channel, which has no variance. Unlike PyTorch, it accepts a
    /// short last batch of one sample: its values are normalised to beta, and the running variance does not change.
    func fault(batch: Int) -> String? {
        guard batch == 1 else { return nil }
        let index = modules.firstIndex {
            $0.layer == .batchNorm && $0.input.height == 1 && ($0.input.channels == 1 || $0.input.width == 1)
        }
        return index.map {
            "layer \($0 + 1) of \(model.name) (batch_norm) takes the statistics of a batch, and a batch of one sample has "
                + "one value of each; give batches of at least 2 samples"
        }
    }
}
