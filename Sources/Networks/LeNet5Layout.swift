import Compute

/// Where the tensors of a LeNet-5 stand in the flat parameter buffer of a replica, and how each is stored there.
///
/// The network is the article's: 5x5 convolution to 6 planes, batch norm, ReLU, 2x2 max-pool; 5x5 convolution to 16
/// planes, batch norm, ReLU, 2x2 max-pool; linear 400-120, ReLU, 120-84, ReLU, 84-classes. It differs from LeCun et
/// al. 1998 ("Gradient-based learning applied to document recognition", section II.B) in its batch norm, ReLU and
/// max-pool.
package struct LeNet5Layout: Hashable, Sendable {
    /// Side of the square input.
    package static let inputSide = 32
    /// Planes after the first and the second convolution.
    static let planes = (first: 6, second: 16)
    /// Values after the second pool, and of the two hidden linear layers.
    static let widths = (pooled: 400, first: 120, second: 84)

    /// Planes of the input: 1 for greyscale.
    package let channels: Int
    /// Logits.
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
        /// Inputs a unit, which sets the range of the initial values; 0 for batch norm.
        var fanIn: Int
    }
    /// All parameters in PyTorch's order.
    let slots: [Slot]
    /// Floats a replica, padding included.
    package let parameterCount: Int

    /// The layout of a network with `channels` input planes and `classes` logits.
    package init(channels: Int = 1, classes: Int = 10) {
        self.channels = channels
        self.classes = classes
        var slots: [Slot] = []
        var offset = 0
        func add(_ name: String, _ shape: [Int], _ storage: Slot.Storage, stored: Int, fanIn: Int) {
            slots.append(Slot(name: name, shape: shape, storage: storage, offset: offset, fanIn: fanIn))
            // Vectors of 16 start on their own boundary; a bias row follows its weights at once.
            offset += paddedColumns(stored)
        }
        func addConvolution(_ layer: String, from inputs: Int, to outputs: Int) {
            let fanIn = inputs * 25
            add("\(layer).0.weight", [outputs, inputs, 5, 5], .convolution, stored: outputs * fanIn, fanIn: fanIn)
            add("\(layer).0.bias", [outputs], .vector, stored: outputs, fanIn: fanIn)
            add("\(layer).1.weight", [outputs], .vector, stored: outputs, fanIn: 0)
            add("\(layer).1.bias", [outputs], .vector, stored: outputs, fanIn: 0)
        }
        func addLinear(_ layer: String, from inputs: Int, to outputs: Int) {
            let columns = paddedColumns(outputs)
            add("\(layer).weight", [outputs, inputs], .linear, stored: inputs * columns, fanIn: inputs)
            add("\(layer).bias", [outputs], .linearBias, stored: columns, fanIn: inputs)
        }
        addConvolution("layer1", from: channels, to: Self.planes.first)
        addConvolution("layer2", from: Self.planes.first, to: Self.planes.second)
        addLinear("fc", from: Self.widths.pooled, to: Self.widths.first)
        addLinear("fc1", from: Self.widths.first, to: Self.widths.second)
        addLinear("fc2", from: Self.widths.second, to: classes)
        self.slots = slots
        parameterCount = offset
    }

    /// First element of a tensor, by PyTorch's name.
    func offset(_ name: String) -> Int {
        slots.first { $0.name == name }?.offset ?? 0
    }

    /// Names and sizes of the batch-norm statistics, in PyTorch's order.
    static let runningNames = [
        ("layer1.1", planes.first), ("layer2.1", planes.second),
    ]
}

extension LeNet5Layout.Slot {
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
