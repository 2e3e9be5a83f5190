import Support

/// Which samples of a set are kept, as a .npy file says it: indices, or a mask.
///
/// Indices are a list of whole numbers of any integer type, each from 0 to below the set's size, none twice; they keep
/// their order. A mask is a list of booleans, one per sample, and keeps the samples in the set's order. All else is
/// refused, by what it looks like: other programs flatten it and train on something that nobody asked for.
package struct KeptIndices: Equatable, Sendable {
    /// The kept samples: at least one, none twice.
    package let indices: [Int]
    /// Whether the file was a mask.
    package let isMask: Bool

    /// Reads a file.
    /// - Parameters:
    ///   - count: samples of the set.
    ///   - samples: what the set is called in errors: "training images".
    /// - Throws: ``DatasetError`` `.file`, `.truncated`, `.oversized`, `.unsupported`, and `.malformed` for what is
    ///   not indices of the set.
    package static func read(
        _ path: String, count: Int, of samples: String = "training images"
    ) throws(DatasetError) -> KeptIndices {
        try IndexReader(path: path, count: count, samples: samples).read()
    }
}

private struct IndexReader {
    let path: String
    /// Samples of the set.
    let count: Int
    let samples: String

    func read() throws(DatasetError) -> KeptIndices {
        let reader = try ByteReader(path: path, decompresses: false)
        let entries = try NumPyEntries(reader)
        let type = try ElementType(entries.type, path: path)
        _ = try NumPyEntries.check(
            reader, shape: entries.shape, elementSize: type.byteCount, headerSize: entries.byteCount)
        try checkShape(entries.shape)
        let bytes = try reader.readElements(of: UInt8.self, count: entries.shape[0] * type.byteCount)
        guard bytes.count == entries.shape[0] * type.byteCount else {
            throw .truncated(file: path, expected: reader.fileSize, found: entries.byteCount + bytes.count)
        }
        guard !bytes.isEmpty else { throw wrong("it holds no indices; at least one is needed") }
        switch type.kind {
        case .boolean: return try mask(bytes)
        case .float: throw wrong(describeFloats(bytes, type))
        case .signed, .unsigned: return try indices(bytes, type)
        }
    }

    private func wrong(_ reason: String) -> DatasetError { .malformed(file: path, reason: reason) }

    private func checkShape(_ shape: [Int]) throws(DatasetError) {
        if shape.count == 1 { return }
        let needed = "a list of indices has one dimension"
        switch shape.count {
        case 0: throw wrong("it is a single value without a dimension; \(needed), (1,) for one index")
        case 2 where shape[1] == 1:
            throw wrong(
                "its shape (\(shape[0]), 1) is a column, as numpy.argwhere gives it; \(needed): save array[:, 0]")
        case 2 where shape[0] == 1:
            throw wrong("its shape (1, \(shape[1])) is a row; \(needed): save array[0]")
        default:
            let text = excerpt("(" + shape.map(String.init).joined(separator: ", ") + ")")
            throw wrong("its shape is \(text); \(needed)")
        }
    }

    private func mask(_ bytes: [UInt8]) throws(DatasetError) -> KeptIndices {
        guard bytes.count == count else {
            throw wrong(
                "it is a mask of \(bytes.count) elements, and there are \(count) \(samples); one each is needed")
        }
        let kept = bytes.indices.filter { bytes[$0] != 0 }
        guard !kept.isEmpty else { throw wrong("it is a mask that keeps nothing; at least one element must be true") }
        return KeptIndices(indices: kept, isMask: true)
    }

