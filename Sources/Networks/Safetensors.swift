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

    /// Headers longer than this are refused, as the format's own readers do.
    private static let longestHeader = 100_000_000

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
        guard bytes.count >= 8 else { throw .badWeights(reason: "\(path) is too short for a safetensors header") }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        guard length <= UInt64(min(bytes.count - 8, longestHeader)) else {
            throw .badWeights(reason: "\(path) is not a safetensors file, or truncated: header of \(length) bytes")
        }
        let start = 8 + Int(length)
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes[8..<start])),
            let header = object as? [String: Any]
        else { throw .badWeights(reason: "\(path) has no JSON header: it is not a safetensors file") }
        var contents = Contents(tensors: [:], metadata: [:])
        var entries: [Entry] = []
        for (name, value) in header {
            if name == "__metadata__" {
                guard let metadata = value as? [String: String] else {
                    throw .badWeights(
                        reason: "the __metadata__ of \(path) is not what the format asks for, names with texts")
                }
                contents.metadata = metadata
            } else {
                entries.append(try Entry(name, value, path: path))
            }
        }
        // The format's own rule: together the tensors are the whole of what follows, in order, with no gap and nothing
        // twice. It keeps memory within the file's own length.
        entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
        var end = 0
        for entry in entries {
            guard entry.begin == end else {
                throw .badWeights(
                    reason:
                        "tensor \(excerpt(entry.name)) of \(path) starts at byte \(entry.begin), where \(end) is its place"
                )
            }
            end = entry.end
        }
        guard start + end == bytes.count else {
            throw .badWeights(
                reason:
                    "\(path) is truncated or oversized: its tensors have \(end) bytes, and \(bytes.count - start) are there"
            )
        }
        for entry in entries {
            contents.found[entry.name] = Found(type: entry.type, shape: entry.shape)
            contents.tensors[entry.name] = try entry.tensor(
                bytes[(start + entry.begin)..<(start + entry.end)], path: path)
        }
        return contents
    }

    /// What a header says of one tensor.
    private struct Entry {
        let name: String
        let type: String
        let shape: [Int]
        /// Bytes after the header.
        let begin, end: Int

        init(_ name: String, _ value: Any, path: String) throws(NetworkError) {
            guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
                let shape = fields["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }),
                let offsets = fields["data_offsets"] as? [Int], offsets.count == 2, offsets[0] >= 0,
                offsets[1] >= offsets[0], offsets[1] < Int.max / 2
            else { throw .badWeights(reason: "tensor \(excerpt(name)) of \(path) is described wrongly") }
            (self.name, self.type, self.shape, begin, end) = (name, type, shape, offsets[0], offsets[1])
        }

        /// The values in `bytes`, or nil for a type that is passed over.
        func tensor(_ bytes: ArraySlice<UInt8>, path: String) throws(NetworkError) -> Tensor? {
            guard let width = Safetensors.widths[type] else { return nil }
            var count = 1
            var isPossible = true
            for extent in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: extent)
                isPossible = isPossible && !overflow
                count = product
            }
            guard isPossible, bytes.count % width == 0, count == bytes.count / width else {
                throw .badWeights(
                    reason:
                        "tensor \(excerpt(name)) of \(path) has \(bytes.count) bytes for shape \(excerpt("\(shape)"))")
            }
            func bits<Bits: FixedWidthInteger>(_ raw: UnsafeRawBufferPointer, _ index: Int, _: Bits.Type) -> Bits {
                Bits(littleEndian: raw.loadUnaligned(fromByteOffset: width * index, as: Bits.self))
            }
            let values: [Float] = bytes.withUnsafeBytes { raw in
                (0..<count).map { index in
                    switch type {
                    case "F16": Float(halfBits: bits(raw, index, UInt16.self))
                    case "BF16": Float(bitPattern: UInt32(bits(raw, index, UInt16.self)) << 16)
                    case "F64": Float(Double(bitPattern: bits(raw, index, UInt64.self)))
                    default: Float(bitPattern: bits(raw, index, UInt32.self))
                    }
                }
            }
            return Tensor(shape: shape, values: values)
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
