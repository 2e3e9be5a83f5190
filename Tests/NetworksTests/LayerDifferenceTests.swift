import Compute
import Datasets
import Foundation
import Testing

@testable import Networks
import TestSupport

/// Every kind of layer in Double, sample by sample, as the textbook has it.
private struct PlainLayers {
    let layout: ParameterLayout
    let labels: [Int]
    /// Normalised samples, [sample][channel][y][x].
    let samples: [[Double]]
    /// Under PyTorch's names and in its order.
    var tensors: [String: [Double]]

    private func conv(
        _ x: [Double], _ module: ParameterLayout.Module, kernel: Int, padding: Int
    ) -> [Double] {
        let (input, output) = (module.input, module.output)
        let (weights, bias) = (tensors["\(module.name).weight"] ?? [], tensors["\(module.name).bias"] ?? [])
        var result: [Double] = []
        for out in 0..<output.channels {
            for y in 0..<output.height {
                for column in 0..<output.width {
                    var sum = bias[out]
                    for channel in 0..<input.channels {
                        for ky in 0..<kernel {
                            for kx in 0..<kernel {
                                let (from, at) = (y + ky - padding, column + kx - padding)
                                guard (0..<input.height).contains(from), (0..<input.width).contains(at) else {
                                    continue
                                }
                                let weight = ((out * input.channels + channel) * kernel + ky) * kernel + kx
                                sum += x[(channel * input.height + from) * input.width + at] * weights[weight]
                            }
                        }
                    }
                    result.append(sum)
                }
            }
        }
        return result
    }

    private func pool(
        _ x: [Double], _ module: ParameterLayout.Module, side: Int, _ join: ([Double]) -> Double
    ) -> [Double] {
        let (input, output) = (module.input, module.output)
        var result: [Double] = []
        for channel in 0..<output.channels {
            for row in 0..<output.height {
                for column in 0..<output.width {
                    var window: [Double] = []
                    for dy in 0..<side {
                        for dx in 0..<side {
                            let y = channel * input.height + row * side + dy
                            window.append(x[y * input.width + column * side + dx])
                        }
                    }
                    result.append(join(window))
                }
            }
        }
        return result
    }

    private func batchNorm(_ rows: [[Double]], _ name: String) -> [[Double]] {
        let (gamma, beta) = (tensors["\(name).weight"] ?? [], tensors["\(name).bias"] ?? [])
        let positions = rows[0].count / gamma.count
        var result = rows
        for channel in gamma.indices {
            let places = channel * positions..<(channel + 1) * positions
            let count = Double(rows.count * positions)
            var (mean, variance) = (0.0, 0.0)
            for row in rows { for place in places { mean += row[place] / count } }
            for row in rows { for place in places { variance += (row[place] - mean) * (row[place] - mean) / count } }
            let scale = gamma[channel] / (variance + 1e-5).squareRoot()
            for row in rows.indices {
                for place in places { result[row][place] = (rows[row][place] - mean) * scale + beta[channel] }
            }
        }
        return result
    }

    private func linear(_ x: [Double], _ module: ParameterLayout.Module) -> [Double] {
        let (weights, bias) = (tensors["\(module.name).weight"] ?? [], tensors["\(module.name).bias"] ?? [])
        return bias.indices.map { (out: Int) -> Double in
            var sum = bias[out]
            for place in x.indices { sum += x[place] * weights[out * x.count + place] }
            return sum
        }
    }

    func loss() -> Double {
        var rows = samples
        for module in layout.modules {
            switch module.layer {
            case .conv(_, let kernel, let padding):
                rows = rows.map { conv($0, module, kernel: kernel, padding: padding) }
            case .batchNorm: rows = batchNorm(rows, module.name)
            case .relu: rows = rows.map { $0.map { max($0, 0) } }
            case .tanh: rows = rows.map { $0.map { Foundation.tanh($0) } }
            case .maxPool(let side): rows = rows.map { pool($0, module, side: side) { $0.max() ?? 0 } }
            case .avgPool(let side):
                rows = rows.map { pool($0, module, side: side) { $0.reduce(0, +) / Double(side * side) } }
            case .flatten: continue
            case .linear: rows = rows.map { linear($0, module) }
            }
        }
        var total = 0.0
        if layout.model.isAutoencoder {
            for (outputs, sample) in zip(rows, samples) {
                for (output, value) in zip(outputs, sample) { total += (output - value) * (output - value) }
            }
            return total / Double(samples.count * layout.input.featureCount)
        }
        for (logits, label) in zip(rows, labels) {
            var sum = 0.0
            for logit in logits { sum += Foundation.exp(logit) }
            total += Foundation.log(sum) - logits[label]
        }
        return total / Double(samples.count)
    }
}

