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

    /// Parameter 0 of a slice of gradients.
    func pointer(_ gradients: GradientSlices, replica: Int, slice: Int) -> UnsafeMutablePointer<Float> {
        pointer(gradients.buffer) + (replica * gradients.slices + slice) * gradients.parameterCount
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
        if count >= 16 { return self }
        var result = self
        for lane in (count < 0 ? 0 : count)..<16 { result[lane] = 0 }
        return result
    }
}

/// How many of a tile's samples are among the first `valid` of the batch.
func validLanes(tile: Int, of valid: Int) -> Int { min(max(valid - tile * 16, 0), 16) }
