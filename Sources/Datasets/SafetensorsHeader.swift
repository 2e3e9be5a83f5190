import Foundation
import Support

/// The header of a file in the safetensors format: eight bytes of length, then JSON that names each tensor's type, shape and
/// place among the bytes that follow (https://github.com/huggingface/safetensors, "Format").
package struct SafetensorsHeader: Sendable {
    /// What the header says of one tensor.
    package struct Entry: Sendable {
        package let name: String
        /// The type, by the format's name.
        package let type: String
        package let shape: [Int]
        /// The tensor's bytes, counted from the end of the header.
        package let range: Range<Int>
    }

    /// The tensors in the order of their bytes.
    package let entries: [Entry]
    package let metadata: [String: String]
    /// Bytes before those of the tensors.
    package let byteCount: Int

    /// Headers longer than this are refused, as the format's own readers do.
    private static let longest = 100_000_000

    /// Reads the header from the front of `bytes`, or as many of them as it takes, which come from `read`.
    /// - Parameters:
    ///   - size: bytes of the whole file.
    ///   - path: the file, as errors name it.
    ///   - read: gives bytes of the file.
    /// - Throws: ``DatasetError/malformed(file:reason:)``, and what `read` throws.
    package init(
        size: Int, path: String, read: (Range<Int>) throws(DatasetError) -> [UInt8]
    ) throws(DatasetError) {
        func malformed(_ reason: String) -> DatasetError { .malformed(file: path, reason: reason) }
        guard size >= 8 else { throw malformed("it is too short for a safetensors header") }
        let length = try read(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(min(size - 8, Self.longest)) else {
            throw malformed("it is not a safetensors file, or truncated: header of \(length) bytes")
        }
        let start = 8 + Int(length)
        guard let object = try? JSONSerialization.jsonObject(with: Data(try read(8..<start))),
            let header = object as? [String: Any]
        else { throw malformed("it has no JSON header: it is not a safetensors file") }
        var entries: [Entry] = []
        var metadata: [String: String] = [:]
        for (name, value) in header {
            if name == "__metadata__" {
                guard let found = value as? [String: String] else {
                    throw malformed("its __metadata__ is not what the format asks for, names with texts")
                }
                metadata = found
            } else {
                guard let entry = Entry(name, value) else {
                    throw malformed("tensor \(excerpt(name)) is described wrongly")
                }
                entries.append(entry)
            }
        }
        // The format's own rule: together the tensors are the whole of what follows, in order, with no gap and nothing
        // twice. It keeps memory within the file's own length.
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = 0
        for entry in entries {
            guard entry.range.lowerBound == end else {
                throw malformed(
                    "tensor \(excerpt(entry.name)) starts at byte \(entry.range.lowerBound), where \(end) is its place")
            }
            end = entry.range.upperBound
        }
        guard start + end == size else {
            throw malformed(
                "it is truncated or oversized: its tensors have \(end) bytes, and \(size - start) are there")
        }
        self.entries = entries
        self.metadata = metadata
        byteCount = start
    }
}

extension SafetensorsHeader.Entry {
    /// Nil where `value` does not describe a tensor.
    fileprivate init?(_ name: String, _ value: Any) {
        guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
            let shape = fields["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }),
            let offsets = fields["data_offsets"] as? [Int], offsets.count == 2, offsets[0] >= 0,
            offsets[1] >= offsets[0], offsets[1] < Int.max / 2
        else { return nil }
        (self.name, self.type, self.shape, range) = (name, type, shape, offsets[0]..<offsets[1])
    }

    /// Holds the tensor's bytes against its shape, of elements of `width` bytes; returns how many elements there are.
    /// - Throws: ``DatasetError/malformed(file:reason:)``.
    package func count(width: Int, path: String) throws(DatasetError) -> Int {
        guard let count = product(shape), let bytes = product([count, width]), bytes == range.count else {
            throw .malformed(
                file: path,
                reason: "tensor \(excerpt(name)) has \(range.count) bytes for shape \(excerpt("\(shape)"))")
        }
        return count
    }
}
