import Foundation
import Support

/// A tensor of two dimensions in a safetensors file: FILE.safetensors:NAME.
struct SafetensorsMatrix: MatrixFormat {
    var accepted: String { "FILE.safetensors:NAME" }

    func recognises(_ path: String) -> Bool {
        ArrayName(path, ending: ".safetensors") != nil || path.hasSuffix(".safetensors")
    }

    func files(_ path: String) -> [String] { [ArrayName(path, ending: ".safetensors")?.file ?? path] }

    /// - Throws: ``DatasetError``: the file's faults; `.malformed` where there is no tensor of that name, `.unsupported` for
    ///   one of another type.
    func open(_ path: String) throws(DatasetError) -> OpenedMatrix {
        let wanted = ArrayName(path, ending: ".safetensors")
        let file = try OpenFile(wanted?.file ?? path)
        let header = try SafetensorsHeader(size: file.size, path: file.path) { range throws(DatasetError) in
            try file.bytes(at: range.lowerBound, count: range.count)
        }
        let names = header.entries.map(\.name)
        guard let wanted else {
            throw .malformed(file: path, reason: "it holds \(ArrayName.list(names)); name one as \(path):NAME")
        }
        guard let entry = header.entries.first(where: { $0.name == wanted.array }) else {
            throw .malformed(
                file: wanted.file,
                reason: "there is no \(excerpt(wanted.array)) in it; it holds \(ArrayName.list(names))")
        }
        let name = "\(wanted.file):\(excerpt(wanted.array))"
        let types: [String: ValueType] = [
            "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64, "I8": .int8, "U8": .uint8,
            "I16": .int16, "I32": .int32, "I64": .int64,
        ]
        guard let type = types[entry.type] else {
            throw .unsupported(
                file: name,
                reason: "elements of type \(excerpt(entry.type, longest: 8)) are not read; "
                    + "\(types.keys.sorted().joined(separator: ", ")) are")
        }
        _ = try entry.count(width: type.byteCount, path: name)
        return OpenedMatrix(
            values: try MatrixFile(
                in: file, at: header.byteCount + entry.range.lowerBound, name: name, shape: entry.shape, type: type))
    }
}
