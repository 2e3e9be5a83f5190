import Testing

@testable import Compute

/// The CPU path against plain loops in Double and their central differences: an account of every training operation
/// that shares no line of code with it.
@Suite struct FiniteDifferenceTests {
    /// A 3x3 convolution, batch norm, ReLU, pool, two linear layers and softmax cross-entropy in Double, sample by
    /// sample, as the textbook has them.
    private struct Plain {
        let samples: Int
        let side: Int
        let kernel = 3
        let channels = (input: 2, output: 3)
        let hidden = 5
        let classes = 4
        var convolved: Int { side - kernel + 1 }
        var pooled: Int { convolved / 2 }
        var flat: Int { channels.output * pooled * pooled }
        var labels: [Int]

        /// All inputs of the loss, in one array so that each can be moved a little.
        var input, weights, bias, gamma, beta, first, second: [Double]

        /// x[c][y][x] * w[c][ky][kx][o] + b[o].
        func convolution() -> [Double] {
            var result: [Double] = []
            for sample in 0..<samples {
                for out in 0..<channels.output {
                    for y in 0..<convolved {
                        for x in 0..<convolved {
                            var sum = bias[out]
                            for c in 0..<channels.input {
                                for ky in 0..<kernel {
                                    for kx in 0..<kernel {
                                        let pixel = ((sample * channels.input + c) * side + y + ky) * side + x + kx
                                        let weight = ((c * kernel + ky) * kernel + kx) * channels.output + out
                                        sum += input[pixel] * weights[weight]
                                    }
                                }
                            }
                            result.append(sum)
                        }
                    }
                }
            }
            return result
        }

        /// Batch norm over samples and positions, ReLU, 2x2 max-pool.
        func pool(_ planes: [Double]) -> [Double] {
            let positions = convolved * convolved
            var result = [Double](repeating: 0, count: samples * flat)
            for channel in 0..<channels.output {
                func value(_ sample: Int, _ position: Int) -> Double {
                    planes[(sample * channels.output + channel) * positions + position]
                }
                let count = Double(samples * positions)
                var mean = 0.0
                for sample in 0..<samples { for p in 0..<positions { mean += value(sample, p) / count } }
                var variance = 0.0
                for sample in 0..<samples {
                    for p in 0..<positions { variance += (value(sample, p) - mean) * (value(sample, p) - mean) / count }
                }
                let inverse = 1 / (variance + 1e-5).squareRoot()
                for sample in 0..<samples {
                    for y in 0..<pooled {
                        for x in 0..<pooled {
                            var best = 0.0
                            for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                                let position = (2 * y + dy) * convolved + 2 * x + dx
                                let normalised = (value(sample, position) - mean) * inverse
                                best = max(best, normalised * gamma[channel] + beta[channel])
                            }
                            result[((sample * channels.output + channel) * pooled + y) * pooled + x] = best
                        }
                    }
                }
            }
            return result
        }

        /// weights are [inputs + 1][16], the bias as last row.
        func linear(_ values: [Double], _ weights: [Double], inputs: Int, outputs: Int, relu: Bool) -> [Double] {
            var result: [Double] = []
            for sample in 0..<samples {
                for out in 0..<outputs {
                    var sum = weights[inputs * 16 + out]
                    for i in 0..<inputs { sum += values[sample * inputs + i] * weights[i * 16 + out] }
                    result.append(relu ? max(sum, 0) : sum)
                }
            }
            return result
        }

