import Foundation
import Support

/// An element that can be written to a .npy file.
package protocol NumPyElement: BitwiseCopyable, Sendable {
    /// The element's type in the file's header.
    static var numPyType: ValueType { get }
}

extension Float: NumPyElement { package static var numPyType: ValueType { .float32 } }
extension Double: NumPyElement { package static var numPyType: ValueType { .float64 } }
extension UInt8: NumPyElement { package static var numPyType: ValueType { .uint8 } }
extension Int32: NumPyElement { package static var numPyType: ValueType { .int32 } }
extension Int64: NumPyElement { package static var numPyType: ValueType { .int64 } }

/// An array read from a .npy file (format versions 1 to 3), in C order: the last dimension runs fastest.
package struct NumPyArray: Sendable {
    /// The dimensions, slowest first; none for a single value.
    package let shape: [Int]
    /// The type of the elements; float32 where the file has float16, int32 where it has int8 or int16.
    package let type: ValueType
    /// Whether the file has the elements in another form: of fewer bytes, or big-endian.
    package let isConverted: Bool
    /// The file, as errors name it.
    package let path: String
    private let storage: Storage

    private enum Storage: Sendable {
        case float32([Float])
        case float64([Double])
        case uint8([UInt8])
        case int32([Int32])
        case int64([Int64])

        var type: ValueType {
            switch self {
            case .float32: .float32
            case .float64: .float64
            case .uint8: .uint8
            case .int32: .int32
            case .int64: .int64
            }
        }
    }

    /// How many elements there are.
    package var count: Int {
        switch storage {
        case .float32(let values): values.count
        case .float64(let values): values.count
        case .uint8(let values): values.count
        case .int32(let values): values.count
        case .int64(let values): values.count
        }
    }

    /// The elements as 32-bit floats, rounded where they have more digits; those of a float32 file are not copied.
    package var floats: [Float] {
        switch storage {
        case .float32(let values): values
        case .float64(let values): values.map { Float($0) }
        case .uint8(let values): values.map { Float($0) }
        case .int32(let values): values.map { Float($0) }
        case .int64(let values): values.map { Float($0) }
        }
    }

    /// The elements in double precision; those of an int64 file are rounded beyond 2^53.
    package var doubles: [Double] {
        switch storage {
        case .float32(let values): values.map { Double($0) }
        case .float64(let values): values
        case .uint8(let values): values.map { Double($0) }
        case .int32(let values): values.map { Double($0) }
        case .int64(let values): values.map { Double($0) }
        }
    }

    /// The elements as whole numbers.
    /// - Throws: ``DatasetError/unsupported(file:reason:)`` when the file holds floats.
    package func integers() throws(DatasetError) -> [Int64] {
        switch storage {
        case .uint8(let values): return values.map { Int64($0) }
        case .int32(let values): return values.map { Int64($0) }
        case .int64(let values): return values
        case .float32, .float64:
            throw .unsupported(file: path, reason: "holds floats (\(type)) where whole numbers are needed")
        }
    }

    /// The elements as they are in a uint8 file, else nil.
    package var bytes: [UInt8]? {
        if case .uint8(let values) = storage { values } else { nil }
    }

    /// Reads a file whole. Memory follows the file's length, which is held against its header first.
    /// - Throws: ``DatasetError`` `.file`; `.malformed` when it is no .npy file; `.unsupported` for other types,
    ///   and Fortran order; `.truncated` and `.oversized`.
    package static func read(_ path: String) throws(DatasetError) -> NumPyArray {
        let reader = try ByteReader(path: path, decompresses: false)
        let header = try NumPyHeader(reader)
        guard !header.isFortranOrder else {
            throw .unsupported(
                file: path, reason: "it is in Fortran order; save numpy.ascontiguousarray(array) instead")
        }
        let count = try header.check(reader)
        let storage = try storage(header, count: count, from: reader)
        let array = NumPyArray(
            shape: header.shape, type: storage.type, isConverted: header.isBigEndian || storage.type != header.type,
            path: path, storage: storage)
        guard array.count == count else {
            throw .truncated(
                file: path, expected: reader.fileSize,
                found: header.byteCount + array.count * header.type.byteCount)
        }
        return array
    }

    /// Reads only the elements `rows` of a one-dimensional file, for a process that needs a part of it.
    /// - Throws: as ``read(_:)``; ``DatasetError/malformed(file:reason:)`` for another number of dimensions, or if rows are out
    ///   of range.
    package static func read(_ path: String, rows: Range<Int>) throws(DatasetError) -> NumPyArray {
        let file = try OpenFile(path)
        let whole = FilePart(file)
        let header = try NumPyHeader(whole)
        try header.check(whole)
        guard header.shape.count == 1 else {
            throw .malformed(file: path, reason: "its shape is \(header.shape); one dimension is needed")
        }
        guard rows.lowerBound >= 0, rows.upperBound <= header.shape[0] else {
            throw .malformed(
                file: path,
                reason: "it has \(header.shape[0]) elements; those from \(rows.lowerBound) to "
                    + "\(rows.upperBound - 1) are needed")
        }
        let size = header.type.byteCount
        let part = FilePart(
            file, header.byteCount + rows.lowerBound * size..<header.byteCount + rows.upperBound * size, path: path)
        let storage = try storage(header, count: rows.count, from: part)
        try file.checkUnchanged()
        return NumPyArray(
            shape: [rows.count], type: storage.type, isConverted: header.isBigEndian || storage.type != header.type,
            path: path, storage: storage)
    }

    private static func storage(
        _ header: NumPyHeader, count: Int, from reader: some ByteStream
    ) throws(DatasetError) -> Storage {
        switch header.type {
        case .float16: .float32(try bits(UInt16.self, header, count: count, from: reader).map { Float(halfBits: $0) })
        case .bfloat16:
            .float32(
                try bits(UInt16.self, header, count: count, from: reader).map { Float(bitPattern: UInt32($0) << 16) })
        case .float32 where !header.isBigEndian: .float32(try reader.readElements(of: Float.self, count: count))
        case .float32:
            .float32(try bits(UInt32.self, header, count: count, from: reader).map { Float(bitPattern: $0) })
        case .float64 where !header.isBigEndian: .float64(try reader.readElements(of: Double.self, count: count))
        case .float64:
            .float64(try bits(UInt64.self, header, count: count, from: reader).map { Double(bitPattern: $0) })
        case .int8: .int32(try bits(Int8.self, header, count: count, from: reader).map { Int32($0) })
        case .uint8: .uint8(try bits(UInt8.self, header, count: count, from: reader))
        case .int16: .int32(try bits(Int16.self, header, count: count, from: reader).map { Int32($0) })
        case .int32: .int32(try bits(Int32.self, header, count: count, from: reader))
        case .int64: .int64(try bits(Int64.self, header, count: count, from: reader))
        }
    }

    /// Elements whose bytes are turned round where the file is big-endian.
    private static func bits<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ type: Bits.Type, _ header: NumPyHeader, count: Int, from reader: some ByteStream
    ) throws(DatasetError) -> [Bits] {
        var elements = try reader.readElements(of: type, count: count)
        if header.isBigEndian {
            for index in elements.indices { elements[index] = elements[index].byteSwapped }
        }
        return elements
    }
}

/// Writing of .npy files.
package enum NumPy {
    /// Writes `values` in C order as format version 1, whole or not at all.
    /// - Parameter shape: dimensions, slowest first; their product is the number of values.
    /// - Throws: ``DatasetError`` `.malformed` when the shape does not fit, `.file`.
    package static func write<Element: NumPyElement>(_ values: [Element], shape: [Int], to path: String)
        throws(DatasetError)
    {
        guard product(shape) == values.count else {
            throw .malformed(file: path, reason: "\(values.count) values do not have the shape \(shape)")
        }
        guard let header = NumPyHeader.bytes(type: Element.numPyType, shape: shape) else {
            throw .malformed(file: path, reason: "a shape of \(shape.count) dimensions is beyond the format")
        }
        try inFiles { () throws(FileError) in try AtomicFile.write(header: header, elements: values, to: path) }
    }
}
