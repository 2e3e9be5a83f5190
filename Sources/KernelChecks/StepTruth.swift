import Compute
import Foundation

/// The layers of a step in double precision, an image at a time, with the bound of each number. The inputs are what a
/// device wrote or was given, as they stand in float32, so that no error of an earlier stage counts for a later one.

extension Conv2DShape {
    /// Each sum starts at the bias and has a product and an addition a tap.
    private var outputRoundings: Int { inChannels * kernel * kernel + 1 }

    /// The output [out channel][y][x] for an input [in channel][y][x].
    func output(of input: [Double], weights: [Double], bias: [Double]) -> [Bounded] {
        let plane = outHeight * outWidth
        var sums = ProductSums(from: (0..<outChannels * plane).map { bias[$0 / plane] })
        forEachTap { out, channel, ky, kx, weight in
            let columns = reached(by: kx, of: width, count: outWidth)
            for row in reached(by: ky, of: height, count: outHeight) {
                sums.add(
                    input, (channel * height + row + ky - padding) * width + columns.lowerBound + kx - padding,
                    times: weights[weight], at: (out * outHeight + row) * outWidth + columns.lowerBound,
                    count: columns.count)
            }
        }
        return sums.bounded(roundings: outputRoundings)
    }

    /// The gradient of the input for that of the output: a product and an addition for each output channel and tap.
    func inputGradient(of gradient: [Double], weights: [Double]) -> [Bounded] {
        var sums = ProductSums(count: inChannels * height * width)
        forEachTap { out, channel, ky, kx, weight in
            let columns = reached(by: kx, of: width, count: outWidth)
            for row in reached(by: ky, of: height, count: outHeight) {
                sums.add(
                    gradient, (out * outHeight + row) * outWidth + columns.lowerBound, times: weights[weight],
                    at: (channel * height + row + ky - padding) * width + columns.lowerBound + kx - padding,
                    count: columns.count)
            }
        }
        return sums.bounded(roundings: outChannels * kernel * kernel + 1)
    }

    /// Adds one image's part of the gradient of the weights, in which no product passes through more than `roundings`
    /// roundings. The output's gradient may be off itself.
    func addWeightGradient(
        of input: [Double], _ gradient: [Bounded], roundings: Int, to sums: inout [Bounded]
    ) {
        let gamma = Rounding.gamma(roundings)
        let errors = gradient.map { gamma * $0.value.magnitude + $0.error }
        let gradients = gradient.map(\.value)
        input.withUnsafeBufferPointer { input in
            gradients.withUnsafeBufferPointer { gradients in
                errors.withUnsafeBufferPointer { errors in
                    forEachTap { out, channel, ky, kx, weight in
                        var (sum, error) = (0.0, 0.0)
                        let columns = reached(by: kx, of: width, count: outWidth)
                        for row in reached(by: ky, of: height, count: outHeight) {
                            let from = (channel * height + row + ky - padding) * width + kx - padding
                            let at = (out * outHeight + row) * outWidth
                            for column in columns {
                                sum += input[from + column] * gradients[at + column]
                                error += input[from + column].magnitude * errors[at + column]
                            }
                        }
                        sums[weight].value += sum
                        sums[weight].error += error
                    }
                }
            }
        }
    }

    /// The rows or columns, of `count` of the output, for which a tap is inside an input of `extent`.
    private func reached(by tap: Int, of extent: Int, count: Int) -> Range<Int> {
        let first = min(max(0, padding - tap), count)
        return first..<max(first, min(count, extent + padding - tap))
    }

    /// For each output and input channel and tap, with the weight's place.
    private func forEachTap(_ body: (_ out: Int, _ channel: Int, _ ky: Int, _ kx: Int, _ weight: Int) -> Void) {
        for out in 0..<outChannels {
            for channel in 0..<inChannels {
                for ky in 0..<kernel {
                    for kx in 0..<kernel {
                        body(out, channel, ky, kx, ((channel * kernel + ky) * kernel + kx) * outChannels + out)
                    }
                }
            }
        }
    }
}

extension LinearShape {
    /// The outputs of a sample: the bias, and a product and an addition an input.
    func output(of input: [Double], weights: [Double]) -> [Bounded] {
        var sums = ProductSums(from: Array(weights[inputs * outputStride..<inputs * outputStride + outputs]))
        for index in 0..<inputs {
            sums.add(weights, index * outputStride, times: input[index], at: 0, count: outputs)
        }
        return sums.bounded(roundings: inputs + 1)
    }

    /// The gradient of the inputs of a sample, which came out of a ReLU: 0 where they are not positive. `columns` are
    /// the weights without their biases as [output][input].
    func inputGradient(of gradient: [Double], columns: [Double], input: [Double]) -> [Bounded] {
        var sums = ProductSums(count: inputs)
        for index in 0..<outputs { sums.add(columns, index * inputs, times: gradient[index], at: 0, count: inputs) }
        let all = sums.bounded(roundings: outputs + 1)
        return all.indices.map { input[$0] <= 0 ? Bounded(0.0) : all[$0] }
    }

    /// The weights without their biases as [output][input].
    func columns(of weights: [Double]) -> [Double] {
        (0..<outputs).flatMap { output in (0..<inputs).map { weights[$0 * outputStride + output] } }
    }

