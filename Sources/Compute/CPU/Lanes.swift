/// One value of each of a tile's 16 samples: the innermost vector of an activation.
typealias Lanes = SIMD16<Float>

extension CPUBackend {
    /// The vectors of an activation.
    func lanes(_ buffer: DeviceBuffer<Float>) -> UnsafeMutablePointer<Lanes> {
        UnsafeMutableRawPointer(pointer(buffer)).assumingMemoryBound(to: Lanes.self)
    }

    /// Replica `replica`'s copy of a tensor.
    func pointer(_ tensor: ReplicaTensor, replica: Int) -> UnsafeMutablePointer<Float> {
        pointer(tensor.buffer) + tensor.offset + replica * tensor.stride
    }
}

/// Where a weight gradient goes: [replica][slice][offset...], each slice the sum over its share of the tiles.
struct GradientSlices {
    let buffer: DeviceBuffer<Float>
    let slices: Int
    /// Elements from one slice to the next.
    let stride: Int
    let offset: Int

    /// The tiles whose samples slice `slice` sums: contiguous, and as even as can be.
    func tiles(of slice: Int, among tiles: Int) -> Range<Int> {
        let chunk = (tiles + slices - 1) / slices
        return min(slice * chunk, tiles)..<min((slice + 1) * chunk, tiles)
    }
}

extension StepGradients {
    /// The whole gradient of a tensor.
    func whole(_ tensor: ReplicaTensor) -> GradientSlices {
        GradientSlices(buffer: values, slices: 1, stride: parameterCount, offset: tensor.offset)
    }

    /// A slice a tile of the sliced tensor.
    func slices(tiles count: Int) -> GradientSlices {
        GradientSlices(buffer: tiles, slices: count, stride: tileCount, offset: 0)
    }
}

extension CPUBackend {
    /// The first element of a slice.
    func pointer(_ gradients: GradientSlices, replica: Int, slice: Int) -> UnsafeMutablePointer<Float> {
        pointer(gradients.buffer) + (replica * gradients.slices + slice) * gradients.stride + gradients.offset
    }
}

extension Lanes {
    /// The sum of all lanes, in a fixed order.
    var total: Float {
        let eight = lowHalf + highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }

    /// The first `count` lanes as they are, 0 in the others.
    func masked(to count: Int) -> Lanes {
        if count >= Self.scalarCount { return self }
        var result = self
        for lane in (count < 0 ? 0 : count)..<Self.scalarCount { result[lane] = 0 }
        return result
    }
}

/// How many of a tile's samples are among the first `valid` of the batch.
func validLanes(tile: Int, of valid: Int) -> Int { min(max(valid - tile * Lanes.scalarCount, 0), Lanes.scalarCount) }
