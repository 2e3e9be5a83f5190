import CZlib
import Datasets

/// Files of labels and of images, as they are and through gzip: compression changes nothing about what is read.
func acceptsIDX(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input"
    let isCompressed = bytes.starts(with: [0x1f, 0x8b])
    var accepted = false
    for rank in [1, 3] {
        try put(bytes, at: path)
        let outcome = try readIDX(path, rank: rank)
        if case .success(let array) = outcome {
            accepted = true
            if !isCompressed {
                try require(bytes.count == 4 + 4 * rank + array.bytes.count, "not the whole file was read")
                try require(array.bytes[...] == bytes[(4 + 4 * rank)...], "the bytes read are not the file's")
            }
            let copy = folder + "/copy"
            do { try IDX.write(array.bytes, dimensions: array.dimensions, to: copy) } catch {
                throw Violation(description: "what was read cannot be written: \(error)")
            }
            try require(try readIDX(copy, rank: rank) == outcome, "what was written reads back differently")
        }
        guard !isCompressed else { continue }
        // Two members, cut at a place that depends on the contents, so that every place has its turn.
        let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } % (bytes.count + 1)
        try putCompressed([bytes[..<cut], bytes[cut...]], at: path)
        let compressed = try readIDX(path, rank: rank)
        try require(compressed == outcome, "\(outcome), but \(compressed) through gzip in two members, cut at \(cut)")
    }
    return accepted
}

private func readIDX(_ path: String, rank: Int) throws(Violation) -> Result<IDX, DatasetError> {
    let outcome = Result { () throws(DatasetError) in try IDX.read(path, rank: rank) }
    switch outcome {
    case .success(let array):
        try require(array.dimensions.count == rank, "\(array.dimensions.count) dimensions, not \(rank)")
        try require(array.bytes.count == array.dimensions.reduce(1, *), "\(array.bytes.count): \(array.dimensions)")
    case .failure(let error): try requireSentence(error.description, mentions: path, error.category)
    }
    return outcome
}

/// Puts a gzip file there with a member for each part.
func putCompressed(_ parts: [ArraySlice<UInt8>], at path: String) throws(Violation) {
    for (index, part) in parts.enumerated() {
        let file = gzopen(path, index == 0 ? "wb1" : "ab1")
        let count = part.withUnsafeBytes { gzwrite(file, $0.baseAddress, UInt32($0.count)) }
        let status = gzclose(file)
        try require(Int(count) == part.count && status == Z_OK, "zlib did not write the scratch file")
    }
}
