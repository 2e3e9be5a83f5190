import Compute
import Datasets

/// Where the tensors of a model are in the flat parameter buffer of a replica, and how each is stored there: the model with
/// every extent resolved.
package struct ParameterLayout: Hashable, Sendable {
    /// The layers.
    package let model: ModelSpec
    /// What it takes: of a model that begins by flattening its samples, a vector.
    package let input: SampleShape
    /// The number of logits; 0 for an autoencoder.
    package let classes: Int
    /// One parameter tensor.
    struct Slot: Hashable, Sendable {
        /// How PyTorch's tensor is laid out here.
        enum Storage: Hashable, Sendable {
            /// As it is.
            case vector
            /// [out][in][ky][kx] stored [in][ky][kx][out].
            case convolution
            /// [out][in] stored [in][out padded to 16].
            case linear
            /// The bias row of the linear tensor just before: padded to 16.
            case linearBias
        }
        var name: String
        /// PyTorch's shape.
        var shape: [Int]
        var storage: Storage
        var offset: Int
        /// Inputs per unit, which sets the range of the initial values; 0 for batch norm.
        var fanIn: Int
    }
    /// A layer with its name in PyTorch and its extents.
    struct Module: Hashable, Sendable {
        var layer: ModelSpec.Layer
        var name: String
        var input: SampleShape
        var output: SampleShape
    }
    /// The statistics of a batch norm.
    struct Running: Hashable, Sendable {
        var name: String
        var count: Int
    }
    /// The layers in order.
    let modules: [Module]
    /// All parameters in PyTorch's order.
    let slots: [Slot]
    /// The batch norms in PyTorch's order.
    let running: [Running]
    /// Floats per replica, padding included: a multiple of 16.
    package let parameterCount: Int
    /// Whether the fused kernels train it.
    let isFused: Bool

    /// The layout of `model` for `classes` classes, which an autoencoder ignores, and samples of the shape `samples`,
    /// after any resizing.
    /// - Throws: ``NetworkError/invalid(reason:)`` with the layer and what arrives there where a layer does not take what the
    ///   one before it gives, or is too large.
    package init(_ model: ModelSpec, samples: SampleShape, classes: Int) throws(NetworkError) {
        let isAutoencoder = model.isAutoencoder
        guard isAutoencoder || classes > 0, samples.channels > 0, samples.height > 0, samples.width > 0 else {
            throw .invalid(reason: "\(model.name) takes samples of at least one value and class")
        }
        if let side = model.side, samples.height != side || samples.width != side {
            throw .invalid(
                reason: "\(model.name) takes \(side)x\(side) images, not \(samples.height)x\(samples.width)")
        }
        self.model = model
        self.classes = isAutoencoder ? 0 : classes
        input = model.layers.first == .flatten ? .vector(samples.featureCount) : samples
        var builder = Builder(model, input: input, classes: classes)
        var shape = input
        for index in model.layers.indices {
            shape = try builder.add(index, input: shape)
            try Self.check(model, index, parameters: builder.offset)
        }
        guard let last = model.layers.last,
            isAutoencoder || last == .linear(.classes) || last == .linear(.count(classes))
        else {
            throw .invalid(
                reason:
                    "\(model.name) ends in \(model.layers.last?.yaml ?? "nothing"); linear: classes is needed, or linear: \(classes) "
                    + "for \(classes) classes")
        }
        modules = builder.modules
        slots = builder.slots
        running = builder.running
        parameterCount = builder.offset
        isFused = Self.areFused(modules, side: model.side)
    }

    /// The most parameters, which kernels count in 32 bits, past the end by less than a work-group's share.
    private static let mostParameters = Int(Int32.max) - (1 << 20)

    /// Refuses a model that is too large with layer number `index`.
    private static func check(_ model: ModelSpec, _ index: Int, parameters: Int) throws(NetworkError) {
        guard parameters > mostParameters else { return }
        throw .invalid(
            reason:
                "\(model.name): with layer \(index + 1) (\(model.layers[index])) there are \(parameters) parameters; "
                + "at most \(mostParameters) are accepted", layer: index)
    }

    /// The layout of the article's network with `channels` input planes and `classes` logits.
    /// - Throws: ``NetworkError/invalid(reason:)`` as ``init(_:samples:classes:)``.
    package static func leNet5(channels: Int = 1, classes: Int = 10) throws(NetworkError) -> ParameterLayout {
        try ParameterLayout(
            ModelLibrary.leNet5, samples: SampleShape(channels: channels, height: 32, width: 32), classes: classes)
    }

    /// Whether the fused kernels train these layers: two blocks of conv, batch_norm, relu and max_pool: 2, flatten, and one
    /// to four linear layers with relu between them, all within the kernels' bounds.
    private static func areFused(_ modules: [Module], side: Int?) -> Bool {
        // A model without a side takes samples that are no 8-bit images too.
        guard side != nil else { return false }
        var convolutions: [Conv2DShape] = []
        let features = 9
        for (index, module) in modules.enumerated() {
            let isRight: Bool
            switch module.layer {
            case .conv(let planes, let kernel, let padding):
                isRight = (index == 0 || index == 4) && padding == 0
                convolutions.append(
                    Conv2DShape(
                        batch: BatchShape(replicas: 1, samples: 1, tile: 1), inChannels: module.input.channels,
                        outChannels: planes, height: module.input.height, width: module.input.width, kernel: kernel))
            case .batchNorm: isRight = index == 1 || index == 5
            case .relu: isRight = index == 2 || index == 6 || index > features && (index - features) % 2 == 1
            case .maxPool(let side): isRight = (index == 3 || index == 7) && side == 2
            case .flatten: isRight = index == features - 1
            case .linear: isRight = index >= features && (index - features) % 2 == 0
            case .tanh, .avgPool: isRight = false
            }
            guard isRight else { return false }
        }
        guard convolutions.count == 2, Classifier.layerCounts.contains((modules.count - features + 1) / 2) else {
            return false
        }
        let (first, second) = (convolutions[0], convolutions[1])
        return first.excessAsFirst == nil && second.excess == nil && first.kernel == second.kernel
    }

    /// What `other` is for, where the samples of `store` are for this one, as the end of a sentence.
    func mismatch(_ other: ParameterLayout, _ store: SampleStore) -> String {
        if model.name != other.model.name { return "of \(other.model.name), not of \(model.name)" }
        if model.isAutoencoder { return "for samples of \(other.inputText), and these have \(inputText)" }
        if isFused {
            return "for \(other.classes) classes of \(other.input.channels) planes, the images have \(classes) and "
                + "\(input.channels)"
        }
        return "for \(other.classes) classes of \(other.inputText), the samples have \(classes) and \(inputText)"
    }

    /// What it takes, in a sentence.
    var inputText: String { input == .vector(input.width) ? "\(input.width) values" : "\(input)" }

    /// Whether some layer takes planes: values with neighbours above and below.
    var takesPlanes: Bool {
        modules.contains {
            switch $0.layer {
            case .conv, .maxPool, .avgPool: true
            case .batchNorm, .relu, .tanh, .flatten, .linear: false
            }
        }
    }

    /// Whether tensors alone do not tell what it takes: the planes of its input may be of several sizes.
    var hasFreeExtents: Bool { model.side == nil && (takesPlanes || !takesVectors) }

    /// True if the input is a vector, without rows and columns.
    var takesVectors: Bool { input == .vector(input.featureCount) }

    /// The number of a batch norm among ``running``, by its name in PyTorch.
    func index(ofNorm name: String) -> Int { running.firstIndex { $0.name == name } ?? 0 }

    /// First element of a tensor, by PyTorch's name.
    func offset(_ name: String) -> Int { slots.first { $0.name == name }?.offset ?? 0 }

    /// Puts one layer's tensors after another's.
    private struct Builder {
        let model: ModelSpec
        /// Values per sample.
        let inputs: Int
        let classes: Int
        /// What kernels count to: weights of a layer, and values that it gives for the samples of the widest tile.
        private static let (mostWeights, mostValues) = (Int(Int32.max), Int(Int32.max) / 64)
        /// Whether the next layer takes values in a row, which have no neighbours above and below.
        var isVector: Bool
        var modules: [Module] = []
        var slots: [Slot] = []
        var running: [Running] = []
        var offset = 0

        init(_ model: ModelSpec, input: SampleShape, classes: Int) {
            self.model = model
            inputs = input.featureCount
            self.classes = classes
            isVector = input == .vector(input.featureCount)
        }

        private mutating func add(
            _ name: String, _ shape: [Int], _ storage: Slot.Storage, stored: Int, fanIn: Int
        ) {
            slots.append(Slot(name: name, shape: shape, storage: storage, offset: offset, fanIn: fanIn))
            // Vectors of 16 start on their own boundary; a bias row follows its weights at once.
            offset += paddedColumns(stored)
        }

        /// The error of layer number `index`.
        private func fault(_ index: Int, _ reason: String) -> NetworkError {
            .invalid(reason: "\(model.name): layer \(index + 1) (\(model.layers[index])) \(reason)", layer: index)
        }

        /// Throws unless the product of some extents is at most `most`.
        private func check(_ index: Int, _ extents: Int..., of what: String, most: Int) throws(NetworkError) {
            // In floating point, for the product may be beyond an Int.
            guard extents.reduce(1, { $0 * Double($1) }) <= Double(most) else {
                throw fault(
                    index,
                    "has \(extents.map(String.init).joined(separator: " x ")) \(what); at most \(most) are accepted")
            }
        }

        /// Adds layer number `index`, which takes `input`, and returns what it gives.
        mutating func add(_ index: Int, input: SampleShape) throws(NetworkError) -> SampleShape {
            let (layer, name) = (model.layers[index], model.module(index))
            var output = input
            switch layer {
            case .conv(let out, let kernel, let padding):
                try checkPlanes(index, input)
                try check(index, padding, padding, of: "rows and columns of padding", most: Self.mostValues)
                let (height, width) = (input.height + 2 * padding - kernel + 1, input.width + 2 * padding - kernel + 1)
                guard height > 0, width > 0 else {
                    let around = padding > 0 ? " with a padding of \(padding)" : ""
                    throw fault(index, "has a \(kernel)x\(kernel) kernel, which does not fit into \(input)\(around)")
                }
                try check(index, out, input.channels, kernel, kernel, of: "weights", most: Self.mostWeights)
                try check(index, out, height, width, of: "values", most: Self.mostValues)
                output = SampleShape(channels: out, height: height, width: width)
                let fanIn = input.channels * kernel * kernel
                add(
                    "\(name).weight", [out, input.channels, kernel, kernel], .convolution, stored: out * fanIn,
                    fanIn: fanIn)
                add("\(name).bias", [out], .vector, stored: out, fanIn: fanIn)
            case .batchNorm:
                let channels = isVector ? input.featureCount : input.channels
                add("\(name).weight", [channels], .vector, stored: channels, fanIn: 0)
                add("\(name).bias", [channels], .vector, stored: channels, fanIn: 0)
                running.append(Running(name: name, count: channels))
            case .relu, .tanh: break
            case .maxPool(let side), .avgPool(let side):
                try checkPlanes(index, input)
                guard input.height >= side, input.width >= side else {
                    throw fault(index, "has windows of \(side)x\(side), which do not fit into \(input)")
                }
                output = SampleShape(
                    channels: input.channels, height: input.height / side, width: input.width / side)
            case .flatten:
                output = .vector(input.featureCount)
                isVector = true
            case .linear(let width):
                guard isVector else { throw fault(index, "takes a vector, not \(input); put flatten before it") }
                let outputs: Int
                switch width {
                case .count(let count): outputs = count
                case .classes:
                    guard !model.isAutoencoder else {
                        throw fault(index, "is of classes, and a model whose last layer is linear: inputs has none")
                    }
                    outputs = classes
                case .inputs:
                    guard index == model.layers.count - 1 else {
                        throw fault(index, "reconstructs the samples, which the last layer alone can do")
                    }
                    outputs = inputs
                }
                try check(
                    index, input.width + 1, outputs, of: "weights", most: Self.mostWeights - 16 * (input.width + 1))
                output = .vector(outputs)
                let columns = paddedColumns(outputs)
                add(
                    "\(name).weight", [outputs, input.width], .linear, stored: input.width * columns,
                    fanIn: input.width)
                add("\(name).bias", [outputs], .linearBias, stored: columns, fanIn: input.width)
            }
            modules.append(Module(layer: layer, name: name, input: input, output: output))
            return output
        }

        /// Throws unless planes arrive at layer number `index`.
        private func checkPlanes(_ index: Int, _ input: SampleShape) throws(NetworkError) {
            if isVector { throw fault(index, "takes planes, not a vector of \(input.width) values") }
        }
    }
}

extension ParameterLayout.Slot {
    /// Calls `body(index in PyTorch's tensor, index in a replica's parameters)` for every element.
    func forEachElement(_ body: (Int, Int) -> Void) {
        switch storage {
        case .vector, .linearBias:
            for index in 0..<shape[0] { body(index, offset + index) }
        case .convolution:
            let taps = shape[1] * shape[2] * shape[3]
            for out in 0..<shape[0] {
                for tap in 0..<taps { body(out * taps + tap, offset + tap * shape[0] + out) }
            }
        case .linear:
            let columns = paddedColumns(shape[0])
            for out in 0..<shape[0] {
                for row in 0..<shape[1] { body(out * shape[1] + row, offset + row * columns + out) }
            }
        }
    }
}
