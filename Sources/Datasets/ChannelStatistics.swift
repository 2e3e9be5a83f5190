/// Mean and standard deviation of a channel, which normalise its values: (value - mean) / std.
package struct ChannelStatistics: Hashable, Sendable {
    /// The mean: of bytes in units of 255, of floats in their own.
    package let mean: Double
    /// The standard deviation over the whole population, in the same units.
    package let std: Double

    /// Statistics in units of 255 for bytes, in their own for floats.
    package init(mean: Double, std: Double) {
        self.mean = mean
        self.std = std
    }
}

/// A number per channel. Encodes as that number where there is one channel, as a list where there are several.
package struct PerChannel: Hashable, Sendable, Encodable {
    /// [channel].
    package let values: [Double]

    /// A number for each channel.
    package init(_ values: [Double]) { self.values = values }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let only = values.first, values.count == 1 {
            try container.encode(only)
        } else {
            try container.encode(values)
        }
    }
}

extension ChannelStatistics {
    /// The statistics of each channel. Those of bytes are exact up to the last division: sums are integers.
    /// - Parameter values: [sample][channel][y][x]; at least one, in memory.
    static func of(_ values: SampleValues, shape: SampleShape) -> [ChannelStatistics] {
        switch values {
        case .bytes(let pixels): ByteSums.perChannel(pixels, shape).map(\.statistics)
        case .floats(let floats): FloatSums.perChannel(floats, shape).map(\.statistics)
        case .stored: []
        }
    }
}

/// Sums of 8-bit values.
private struct ByteSums {
    private var count: UInt128 = 0
    private var sum: UInt128 = 0
    private var squares: UInt128 = 0

    var statistics: ChannelStatistics {
        guard count > 0 else { return ChannelStatistics(mean: 0, std: 0) }
        return ChannelStatistics(
            mean: Double(sum) / (Double(count) * 255),
            std: Double(count * squares - sum * sum).squareRoot() / (Double(count) * 255))
    }

    static func perChannel(_ pixels: [UInt8], _ shape: SampleShape) -> [ByteSums] {
        // One channel lies in one piece; of several each plane is a piece.
        let size = shape.channels == 1 ? pixels.count : shape.planeSize
        // Four tables, so that equal neighbours (most pixels are background) do not wait for one counter.
        var histograms = [UInt64](repeating: 0, count: shape.channels * 4 * 256)
        histograms.withUnsafeMutableBufferPointer { counts in
            pixels.withUnsafeBufferPointer { pixels in
                var channel = 0
                for first in stride(from: 0, to: pixels.count, by: max(1, size)) {
                    let base = channel << 10
                    for index in first..<first + size { counts[base | (index & 3) << 8 | Int(pixels[index])] &+= 1 }
                    channel = channel + 1 == shape.channels ? 0 : channel + 1
                }
            }
        }
        return (0..<shape.channels).map { channel in
            var sums = ByteSums()
            for value in 0..<256 {
                let count = UInt128((0..<4).reduce(0) { $0 + histograms[channel << 10 | $1 << 8 | value] })
                sums.count += count
                sums.sum += count * UInt128(value)
                sums.squares += count * UInt128(value * value)
            }
            return sums
        }
    }
}

/// Count, mean and sum of squared differences from it, which can be joined (Chan, Golub and LeVeque, "Updating formulae
/// and a pairwise algorithm for computing sample variances", 1979).
private struct FloatSums {
    private var count = 0.0
    private var mean = 0.0
    private var squares = 0.0

    mutating func add(_ other: FloatSums) {
        guard count > 0 else {
            self = other
            return
        }
        let total = count + other.count
        let difference = other.mean - mean
        mean += difference * other.count / total
        squares += other.squares + difference * difference * count * other.count / total
        count = total
    }

    var statistics: ChannelStatistics {
        ChannelStatistics(mean: mean, std: count > 0 ? (squares / count).squareRoot() : 0)
    }

    static func perChannel(_ values: [Float], _ shape: SampleShape) -> [FloatSums] {
        var sums = [FloatSums](repeating: FloatSums(), count: shape.channels)
        var channel = 0
        for first in stride(from: 0, to: values.count, by: max(1, shape.planeSize)) {
            let plane = values[first..<first + shape.planeSize]
            var part = FloatSums()
            part.count = Double(plane.count)
            part.mean = plane.reduce(0) { $0 + Double($1) } / part.count
            part.squares = plane.reduce(0) { $0 + (Double($1) - part.mean) * (Double($1) - part.mean) }
            sums[channel].add(part)
            channel = channel + 1 == shape.channels ? 0 : channel + 1
        }
        return sums
    }
}
