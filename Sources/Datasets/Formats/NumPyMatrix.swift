/// A .npy file of two dimensions: samples and their features.
struct NumPyMatrix: MatrixFormat {
    var refusal: String { NumPyEntries.refusal }

    func recognises(_ path: String) -> Bool {
        guard let reader = try? ByteReader(path: path, decompresses: false) else { return false }
        return (try? reader.read(upTo: 8)).map(NumPyEntries.isStart) ?? false
    }

    /// - Throws: what ``NumPyFile/init(_:)`` throws, and `.malformed` for other dimensions.
    func open(_ path: String) throws(DatasetError) -> SampleSet {
        let file = try NumPyFile(path)
        func malformed(_ needed: String) -> DatasetError {
            .malformed(file: path, reason: "its shape is \(file.shape); \(needed)")
        }
        guard file.shape.count == 2 else { throw malformed("two dimensions are needed, samples and their features") }
        guard file.shape.allSatisfy({ $0 > 0 }) else { throw malformed("a sample and a feature at least are needed") }
        return SampleSet(valid: .stored(file), count: file.shape[0], shape: .vector(file.shape[1]))
    }
}
