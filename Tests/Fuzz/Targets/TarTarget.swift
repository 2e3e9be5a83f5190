import Datasets

/// Archives, as they are and through gzip: compression changes nothing about what is read.
func acceptsTar(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input"
    try put(bytes, at: path)
    let outcome = try readTar(path)
    if !bytes.starts(with: [0x1f, 0x8b]) {
        if case .success(let files) = outcome {
            try require(files.reduce(0) { $0 + $1.contents.count } <= bytes.count, "more than the archive holds")
        }
        let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } % (bytes.count + 1)
        try putCompressed([bytes[..<cut], bytes[cut...]], at: path)
        let compressed = try readTar(path)
        try require(compressed == outcome, "\(outcome), but \(compressed) through gzip in two members, cut at \(cut)")
    }
    if case .success = outcome { return true }
    return false
}

private struct UnpackedFile: Equatable {
    let entry: TarReader.Entry
    let contents: [UInt8]
}

/// Every file, of which the contents of each second one are read.
private func readTar(_ path: String) throws(Violation) -> Result<[UnpackedFile], DatasetError> {
    let outcome = Result { () throws(DatasetError) in
        let reader = try TarReader(path)
        var files: [UnpackedFile] = []
        while let entry = try reader.next() {
            var contents: [UInt8] = []
            while files.count % 2 == 0 {
                let piece = try nextPiece(reader)
                if piece.isEmpty { break }
                contents += piece
            }
            files.append(UnpackedFile(entry: entry, contents: contents))
        }
        return files
    }
    switch outcome {
    case .success(let files):
        for (index, file) in files.enumerated() {
            let parts = file.entry.path.split(separator: "/", omittingEmptySubsequences: false)
            try require(!parts.contains("..") && !parts.contains(""), "a path that leads elsewhere: \(file.entry.path)")
            try require(
                index % 2 == 1 || file.contents.count == file.entry.byteCount,
                "\(file.contents.count) bytes of \(file.entry.byteCount)")
        }
    case .failure(let error): try requireSentence(error.description, mentions: path, error.category)
    }
    return outcome
}

private func nextPiece(_ reader: TarReader) throws(DatasetError) -> [UInt8] {
    var failure: DatasetError?
    let piece = [UInt8](unsafeUninitializedCapacity: 1000) { buffer, count in
        do throws(DatasetError) {
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer))
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return piece
}
