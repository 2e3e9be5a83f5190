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

/// The weights of one network under PyTorch's names and shapes: its layers' names with .weight, .bias and, for batch norm,
/// .running_mean and .running_var.
package struct ModelWeights: Equatable, Sendable {
    /// All tensors by name.
    package private(set) var tensors: [String: Tensor]
    /// The model, its input and its number of logits.
    package let layout: ParameterLayout

    /// Random initial weights as PyTorch's defaults draw them: convolution and linear weights and biases uniform within
    /// 1 / sqrt(inputs a unit) (He et al. 2015 with a = sqrt 5), batch norm at scale 1 and shift 0.
    package init(layout: ParameterLayout, seed: UInt64, run: Int) {
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
        for norm in layout.running {
            tensors["\(norm.name).running_mean"] = Tensor(
                shape: [norm.count], values: Array(repeating: 0, count: norm.count))
            tensors["\(norm.name).running_var"] = Tensor(
                shape: [norm.count], values: Array(repeating: 1, count: norm.count))
        }
        self.tensors = tensors
        self.layout = layout
    }

    /// Takes tensors by PyTorch's names; others, such as num_batches_tracked, are passed over, but no further layer's
    /// weights. The planes or values of the input and the number of classes are those of the first and the last tensor;
    /// where the model takes planes of any size, it is the smallest square that goes with all tensors.
    /// - Parameters:
    ///   - input: what a file says that they take; nil where it says nothing.
    ///   - found: what a file says of all its tensors, for errors.
    /// - Throws: ``NetworkError/badWeights(reason:model:)`` where one is missing or of another shape.
    package init(
        _ model: ModelSpec = ModelLibrary.leNet5, input: SampleShape? = nil, tensors given: [String: Tensor],
        found: [String: Safetensors.Found] = [:]
    ) throws(NetworkError) {
        // The tensors' names and the extents between first and last depend on neither end.
        let pattern = try Self.pattern(model)
        let weights = pattern.slots.filter { $0.name.hasSuffix(".weight") }
        guard let first = weights.first, let last = weights.last else {
            throw .invalid(reason: "\(model.name) has no weights")
        }
        let ends = (first.name, last.name)
        func shape(_ slot: ParameterLayout.Slot) throws(NetworkError) -> [Int] {
            var wanted = slot.shape
            // A batch norm's one extent is both.
            if slot.name == ends.0 { wanted[min(1, wanted.count - 1)] = -1 }
            if slot.name == ends.1 {
                wanted[0] = -1
                // What the last layer takes may depend on the samples' extents too.
                if pattern.hasFreeExtents || first.shape.count == 1 { wanted[1] = -1 }
            }
            return try Self.shape(of: slot.name, in: given, found, wanted: wanted, model)
        }
        let (firstShape, classes) = (try shape(first), try shape(last)[0])
        let inputs = firstShape[min(1, firstShape.count - 1)]
        layout = try Self.layout(
            model, pattern, input: input, planes: firstShape.count == 2 && pattern.takesPlanes ? [1, 3] : [inputs],
            classes: classes, given)
        var wanted = layout.slots.map { ($0.name, $0.shape) }
        for norm in layout.running {
            wanted += [("\(norm.name).running_mean", [norm.count]), ("\(norm.name).running_var", [norm.count])]
        }
        var kept: [String: Tensor] = [:]
        for (name, shape) in wanted {
            guard let tensor = given[name], tensor.shape == shape else {
                throw Self.unfit(name, given, found, wanted: "\(shape)", model)
            }
            kept[name] = tensor
        }
        // A network's first layers alone, which have the same names, are another network.
        if model != ModelLibrary.leNet5,
            let other = given.keys.sorted().first(where: { kept[$0] == nil && $0.hasSuffix(".weight") })
        {
            throw .badWeights(
                reason: "there is a tensor \(excerpt(other, longest: 40)) too, which is not one of it",
                model: model.networkName)
        }
        tensors = kept
    }

    /// The longest side of images that is tried where tensors alone do not tell it.
    static let longestSide = 1024

    /// The layout of a model for the smallest input of one plane.
    private static func pattern(_ model: ModelSpec) throws(NetworkError) -> ParameterLayout {
        func layout(_ side: Int) throws(NetworkError) -> ParameterLayout {
            try ParameterLayout(
                model, samples: SampleShape(height: side, width: side), classes: model.fixedClasses ?? 1)
        }
        if let side = model.side { return try layout(side) }
        for side in 1..<longestSide {
            if let layout = try? layout(side) { return layout }
        }
        return try layout(longestSide)
    }

    /// The layout of a model whose tensors have the shapes of those given; where there is none, one to compare them with.
    /// - Parameter planes: how many planes or values the input may have.
    private static func layout(
        _ model: ModelSpec, _ pattern: ParameterLayout, input: SampleShape?, planes: [Int], classes: Int,
        _ given: [String: Tensor]
    ) throws(NetworkError) -> ParameterLayout {
        func fits(_ layout: ParameterLayout) -> Bool { layout.slots.allSatisfy { given[$0.name]?.shape == $0.shape } }
        if let input, let layout = try? ParameterLayout(model, samples: input, classes: classes), fits(layout) {
            return layout
        }
        guard pattern.takesPlanes || !pattern.takesVectors else {
            if let side = model.side, planes[0].isMultiple(of: side * side) {
                let samples = SampleShape(channels: planes[0] / (side * side), height: side, width: side)
                return try ParameterLayout(model, samples: samples, classes: classes)
            }
            return try ParameterLayout(model, samples: .vector(planes[0]), classes: classes)
        }
        let sides =
            pattern.hasFreeExtents ? pattern.input.height...longestSide : pattern.input.height...pattern.input.height
        for count in planes {
            for side in sides {
                let samples = SampleShape(channels: count, height: side, width: side)
                if let layout = try? ParameterLayout(model, samples: samples, classes: classes), fits(layout) {
                    return layout
                }
            }
        }
        let side = sides.lowerBound
        return try ParameterLayout(
            model, samples: SampleShape(channels: planes[0], height: side, width: side), classes: classes)
    }

    /// The same weights in the layout for another input, where the shapes of all tensors are the same there; otherwise
    /// unchanged.
    func laidOut(as other: ParameterLayout) -> ModelWeights {
        guard layout != other, layout.model == other.model, layout.classes == other.classes,
            layout.hasFreeExtents, layout.slots == other.slots, layout.running == other.running
        else { return self }
        return ModelWeights(tensors: tensors, layout: other)
    }

    private init(tensors: [String: Tensor], layout: ParameterLayout) {
        self.tensors = tensors
        self.layout = layout
    }

    /// The shape of a tensor of which `wanted` knows every extent but those below 0, which are at least 1.
    private static func shape(
        of name: String, in given: [String: Tensor], _ found: [String: Safetensors.Found], wanted: [Int],
        _ model: ModelSpec
    ) throws(NetworkError) -> [Int] {
        guard let tensor = given[name], tensor.shape.count == wanted.count, !tensor.values.isEmpty,
            zip(tensor.shape, wanted).allSatisfy({ $1 < 0 ? $0 > 0 : $0 == $1 })
        else {
            let text = wanted.map { $0 < 0 ? "n" : "\($0)" }.joined(separator: ", ")
            throw unfit(name, given, found, wanted: "[\(text)], n at least 1,", model)
        }
        return tensor.shape
    }

    /// The error of a tensor that is missing, or not of the shape `wanted`, or of a type that is not read.
    private static func unfit(
        _ name: String, _ given: [String: Tensor], _ found: [String: Safetensors.Found], wanted: String,
        _ model: ModelSpec
    ) -> NetworkError {
        func error(_ reason: String) -> NetworkError {
            .badWeights(reason: reason, model: model.networkName)
        }
        let types = "F32, F16, BF16 or F64"
        if let tensor = given[name] {
            let type = found[name].map { excerpt($0.type, longest: 8) + " " } ?? ""
            return error(
                "tensor \(name) has shape \(type)\(excerpt("\(tensor.shape)")) where \(wanted) is wanted")
        }
        if let other = found[name] {
            return error("tensor \(name) is \(other) where \(types) \(wanted) is wanted")
        }
        let names = found.keys.sorted()
        let first = names.prefix(2).map { "\(excerpt($0, longest: 20)) (\(found[$0].map { "\($0)" } ?? ""))" }
        return error(
            "tensor \(name) is missing, \(types) \(wanted) under PyTorch's names"
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
    init(layout: ParameterLayout, parameters: ArraySlice<Float>, running: [ArraySlice<Float>]) {
        var tensors: [String: Tensor] = [:]
        for slot in layout.slots {
            var values = [Float](repeating: 0, count: slot.shape.reduce(1, *))
            slot.forEachElement { target, source in values[target] = parameters[parameters.startIndex + source] }
            tensors[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        for (norm, statistics) in zip(layout.running, running) {
            tensors["\(norm.name).running_mean"] = Tensor(
                shape: [norm.count], values: Array(statistics.prefix(norm.count)))
            tensors["\(norm.name).running_var"] = Tensor(
                shape: [norm.count], values: Array(statistics.suffix(norm.count)))
        }
        self.tensors = tensors
        self.layout = layout
    }
}
