import Support

extension NumPy {
    /// Writes `values` as ``write(_:shape:to:)`` does, to a file that takes its place when it is told to.
    /// - Throws: ``DatasetError`` `.malformed` when the shape does not fit, `.file`.
    package static func stage<Element: NumPyElement>(_ values: [Element], shape: [Int], to path: String)
        throws(DatasetError) -> StagedFile
    {
        guard product(shape) == values.count, let header = NumPyHeader.bytes(type: Element.numPyType, shape: shape)
        else {
            throw .malformed(file: path, reason: "\(values.count) values do not have the shape \(shape)")
        }
        return try inFiles { () throws(FileError) in
            let file = try StagedFile(path)
            try file.write(header)
            let outcome = values.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.write(bytes) } }
            try outcome.get()
            try file.seal()
            return file
        }
    }
}
