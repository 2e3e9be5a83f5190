import Foundation

/// A .npy file of two dimensions: samples and their features.
struct NumPyMatrix: MatrixFormat {
    var accepted: String { "a .npy file" }

    func recognises(_ path: String) -> Bool {
        guard let reader = try? ByteReader(path: path, decompresses: false) else { return false }
        return (try? reader.read(upTo: 8)).map(NumPyEntries.isStart) ?? false
    }

    func files(_ path: String) -> [String] { [path] }

    /// - Throws: what ``NumPyArray/read(_:)`` throws, and `.malformed` for other dimensions.
    func open(_ path: String) throws(DatasetError) -> OpenedMatrix {
        let file = try OpenFile(path)
        return OpenedMatrix(values: try MatrixFile(numPy: FilePart(file), in: file, at: 0))
    }
}
