import Datasets
import Foundation

/// Matrices in NumPy's archives: the array X of any archive.
func acceptsNPZ(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.npz"
    try put(bytes, at: path)
    // Deflated, a byte is at most 1,032.
    return try acceptsMatrix(path + ":X", file: path, longest: 1032 * bytes.count)
}

/// Matrices in safetensors files: the tensor X of any file.
func acceptsSafetensorsMatrix(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.safetensors"
    try put(bytes, at: path)
    return try acceptsMatrix(path + ":X", file: path, longest: bytes.count)
}

/// Any matrix: it is as large as its file says, and its rows are the same however they are read.
private func acceptsMatrix(_ name: String, file: String, longest: Int) throws(Violation) -> Bool {
    let values: any StoredValues
    do { values = try Features.open([name]).values } catch {
        try requireSentence(error.description, mentions: file, error.category)
        return false
    }
    let (count, width) = (values.rowCount, values.columnCount)
    try require(count > 0 && width > 0, "\(count) x \(width)")
    try require(values.rowBytes <= longest / count, "\(count) rows of \(values.rowBytes) bytes in \(longest)")
    do {
        let whole = try rows(0..<count, of: values)
        let last = try rows(count - 1..<count, of: values)
        try require(Array(whole.suffix(values.rowBytes)) == last, "the last row differs from itself")
        // One by one, after which those in Fortran order are copied, and from the copy.
        for numbers in [[count - 1], Array(0..<count), [0, count - 1, count - 1]] {
            let expected = numbers.flatMap { whole[$0 * values.rowBytes..<($0 + 1) * values.rowBytes] }
            try require(try rows(numbers, of: values) == expected, "rows by their numbers differ")
        }
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "rows of a matrix that was opened cannot be read: \(error)")
    }
    return true
}

/// The bytes of some rows.
private func rows(_ range: Range<Int>, of values: any StoredValues) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count * values.rowBytes)
    try bytes.withUnsafeMutableBytes { try values.read(range, into: $0) }
    return bytes
}

/// The bytes of the rows of some numbers.
private func rows(_ numbers: [Int], of values: any StoredValues) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: numbers.count * values.rowBytes)
    try bytes.withUnsafeMutableBytes { try values.read(rowsAt: numbers, into: $0) }
    return bytes
}
