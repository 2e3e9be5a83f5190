import Datasets

/// Arrays of every type that is read.
func acceptsNumPy(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.npy"
    try put(bytes, at: path)
    let array: NumPyArray
    do { array = try NumPyArray.read(path) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    try require(array.shape.allSatisfy { $0 >= 0 }, "shape \(array.shape)")
    // The least that an element takes.
    let payload = array.count * (array.isConverted ? 1 : array.type.byteCount)
    try require(payload <= bytes.count, "\(array.count) elements from a file of \(bytes.count) bytes")
    try require(array.floats.count == array.count, "\(array.floats.count) floats of \(array.count) elements")
    let integers: [Int64]?
    do { integers = try array.integers() } catch {
        try require(array.type == .float32 || array.type == .float64, "no integers in \(array.type)")
        try requireSentence(error.description, mentions: path, error.category)
        integers = nil
    }

    let copy = folder + "/copy.npy"
    do {
        switch array.type {
        case .float32, .float64: try NumPy.write(array.floats, shape: array.shape, to: copy)
        case .uint8: try NumPy.write(array.bytes ?? [], shape: array.shape, to: copy)
        case .int32: try NumPy.write((integers ?? []).map(Int32.init), shape: array.shape, to: copy)
        default: try NumPy.write(integers ?? [], shape: array.shape, to: copy)
        }
        let again = try NumPyArray.read(copy)
        try require(
            again.shape == array.shape && again.floats.map(\.bitPattern) == array.floats.map(\.bitPattern)
                && (integers == nil || again.integers() == integers), "what was written reads back differently")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "what was read cannot be written and read: \(error)")
    }
    // Little-endian and in C order, the elements are the file's last bytes as they stand.
    if array.type != .float64, !array.isConverted {
        var written: [UInt8] = []
        switch array.type {
        case .float32: array.floats.withUnsafeBytes { written = Array($0) }
        case .uint8: written = array.bytes ?? []
        case .int32: (integers ?? []).map(Int32.init).withUnsafeBytes { written = Array($0) }
        default: (integers ?? []).withUnsafeBytes { written = Array($0) }
        }
        try require(written[...] == bytes.suffix(payload), "the elements read are not the file's")
    }
    return true
}
