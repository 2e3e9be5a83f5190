import Compute
import Datasets
import Support

/// A tensor by PyTorch's shape, row-major.
package struct Tensor: Equatable, Sendable {
    package var shape: [Int]
    package var values: [Float]

    /// A tensor of `values` in row-major order.
    package init(shape: [Int], values: [Float]) {
        self.shape = shape
        self.values = values
    }
}

/// The weights of one network under PyTorch's names and shapes: layer1.0, layer1.1, layer2.0, layer2.1, fc, fc1, fc2,
/// with .weight, .bias and, for batch norm, .running_mean and .running_var.
package struct LeNet5Weights: Equatable, Sendable {
    /// All tensors by name.
    package private(set) var tensors: [String: Tensor]
    /// Planes of the input and number of logits.
    package let layout: LeNet5Layout

    /// Random initial weights as PyTorch's defaults draw them: convolution and linear weights and biases uniform within
    /// 1 / sqrt(inputs a unit) (He et al. 2015 with a = sqrt 5), batch norm at scale 1 and shift 0.
    package init(layout: LeNet5Layout, seed: UInt64, run: Int) {
        var stream = RandomStream(seed: seed, run: run, purpose: .initialWeights)
        var tensors: [String: Tensor] = [:]
        for slot in layout.slots {
            let count = slot.shape.reduce(1, *)
            let values: [Float]
            if slot.fanIn > 0 {
                let bound = 1 / Double(slot.fanIn).squareRoot()
                values = (0..<count).map { _ in Float(stream.nextUniform(-bound, bound)) }
            } else {
                values = Array(repeating: slot.name.hasSuffix("weight") ? 1 : 0, count: count)
            }
            tensors[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        for (name, count) in LeNet5Layout.runningNames {
            tensors["\(name).running_mean"] = Tensor(shape: [count], values: Array(repeating: 0, count: count))
            tensors["\(name).running_var"] = Tensor(shape: [count], values: Array(repeating: 1, count: count))
        }
        self.tensors = tensors
        self.layout = layout
    }

    /// Takes tensors by PyTorch's names; others, such as num_batches_tracked, are passed over.
    /// - Parameter found: what a file says of all its tensors, for errors.
    /// - Throws: ``NetworkError/badWeights(reason:)`` where one is missing or of another shape.
    package init(
        tensors given: [String: Tensor], found: [String: Safetensors.Found] = [:]
    ) throws(NetworkError) {
        let channels = try Self.extent(
            1, of: "layer1.0.weight", in: given, found, shape: [LeNet5Layout.planes.first, -1, 5, 5])
        let classes = try Self.extent(0, of: "fc2.weight", in: given, found, shape: [-1, LeNet5Layout.widths.second])
        let layout = LeNet5Layout(channels: channels, classes: classes)
        var wanted = layout.slots.map { ($0.name, $0.shape) }
        for (name, count) in LeNet5Layout.runningNames {
            wanted += [("\(name).running_mean", [count]), ("\(name).running_var", [count])]
        }
        var kept: [String: Tensor] = [:]
        for (name, shape) in wanted {
            guard let tensor = given[name], tensor.shape == shape else {
                throw Self.unfit(name, given, found, wanted: "\(shape)")
            }
            kept[name] = tensor
        }
        tensors = kept
        self.layout = layout
    }

    /// One extent of a tensor whose others are known: at least 1, and no more than there are values for, so that what is
    /// computed from it stays within bounds.
    private static func extent(
        _ axis: Int, of name: String, in given: [String: Tensor], _ found: [String: Safetensors.Found], shape: [Int]
    ) throws(NetworkError) -> Int {
        var wanted = shape
        wanted[axis] = 1
        let extent = (given[name]?.values.count ?? 0) / wanted.reduce(1, *)
        wanted[axis] = extent
        guard extent > 0, given[name]?.shape == wanted else {
            let text = shape.map { $0 < 0 ? "n" : "\($0)" }.joined(separator: ", ")
            throw unfit(name, given, found, wanted: "[\(text)], n at least 1,")
        }
        return extent
    }

    /// The error of a tensor that is missing, or not of the shape `wanted`, or of a type that is not read.
    private static func unfit(
        _ name: String, _ given: [String: Tensor], _ found: [String: Safetensors.Found], wanted: String
    ) -> NetworkError {
        let types = "F32, F16, BF16 or F64"
        if let tensor = given[name] {
            let type = found[name].map { excerpt($0.type, longest: 8) + " " } ?? ""
            return .badWeights(
                reason: "tensor \(name) has shape \(type)\(excerpt("\(tensor.shape)")) where \(wanted) is wanted")
        }
        if let other = found[name] {
            return .badWeights(reason: "tensor \(name) is \(other) where \(types) \(wanted) is wanted")
        }
        let names = found.keys.sorted()
        let first = names.prefix(2).map { "\(excerpt($0, longest: 20)) (\(found[$0].map { "\($0)" } ?? ""))" }
        return .badWeights(
            reason: "tensor \(name) is missing, \(types) \(wanted) under PyTorch's names"
                + (names.isEmpty
                    ? "" : "; the file has \(first.joined(separator: ", "))\(names.count > 2 ? ", …" : "")"))
    }

    /// The tensor of a name the layout has.
    package subscript(name: String) -> [Float] { tensors[name]?.values ?? [] }

    /// The parameters in the order and padding of a replica's buffer.
    func packed() -> [Float] {
        var flat = [Float](repeating: 0, count: layout.parameterCount)
        for slot in layout.slots {
            let values = self[slot.name]
            slot.forEachElement { source, target in flat[target] = values[source] }
        }
        return flat
    }

    /// The running mean and variance of one batch norm, one after the other.
    func packedRunning(_ name: String) -> [Float] { self["\(name).running_mean"] + self["\(name).running_var"] }

    /// Reads back what ``packed()`` and ``packedRunning(_:)`` wrote.
    init(layout: LeNet5Layout, parameters: ArraySlice<Float>, running: [ArraySlice<Float>]) {
        var tensors: [String: Tensor] = [:]
        for slot in layout.slots {
            var values = [Float](repeating: 0, count: slot.shape.reduce(1, *))
            slot.forEachElement { target, source in values[target] = parameters[parameters.startIndex + source] }
            tensors[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        for ((name, count), statistics) in zip(LeNet5Layout.runningNames, running) {
            tensors["\(name).running_mean"] = Tensor(shape: [count], values: Array(statistics.prefix(count)))
            tensors["\(name).running_var"] = Tensor(shape: [count], values: Array(statistics.suffix(count)))
        }
        self.tensors = tensors
        self.layout = layout
    }
}
