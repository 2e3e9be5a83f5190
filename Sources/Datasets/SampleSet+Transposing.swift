extension SampleSet {
    /// The same images with rows and columns exchanged: [image][channel][x][y]. EMNIST's images are stored that way.
    /// - Throws: ``DatasetError/unsupported(file:reason:)`` for values that are not in memory.
    package func transposed() throws(DatasetError) -> SampleSet {
        let values: SampleValues =
            switch values {
            case .bytes(let all): .bytes(transposed(all))
            case .floats(let all): .floats(transposed(all))
            case .stored:
                throw .unsupported(file: "samples", reason: "their values have to be read into memory first")
            }
        return SampleSet(
            valid: values, count: count,
            shape: SampleShape(channels: shape.channels, height: shape.width, width: shape.height), labels: labels)
    }

    private func transposed<Value>(_ all: [Value]) -> [Value] {
        let (height, width) = (shape.height, shape.width)
        return [Value](unsafeUninitializedCapacity: all.count) { result, initialized in
            all.withUnsafeBufferPointer { all in
                var target = 0
                for plane in stride(from: 0, to: all.count, by: max(1, shape.planeSize)) {
                    for x in 0..<width {
                        for y in 0..<height {
                            result.initializeElement(at: target, to: all[plane + y * width + x])
                            target += 1
                        }
                    }
                }
            }
            initialized = all.count
        }
    }
}