    /// The gradient of weights and biases over samples: a product and an addition a sample.
    func weightGradient(inputs rows: [Double], gradients: [Double], samples: Int) -> [Bounded] {
        var sums = ProductSums(count: weightCount)
        for sample in 0..<samples {
            for index in 0...inputs {
                sums.add(
                    gradients, sample * outputs, times: index < inputs ? rows[sample * inputs + index] : 1,
                    at: index * outputStride, count: outputs)
            }
        }
        return sums.bounded(roundings: samples + 1)
    }
}

/// How batch norm acts on a channel.
struct NormTruth {
    let scale, shift: Bounded

    /// With statistics that are there in float32, or that are off themselves.
    init(mean: Bounded, inverse: Bounded, gamma: Float, beta: Float) {
        scale = Bounded(gamma) * inverse
        shift = Bounded(beta) - mean * scale
    }

    /// One over the root of a variance and what is added to it.
    static func inverse(_ variance: Bounded) -> Bounded {
        Bounded(1.0) / (variance + Bounded(BatchNormReluPool.epsilon)).squareRoot
    }

    /// A value, normalised and through ReLU.
    func callAsFunction(_ value: Float) -> Bounded { (Bounded(value) * scale + shift).rectified }
}

/// A channel's mean and sum of squared deviations over some samples.
struct StatisticsTruth {
    var count = 0.0
    var mean = Bounded(0.0)
    var squares = Bounded(0.0)

    /// Joins those of the tiles before with another one's (Chan, Golub & LeVeque 1979).
    mutating func join(mean other: Float, squares otherSquares: Float, count added: Int) {
        guard added > 0 else { return }
        let total = count + Double(added)
        let gap = Bounded(other) - mean
        mean = mean + gap * (Bounded(Double(added)) / Bounded(total))
        squares =
            squares
            + (Bounded(otherSquares)
                + gap * gap * (Bounded(count) * Bounded(Double(added)) / Bounded(total)))
        count = total
    }

    /// Those of a tile of `tile` lanes in which each of `samples` has `positions` values: the lanes' own, from deviations
    /// from their first value, then joined.
    init(of samples: [ArraySlice<Float>], positions: Int, tile: Int) {
        guard !samples.isEmpty else { return }
        let extent = Bounded(Double(positions))
        let lanes = samples.map { values -> (mean: Bounded, squares: Bounded) in
            let pivot = Bounded(values[values.startIndex])
            let deviations = values.map { Bounded($0) - pivot }
            let total = Bounded.sum(deviations, additions: positions)
            let squares = Bounded.sum(deviations.map { $0 * $0 }, additions: positions)
            return (pivot + total / extent, squares - total * total / extent)
        }
        let mean = Bounded.sum(lanes.map(\.mean), additions: tile) / Bounded(Double(samples.count))
        self.mean = mean
        squares = Bounded.sum(
            lanes.map { lane in
                let spread = lane.mean - mean
                return lane.squares + spread * spread * extent
            }, additions: tile)
        count = Double(samples.count * positions)
    }

    init() {}
}

/// How batch norm's backward pass acts on a channel of a convolution's output.
struct NormGradientTruth {
    private let factor, mean, slope, slopeSize, offset, offsetSize, gamma: Double

    /// From each tile's sums of the gradient g and of it times the normalised input.
    init(sums: [Float], products: [Float], count: Int, mean: Float, inverse: Float, gamma weight: Float) {
        func size(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1.magnitude) } / Double(count) }
        func total(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) } / Double(count) }
        factor = Double(weight) * Double(inverse)
        self.mean = Double(mean)
        slope = -total(products) * Double(inverse) * factor
        slopeSize = size(products) * (Double(inverse) * factor).magnitude
        offset = -total(sums) * factor
        offsetSize = size(sums) * factor.magnitude
        // The longest way is the slope's: the additions of tiles, a division, the inverse deviation, the factor and its
        // own product, the deviation and the product with it, and two additions.
        gamma = Rounding.gamma(Double(sums.count) + Rounding.division + 7)
    }

    /// The gradient of a value of the output through which `passed` came back: g * factor + (value - mean) * slope +
    /// offset, or the same terms in another order.
    func gradient(of value: Float, passed: Float) -> Bounded {
        let direct = Double(passed) * factor
        let deviation = Double(value) - mean
        let size = direct.magnitude + deviation.magnitude * slopeSize + offsetSize
        return Bounded(direct + deviation * slope + offset, error: gamma * size + Rounding.least)
    }
}

/// Softmax cross-entropy of one sample's logits.
struct SoftmaxTruth {
    /// -log of the label's probability.
    let loss: Bounded
    /// The gradient of the mean loss over the batch's valid samples, times the sample's weight if it has one.
    let gradient: [Bounded]
    /// The class of the largest logit, the lowest on ties.
    let best: Int

    init(_ logits: ArraySlice<Float>, label: Int, valid: Int, weight: Float? = nil) {
        let logits = Array(logits)
        var best = 0
        for index in logits.indices where logits[index] > logits[best] { best = index }
        self.best = best
        let largest = Bounded(logits[best])
        let powers = logits.map { (Bounded($0) - largest).exponential }
        let sum = Bounded.sum(powers, additions: logits.count)
        loss = sum.logarithm + largest - Bounded(logits[label])
        gradient = powers.indices.map {
            let mean = (powers[$0] / sum - Bounded($0 == label ? 1.0 : 0.0)) / Bounded(Double(valid))
            return weight.map { mean * Bounded($0) } ?? mean
        }
    }
}
