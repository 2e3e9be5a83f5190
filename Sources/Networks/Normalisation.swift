import Datasets

/// Mean and standard deviation of each channel, by which samples are shifted and scaled: of bytes in units where 255
/// counts as 1, of floats in their own.
package struct Normalisation: Hashable, Sendable {
    /// [channel]: a value becomes (value - mean) / std.
    package let channels: [ChannelStatistics]

    /// These of each channel.
    package init(_ channels: [ChannelStatistics]) { self.channels = channels }

    /// Those of samples of one channel.
    package init(mean: Double, std: Double) { self.init([ChannelStatistics(mean: mean, std: std)]) }

    /// The statistics of a training set. A channel without any spread is shifted alone, as scikit-learn's StandardScaler
    /// does it.
    package init(_ dataset: Dataset) { self.init(spread: dataset.channels) }

    /// The statistics of samples; a channel without any spread is shifted alone.
    package init(spread channels: [ChannelStatistics]) {
        self.init(channels.map { $0.std > 0 ? $0 : ChannelStatistics(mean: $0.mean, std: 1) })
    }

    /// [channel].
    package var means: [Double] { channels.map(\.mean) }
    /// [channel].
    package var stds: [Double] { channels.map(\.std) }

    /// What the values of each channel are multiplied by, and what is added then: [channel].
    func scaling(ofBytes isBytes: Bool) -> [(scale: Float, shift: Float)] {
        channels.map { (Float(1 / ((isBytes ? 255 : 1) * $0.std)), Float(-$0.mean / $0.std)) }
    }

    /// Throws unless there is a mean and a standard deviation for each channel of the samples, and float32 can hold the scale
    /// and the shift that follow from them.
    /// - Throws: ``NetworkError/invalid(reason:)``.
    func validate(for store: SampleStore) throws(NetworkError) {
        guard channels.count == store.shape.channels else {
            throw .invalid(
                reason: "mean and std are those of \(Self.count(channels.count)), the samples have "
                    + Self.count(store.shape.channels))
        }
        for (channel, (scale, shift)) in zip(channels, scaling(ofBytes: store.isBytes))
        where !(scale.isNormal && scale > 0 && shift.isFinite) {
            throw .invalid(
                reason: "samples cannot be normalised by mean \(channel.mean) and std \(channel.std) in float32 numbers"
            )
        }
    }

    /// "1 channel", "3 channels".
    static func count(_ channels: Int) -> String { "\(channels) channel\(channels == 1 ? "" : "s")" }
}
