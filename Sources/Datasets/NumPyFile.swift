/// What a .npy file holds, by its header.
package struct NumPyFile: Sendable {
    /// The dimensions, slowest first; none for a single value.
    package let shape: [Int]
    /// The type of the elements.
    package let type: ValueType
    /// The file, as errors name it.
    package let path: String

    /// Opens `path`, reads its header and holds the file's size against it.
    /// - Throws: what ``NumPyArray/read(_:)`` throws.
    package init(_ path: String) throws(DatasetError) {
        let part = FilePart(try OpenFile(path))
        let header = try NumPyHeader(part)
        try header.check(part)
        shape = header.shape
        type = header.type
        self.path = path
    }
}