        func loss() -> Double {
            let pooledValues = pool(convolution())
            let activation = linear(pooledValues, first, inputs: flat, outputs: hidden, relu: true)
            let logits = linear(activation, second, inputs: hidden, outputs: classes, relu: false)
            var total = 0.0
            for sample in 0..<samples {
                let row = logits[sample * classes..<(sample + 1) * classes]
                var sum = 0.0
                for value in row { sum += exponential(value) }
                total += logarithm(sum) - row[row.startIndex + labels[sample]]
            }
            return total / Double(samples)
        }
    }

    @Test(arguments: [1, 5, 17], [1, 2] as [UInt64]) func everyGradientIsThatOfThePlainLoops(
        samples: Int, seed: UInt64
    ) throws {
        var stream = RandomStream(seed: seed, run: samples, purpose: .testing)
        func uniform(_ count: Int, _ low: Double = -1, _ high: Double = 1) -> [Double] {
            // Float values, so that both sides start from the same numbers.
            (0..<count).map { _ in Double(Float(stream.nextUniform(low, high))) }
        }
        var plain = Plain(
            samples: samples, side: 8, labels: (0..<samples).map { _ in stream.nextIndex(below: 4) }, input: [],
            weights: [], bias: [], gamma: [], beta: [], first: [], second: [])
        plain.input = uniform(samples * 2 * 64)
        plain.weights = uniform(2 * 9 * 3)
        plain.bias = uniform(3)
        plain.gamma = uniform(3, 0.5, 1.5)
        plain.beta = uniform(3)
        func linearWeights(_ inputs: Int, _ outputs: Int) -> [Double] {
            uniform((inputs + 1) * 16).enumerated().map { $0.offset % 16 < outputs ? $0.element : 0 }
        }
        plain.first = linearWeights(plain.flat, plain.hidden)
        plain.second = linearWeights(plain.hidden, plain.classes)

        for loops in LaneLoops.all {
            let ours = try gradients(plain, loops)
            #expect(abs(ours.loss - plain.loss()) < 1e-5)
            let step = 1e-5
            for (name, path, gradient) in [
                ("weights", \Plain.weights, ours.weights), ("gamma", \Plain.gamma, ours.gamma),
                ("beta", \Plain.beta, ours.beta), ("first linear", \Plain.first, ours.first),
                ("second linear", \Plain.second, ours.second), ("input", \Plain.input, ours.input),
            ] as [(String, WritableKeyPath<Plain, [Double]>, [Float])] {
                let scale = gradient.map { Double(abs($0)) }.max() ?? 0
                #expect(scale > 0, "\(name) has a gradient")
                for index in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 40)) {
                    var moved = plain
                    moved[keyPath: path][index] += step
                    let above = moved.loss()
                    moved[keyPath: path][index] -= 2 * step
                    let difference = (above - moved.loss()) / (2 * step)
                    #expect(
                        abs(Double(gradient[index]) - difference) < 1e-4 * scale + 1e-7,
                        "\(loops.name), \(name)[\(index)]: \(gradient[index]), differences say \(difference)")
                }
            }
        }
    }

    private struct Gradients {
        var loss: Double
        var input, weights, gamma, beta, first, second: [Float]
    }

    /// The same network's loss and gradients by the operations of the CPU path.
    private func gradients(_ plain: Plain, _ loops: LaneLoops) throws -> Gradients {
        let backend = CPUBackend(loops: loops)
        let tiles = (plain.samples + 15) / 16
        let batch = BatchShape(replicas: 1, samples: plain.samples, tile: 16)
        func floats(_ values: [Double]) -> [Float] { values.map { Float($0) } }
        func buffer(_ values: Int) throws -> DeviceBuffer<Float> {
            try backend.makeBuffer(of: Float.self, count: tiles * 16 * values, label: "activation")
        }
        // One parameter buffer: convolution weights, bias, gamma, beta, two linear layers, each from a multiple of 16.
        var packed: [Float] = []
        var offsets: [Int] = []
        for values in [plain.weights, plain.bias, plain.gamma, plain.beta, plain.first, plain.second] {
            offsets.append(packed.count)
            packed += floats(values) + [Float](repeating: 0, count: paddedColumns(values.count) - values.count)
        }
        let parameters = try backend.makeBuffer(packed, label: "parameters")
        func tensor(_ index: Int) -> ReplicaTensor {
            ReplicaTensor(parameters, offset: offsets[index], stride: packed.count)
        }
        let gradients = StepGradients(
            try backend.makeBuffer([Float](repeating: 0, count: packed.count), label: "gradients"),
            parameterCount: packed.count,
            tiles: try backend.makeBuffer(of: Float.self, count: tiles * 64, label: "tiles"),
            tileOffset: offsets[0], tileCount: 64)
        let current = try backend.makeBuffer([0, Int32(plain.samples), 0, 0], label: "current")
        let conv = Conv2DShape(batch: batch, inChannels: 2, outChannels: 3, height: 8, width: 8, kernel: 3)
        let norm = BatchNormReluPool(
            shape: PlaneShape(batch: batch, channels: 3, height: 6, width: 6), gamma: tensor(2), beta: tensor(3),
            running: try backend.makeBuffer([Float](repeating: 0, count: 6), label: "running"),
            pooled: try buffer(27),
            winners: try backend.makeBuffer(of: UInt8.self, count: tiles * 16 * 27, label: "winners"),
            partials: try backend.makeBuffer(of: Float.self, count: tiles * 6, label: "partials"),
            saved: try backend.makeBuffer(of: Float.self, count: 6, label: "saved"), pooledGradient: try buffer(27),
            sums: try backend.makeBuffer(of: Float.self, count: tiles * 6, label: "sums"), current: current)
        let linear1 = LinearShape(batch: batch, inputs: plain.flat, outputs: plain.hidden)
        let linear2 = LinearShape(batch: batch, inputs: plain.hidden, outputs: plain.classes)

        func packTiles(_ values: [Double], _ perSample: Int) -> [Float] {
            var result = [Float](repeating: 0, count: tiles * 16 * perSample)
            for sample in 0..<plain.samples {
                for value in 0..<perSample {
                    result[(sample / 16 * perSample + value) * 16 + sample % 16] =
                        Float(values[sample * perSample + value])
                }
            }
            return result
        }
        let input = try backend.makeBuffer(packTiles(plain.input, 128), label: "input")
        let labels = try backend.makeBuffer(
            (0..<tiles * 16).map { $0 < plain.samples ? Int32(plain.labels[$0]) : -1 }, label: "labels")
        let (convolved, logits) = (try buffer(108), try buffer(4))
        func layer(_ shape: LinearShape, _ weights: Int) throws -> Classifier.Layer {
            Classifier.Layer(
                shape: shape, weights: tensor(weights), input: try buffer(shape.inputs),
                delta: try buffer(shape.outputs), transposedDelta: try buffer(16))
        }
        let (first, second) = (try layer(linear1, 4), try layer(linear2, 5))
        backend.conv2dForward(conv, input: input, weights: tensor(0), bias: tensor(1), output: convolved)
        backend.batchNormStatistics(norm, input: convolved)
        backend.maxPool(norm, input: convolved)
        backend.joinStatistics(norm)
        backend.normaliseRelu(norm, .training, output: first.input)
        backend.linearForward(linear1, relu: true, input: first.input, weights: tensor(4), output: second.input)
        backend.linearForward(linear2, relu: false, input: second.input, weights: tensor(5), output: logits)

        let lossAndCorrect = try backend.makeBuffer(of: Float.self, count: 2 * tiles, label: "loss and correct")
        backend.softmaxCrossEntropy(
            Classifier(
                layers: [first, second], logits: logits, batchLabels: labels, lossAndCorrect: lossAndCorrect),
            current: current)
        backend.linearWeightGradient(
            linear2, input: second.input, transposedOutputGradient: second.transposedDelta,
            gradients: gradients.whole(tensor(5)))
        backend.linearInputGradient(
            linear2, outputGradient: second.delta, weights: tensor(5), relu: second.input, inputGradient: first.delta,
            transposed: first.transposedDelta)
        backend.linearWeightGradient(
            linear1, input: first.input, transposedOutputGradient: first.transposedDelta,
            gradients: gradients.whole(tensor(4)))
        backend.linearInputGradient(
            linear1, outputGradient: first.delta, weights: tensor(4), relu: first.input,
            inputGradient: norm.pooledGradient, transposed: nil)
        backend.batchNormReluPoolBackwardSums(norm)
        backend.batchNormReluPoolBackward(norm, convolved: convolved, gradients: gradients)
        backend.conv2dWeightGradient(
            conv, input: input, outputGradient: convolved, gradients: gradients.whole(tensor(0)))
        let inputGradient = try buffer(128)
        backend.conv2dInputGradient(
            conv, outputGradient: convolved, weights: tensor(0), inputGradient: inputGradient)

        let flat = try backend.read(gradients.values)
        let planes = try backend.read(inputGradient)
        func part(_ index: Int, _ count: Int) -> [Float] { Array(flat[offsets[index]..<offsets[index] + count]) }
        // The bias has no gradient before batch norm: each plane's sum is zero, up to rounding.
        let delta = try backend.read(convolved)
        for out in 0..<3 {
            let sum = (0..<delta.count).filter { $0 / (36 * 16) % 3 == out }.reduce(0.0) { $0 + Double(delta[$1]) }
            #expect(abs(sum) < 1e-5)
        }
        return Gradients(
            loss: try backend.read(lossAndCorrect).enumerated().reduce(0.0) {
                $0 + ($1.offset % 2 == 0 ? Double($1.element) : 0)
            }
                / Double(plain.samples),
            input: (0..<plain.samples * 128).map { index in
                let (sample, value) = (index / 128, index % 128)
                return planes[(sample / 16 * 128 + value) * 16 + sample % 16]
            }, weights: part(0, 54), gamma: part(2, 3), beta: part(3, 3), first: part(4, plain.first.count),
            second: part(5, plain.second.count))
    }
}

import Foundation
import Support

private func exponential(_ value: Double) -> Double { exp(value) }
private func logarithm(_ value: Double) -> Double { log(value) }