/// The gradients of a layered network against central differences of plain loops, which share no line with it.
@Suite struct LayerDifferenceTests {
    private static let models: [[ModelSpec.Layer]] = [
        [
            .conv(out: 3, kernel: 3, padding: 1), .batchNorm, .relu, .maxPool(2),
            .conv(out: 4, kernel: 2, padding: 0), .tanh, .flatten, .linear(.count(5)), .relu, .linear(.classes),
        ],
        [
            .avgPool(2), .batchNorm, .conv(out: 4, kernel: 4, padding: 2), .relu, .avgPool(3), .flatten, .batchNorm,
            .linear(.count(6)), .batchNorm, .tanh, .linear(.count(4)), .linear(.classes),
        ],
        [
            .conv(out: 3, kernel: 3, padding: 1), .tanh, .flatten, .linear(.count(5)), .relu, .linear(.count(2)),
            .linear(.count(6)), .tanh, .linear(.inputs),
        ],
    ]

    @Test(arguments: TestBackends.names, models.indices)
    func gradientsAreTheDifferencesOfPlainLoops(backendName: String, index: Int) throws {
        let backend = try TestBackends.make(backendName)
        let shape = SampleShape(channels: 2, height: 6, width: 7)
        let layout = try ParameterLayout(
            ModelSpec(name: "x", layers: Self.models[index]), samples: shape, classes: 3)
        let count = 19
        // No two pixels of a sample are equal, so that no window has two largest values.
        let pixels = (0..<count * shape.featureCount).map { (place: Int) -> UInt8 in
            let mixed: Int = place * 167 + place / 84 * 29 + place / 7 * 3
            return UInt8(mixed % 251)
        }
        let labels = (0..<count).map { UInt8($0 * 5 % 3) }
        let weights = ModelWeights(layout: layout, seed: 7, run: index)
        let normalisation = Normalisation((0..<2).map { _ in ChannelStatistics(mean: 0.5, std: 0.25) })
        let parameters = try ModelParameters([weights], on: backend)
        let schedule = try StepSchedule(capacity: 1, replicas: 1, on: backend)
        try schedule.load([0..<count], firstStep: 0, learningRate: 0.1, on: backend)
        let network = try parameters.makeNetwork(
            batchSize: count, schedule: schedule, trainingSteps: 1, on: backend)
        #expect(!layout.isFused)
        let source = try SampleSource(
            try SampleStore(pixels: pixels, labels: labels, shape: shape, classes: 3, on: backend),
            order: try backend.makeBuffer((0..<count).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: normalisation, on: backend)
        try network.backpropagate(source)
        try network.update()

        let size = shape.featureCount
        let normalised = (0..<count).map { (sample: Int) -> [Double] in
            pixels[sample * size..<(sample + 1) * size].map { (Double($0) / 255 - 0.5) / 0.25 }
        }
        var plain = PlainLayers(
            layout: layout, labels: labels.map { Int($0) },
            samples: normalised,
            tensors: weights.tensors.mapValues { $0.values.map { Double($0) } })
        #expect(abs(Double(try network.losses(steps: 1)[0][0]) - plain.loss()) < 1e-5)
        let step = 1e-6
        for (name, gradient) in try network.gradients(replica: 0) {
            let scale = gradient.values.reduce(0) { max($0, Double($1.magnitude)) }
            for place in stride(from: 0, to: gradient.values.count, by: max(1, gradient.values.count / 12)) {
                let value = plain.tensors[name]?[place] ?? 0
                plain.tensors[name]?[place] = value + step
                let above = plain.loss()
                plain.tensors[name]?[place] = value - step
                let difference = (above - plain.loss()) / (2 * step)
                plain.tensors[name]?[place] = value
                #expect(
                    abs(Double(gradient.values[place]) - difference) < 1e-4 * scale + 1e-7,
                    "\(name)[\(place)]: \(gradient.values[place]), differences say \(difference)")
            }
        }
    }
}
