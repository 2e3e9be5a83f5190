import Datasets
import Foundation
import Support

/// The safetensors format: eight bytes of header length, a JSON header that names each tensor's type, shape and place,
/// then the tensors' bytes (https://github.com/huggingface/safetensors, "Format").
package enum Safetensors {
    /// Tensors and metadata of a file.
    package struct Contents: Equatable, Sendable {
        /// The tensors of F32, F16, BF16 and F64, as 32-bit floats: F64 is rounded, the others are exact.
        package var tensors: [String: Tensor]
        package var metadata: [String: String]
        /// What the file says of each tensor, of those in other types too.
        package var found: [String: Found] = [:]
    }

    /// A tensor's type, by the format's name, and shape.
    package struct Found: Equatable, Sendable, CustomStringConvertible {
        package var type: String
        package var shape: [Int]
        package var description: String { "\(excerpt(type, longest: 8)) \(excerpt("\(shape)"))" }
    }

    /// Bytes per element of the types that are read.
    static let widths = ["F32": 4, "F16": 2, "BF16": 2, "F64": 8]

    /// Reads a file.
    /// - Throws: ``NetworkError/unreadable(path:reason:)`` or ``NetworkError/badWeights(reason:)``.
    package static func read(_ path: String) throws(NetworkError) -> Contents {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            let exists = FileManager.default.fileExists(atPath: path)
            throw .unreadable(path: path, reason: exists ? "it is a folder or may not be read" : "no such file")
        }
        return try parse([UInt8](data), path: path)
    }

    /// Takes the bytes of a file apart; `path` is for error messages.
    package static func parse(_ bytes: [UInt8], path: String) throws(NetworkError) -> Contents {
        do throws(DatasetError) {
            let header = try SafetensorsHeader(size: bytes.count, path: path) { Array(bytes[$0]) }
            var contents = Contents(tensors: [:], metadata: header.metadata)
            for entry in header.entries {
                contents.found[entry.name] = Found(type: entry.type, shape: entry.shape)
                guard let width = widths[entry.type] else { continue }
                let count = try entry.count(width: width, path: path)
                let start = header.byteCount + entry.range.lowerBound
                let values = bytes[start..<start + entry.range.count].withUnsafeBytes {
                    floats($0, type: entry.type, width: width, count: count)
                }
                contents.tensors[entry.name] = Tensor(shape: entry.shape, values: values)
            }
            return contents
        } catch {
            throw .badWeights(reason: error.description)
        }
    }

    /// The values of a tensor of one of the types that are read.
    private static func floats(_ raw: UnsafeRawBufferPointer, type: String, width: Int, count: Int) -> [Float] {
        func bits<Bits: FixedWidthInteger>(_ index: Int, _: Bits.Type) -> Bits {
            Bits(littleEndian: raw.loadUnaligned(fromByteOffset: width * index, as: Bits.self))
        }
        return (0..<count).map { index in
            switch type {
            case "F16": Float(halfBits: bits(index, UInt16.self))
            case "BF16": Float(bitPattern: UInt32(bits(index, UInt16.self)) << 16)
            case "F64": Float(Double(bitPattern: bits(index, UInt64.self)))
            default: Float(bitPattern: bits(index, UInt32.self))
            }
        }
    }

    /// Writes a file through a temporary name, so that it is whole or absent.
    /// - Throws: ``NetworkError/unwritable(path:reason:)``, ``NetworkError/writeFailed(path:reason:)``.
    package static func write(
        _ tensors: [String: Tensor], counters: [String: Int64] = [:], metadata: [String: String], to path: String
    ) throws(NetworkError) {
        var header: [String: Any] = ["__metadata__": metadata]
        var body = Data()
        // The format asks for aligned tensors, so the 8-byte counters come first.
        for name in counters.keys.sorted() {
            header[name] = ["dtype": "I64", "shape": [Int](), "data_offsets": [body.count, body.count + 8]]
            withUnsafeBytes(of: (counters[name] ?? 0).littleEndian) { body.append(contentsOf: $0) }
        }
        for name in tensors.keys.sorted() {
            guard let tensor = tensors[name] else { continue }
            header[name] = [
                "dtype": "F32", "shape": tensor.shape,
                "data_offsets": [body.count, body.count + 4 * tensor.values.count],
            ]
            for value in tensor.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { body.append(contentsOf: $0) }
            }
        }
        var file: [UInt8]
        do {
            var text = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys])
            while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
            var start = Data()
            withUnsafeBytes(of: UInt64(text.count).littleEndian) { start.append(contentsOf: $0) }
            file = [UInt8](start + text + body)
        } catch {
            throw .unwritable(path: path, reason: (error as NSError).localizedDescription)
        }
        do throws(FileError) {
            try AtomicFile.write(file, to: path)
        } catch .cannotCreate(_, let reason) {
            throw .unwritable(path: path, reason: reason)
        } catch {
            throw .writeFailed(path: path, reason: error.description)
        }
    }
}
