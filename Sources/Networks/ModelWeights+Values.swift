extension ModelWeights {
    /// What keeps the values from being a network's, as a sentence that names the tensor; nil where all are usable: every
    /// value finite, and no running variance below 0.
    package var fault: String? {
        for name in tensors.keys.sorted() {
            let values = self[name]
            if let place = values.firstIndex(where: { !$0.isFinite }) {
                return "tensor \(name) holds \(values[place]) at position \(place); finite float32 numbers are needed"
            }
            if name.hasSuffix("running_var"), let place = values.firstIndex(where: { $0 < 0 }) {
                return "tensor \(name) holds \(values[place]) at position \(place); a variance is at least 0"
            }
        }
        return nil
    }

    /// Checks the values of weights that were read from the file `path`.
    /// - Throws: ``NetworkError/unusableWeights(reason:)`` with the file and the tensor.
    func check(path: String) throws(NetworkError) {
        if let fault { throw .unusableWeights(reason: "\(path): \(fault)") }
    }

    /// The share of the weights that a training with sensible steps moves at the least; where fewer moved, the learning
    /// rate is too small for float32, and the network is as good as untrained.
    package static let leastMoved = 0.01

    /// Weights of convolutions, batch norms and linear layers; biases and statistics are not counted.
    package var weightCount: Int { weightNames.reduce(0) { $0 + self[$1].count } }

    /// How many of the ``weightCount`` weights have other bits than in `other`, a network of the same layout.
    func weightsDiffering(from other: ModelWeights) -> Int {
        weightNames.reduce(0) { sum, name in
            sum + zip(self[name], other[name]).count { $0.bitPattern != $1.bitPattern }
        }
    }

    private var weightNames: [String] { layout.slots.map(\.name).filter { $0.hasSuffix(".weight") } }

    /// Whether no activation can overflow for inputs of at most `input` in magnitude, by bounds on each layer in turn:
    /// true for every network of ordinary weights, and false for some that would not overflow.
    func cannotOverflow(forInputsUpTo input: Double) -> Bool {
        func largest(_ name: String) -> Double { self[name].reduce(0) { max($0, Double($1.magnitude)) } }
        /// The largest weighted sum of `count` inputs of at most `input`.
        func sum(_ layer: String, _ count: Int, _ input: Double) -> Double {
            Double(count) * largest("\(layer).weight") * input + largest("\(layer).bias")
        }
        var bound = input
        var peak = bound
        for module in layout.modules {
            let name = module.name
            switch module.layer {
            case .conv(_, let kernel, _): bound = sum(name, kernel * kernel * module.input.channels, bound)
            case .batchNorm:
                let (scales, shifts) = (self["\(name).weight"], self["\(name).bias"])
                let (means, variances) = (self["\(name).running_mean"], self["\(name).running_var"])
                bound = scales.indices.reduce(0) { most, channel in
                    let scale = Double(scales[channel].magnitude) / (Double(variances[channel]) + 1e-5).squareRoot()
                    let shift = Double(shifts[channel].magnitude) + Double(means[channel].magnitude) * scale
                    return max(most, max(scale, bound * scale + shift))
                }
            case .linear: bound = sum(name, module.input.featureCount, bound)
            case .tanh: bound = min(bound, 1)
            case .relu, .maxPool, .avgPool, .flatten: break
            }
            peak = max(peak, bound)
        }
        // Room for the roundings; false too where the bound itself is no number.
        return peak < Double(Float.greatestFiniteMagnitude) / 16
    }
}