    private func indices(_ bytes: [UInt8], _ type: ElementType) throws(DatasetError) -> KeptIndices {
        let values = type.integers(bytes)
        if let hint = maskHint(values.map(Double.init), type) { throw wrong(hint) }
        let range = "the \(count) \(samples) (0 to \(count - 1))"
        var places = [Int](repeating: -1, count: count)
        var kept: [Int] = []
        kept.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            guard let index = Int(exactly: value), (0..<count).contains(index) else {
                let isFromOne = value == Int128(count) && values.min() == 1
                throw wrong(
                    "index \(value) at position \(place) is outside \(range)"
                        + (isFromOne ? "; these indices count from 1" : ""))
            }
            guard places[index] < 0 else {
                let likeness =
                    values.count == count
                    ? "; one value for each of the \(count) \(samples) looks like labels, not indices" : ""
                throw wrong(
                    "index \(index) at position \(place) is at position \(places[index]) too; list each index once"
                        + likeness)
            }
            places[index] = place
            kept.append(index)
        }
        return KeptIndices(indices: kept, isMask: false)
    }

    /// What an array of zeros and ones is told; nil for any other.
    private func maskHint(_ values: [Double], _ type: ElementType) -> String? {
        // One or two zeros and ones may well be indices.
        guard values.count > 2, values.allSatisfy({ $0 == 0 || $0 == 1 }) else { return nil }
        let size = values.count == count ? "" : " for \(values.count) samples, where there are \(count) \(samples)"
        return
            "it looks like a mask stored as \(type.name)\(size); save array.astype(bool), or numpy.flatnonzero(array)"
    }

    private func describeFloats(_ bytes: [UInt8], _ type: ElementType) -> String {
        let values = type.floats(bytes)
        if let hint = maskHint(values, type) { return hint }
        let areWhole = values.allSatisfy { $0 == $0.rounded() && abs($0) < 0x1p53 }
        return "it holds floats (\(type.name)) where indices are integers"
            + (areWhole ? "; save array.astype('int64')" : ", and not all are whole numbers")
    }
}

/// The types that an index may be mistaken for, and those that it may have.
private struct ElementType {
    enum Kind { case boolean, signed, unsigned, float }
    let kind: Kind
    /// Bytes per element.
    let byteCount: Int
    /// The type as NumPy calls it.
    let name: String

    init(_ descriptor: String, path: String) throws(DatasetError) {
        let kinds: [Character: (Kind, String, [Int])] = [
            "b": (.boolean, "bool", [1]), "i": (.signed, "int", [1, 2, 4, 8]),
            "u": (.unsigned, "uint", [1, 2, 4, 8]), "f": (.float, "float", [2, 4, 8]),
        ]
        let marks = Array(descriptor.prefix(3))
        guard descriptor.count == 3, let (kind, word, sizes) = kinds[marks[1]], let size = marks[2].wholeNumberValue,
            sizes.contains(size), size == 1 || marks[0] == "<"
        else {
            let isForeign = descriptor.count == 3 && marks[0] == ">"
            throw .unsupported(
                file: path,
                reason:
                    "elements of type \(excerpt(descriptor)) are not indices; little-endian integers or a boolean mask are"
                    + " needed" + (isForeign ? ": save array.astype('int64')" : ""))
        }
        self.kind = kind
        byteCount = size
        name = kind == .boolean ? word : "\(word)\(8 * size)"
    }

    private func bits(_ bytes: [UInt8], _ index: Int) -> UInt64 {
        (0..<byteCount).reduce(0) { $0 | UInt64(bytes[index * byteCount + $1]) << (8 * UInt64($1)) }
    }

    func integers(_ bytes: [UInt8]) -> [Int128] {
        let shift = UInt64(64 - 8 * byteCount)
        return (0..<bytes.count / byteCount).map { index in
            let bits = bits(bytes, index)
            return kind == .signed ? Int128(Int64(bitPattern: bits << shift) >> Int64(shift)) : Int128(bits)
        }
    }

    func floats(_ bytes: [UInt8]) -> [Double] {
        (0..<bytes.count / byteCount).map { index in
            let bits = bits(bytes, index)
            return switch byteCount {
            case 2: Double(Float(halfBits: UInt16(bits)))
            case 4: Double(Float(bitPattern: UInt32(bits)))
            default: Double(bitPattern: bits)
            }
        }
    }
}
