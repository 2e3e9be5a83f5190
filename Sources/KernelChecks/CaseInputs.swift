import Compute
import Support

/// The random inputs of a case: the same for the same seed, on every device.
package struct CaseInputs {
    private var stream: RandomStream

    /// Inputs for number `index` of the cases drawn from `seed`.
    package init(seed: UInt64, index: Int = 0) { stream = RandomStream(seed: seed, run: index, purpose: .testing) }

    /// Uniform floats.
    package mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
        return (0..<count).map { _ in Float(stream.nextUniform(low, high)) }
    }

    /// Uniform integers.
    package mutating func integers(_ count: Int, in range: Range<Int>) -> [Int32] {
        (0..<count).map { _ in Int32(range.lowerBound + stream.nextIndex(below: range.count)) }
    }

    /// Uniform bytes, of which one in `share` is kept on the average and the others are zero.
    package mutating func bytes(_ count: Int, in range: Range<Int> = 0..<256, oneIn share: Int = 1) -> [UInt8] {
        (0..<count).map { _ in
            let byte = UInt8(range.lowerBound + stream.nextIndex(below: range.count))
            return share == 1 || stream.nextIndex(below: share) == 0 ? byte : 0
        }
    }

    /// 0..<count in random order.
    package mutating func permutation(_ count: Int) -> [Int32] {
        var order = (0..<count).map(Int32.init)
        stream.shuffle(&order)
        return order
    }
}

/// The layout of activations, which depends on a backend's TILE. Cases keep activations as
/// [replica][sample][value] and bring them into the layout of each of the two backends.
package struct TileLayout: Sendable {
    /// R.
    package let replicas: Int
    /// Samples a batch, valid ones only.
    package let samples: Int
    /// Values a sample: channels x height x width.
    package let values: Int
    /// TILE.
    package let tile: Int
    /// Samples that there is room for; whole tiles of it may hold no valid one.
    package let room: Int
    /// Tiles a batch.
    package var tiles: Int { (room + tile - 1) / tile }
    /// Elements of the activation, masked ones included.
    package var count: Int { replicas * tiles * values * tile }

    /// The layout of a batch on `backend`, with room for `room` samples (as many as there are).
    package init(replicas: Int, samples: Int, room: Int? = nil, values: Int, on backend: any BufferBackend) {
        self.init(replicas: replicas, samples: samples, room: room, values: values, tile: backend.tile)
    }

    /// The layout with `tile` samples a tile.
    package init(replicas: Int, samples: Int, room: Int? = nil, values: Int, tile: Int) {
        self.replicas = replicas
        self.samples = samples
        self.room = room ?? samples
        self.values = values
        self.tile = tile
    }

    /// Where a value stands.
    package func index(replica: Int, sample: Int, value: Int) -> Int {
        ((replica * tiles + sample / tile) * values + value) * tile + sample % tile
    }

    /// [replica][sample][value] as [replica][tile][value][sample in tile], with `masked` in the lanes past the batch.
    package func pack<Element>(_ plain: [Element], masked: Element) -> [Element] {
        var packed = [Element](repeating: masked, count: count)
        for replica in 0..<replicas {
            for sample in 0..<samples {
                for value in 0..<values {
                    packed[index(replica: replica, sample: sample, value: value)] =
                        plain[(replica * samples + sample) * values + value]
                }
            }
        }
        return packed
    }

    /// The way back; masked lanes are dropped.
    package func unpack<Element>(_ packed: [Element]) -> [Element] {
        var plain: [Element] = []
        plain.reserveCapacity(replicas * samples * values)
        for replica in 0..<replicas {
            for sample in 0..<samples {
                for value in 0..<values { plain.append(packed[index(replica: replica, sample: sample, value: value)]) }
            }
        }
        return plain
    }

    /// The elements of the masked lanes, in order: the contract has them 0 in most outputs.
    package func maskedValues<Element>(_ packed: [Element]) -> [Element] {
        var masked: [Element] = []
        for replica in 0..<replicas {
            for sample in samples..<(tiles * tile) {
                for value in 0..<values {
                    masked.append(packed[index(replica: replica, sample: sample, value: value)])
                }
            }
        }
        return masked
    }
}
