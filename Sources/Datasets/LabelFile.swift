import Support

/// The classes of samples, as a file says them: a .npy file of whole numbers, an IDX file, or text with a label per line.
package struct LabelFile: Sendable {
    /// The class of each sample, from 0 to 255: [sample].
    package let labels: [UInt8]
    /// The names of the classes, where the file has words: [class].
    package let names: [String]
    /// What to tell whoever named the file, a sentence without its full stop.
    package let note: String?

    /// Reads a file, whose contents decide on the format. IDX and text may be gzipped.
    /// - Throws: ``DatasetError``: `.file`, the faults of the format, and `.malformed` for a label that is none, with its
    ///   line or position.
    package static func read(_ path: String) throws(DatasetError) -> LabelFile {
        let start = try ByteReader(path: path).read(upTo: 8)
        if NumPyEntries.isStart(start) { return LabelFile(labels: try numbers(path), names: [], note: nil) }
        // The magic number of an IDX file of bytes; no text begins with a zero.
        if start.starts(with: [0, 0, 8]) {
            return LabelFile(labels: try IDX.read(path, rank: 1).bytes, names: [], note: nil)
        }
        return try TextLabels(path: path).read()
    }

    /// Reads the labels of test samples: their classes are those of the training labels.
    /// - Parameters:
    ///   - training: the labels of the training samples.
    ///   - origin: the file of those.
    /// - Throws: as ``read(_:)``; and ``DatasetError/malformed(file:reason:)`` with its line or position for a label that no
    ///   training label is the same as or, where they are numbers, above.
    package static func read(
        _ path: String, numberedAs training: LabelFile, of origin: String
    ) throws(DatasetError) -> LabelFile {
        let start = try ByteReader(path: path).read(upTo: 8)
        let isText = !NumPyEntries.isStart(start) && !start.starts(with: [0, 0, 8])
        guard training.names.isEmpty else {
            guard isText else {
                throw .malformed(
                    file: path, reason: "it has numbers, and \(origin) has words; test labels need the same words")
            }
            return LabelFile(
                labels: try TextLabels(path: path).read(classes: training.names, of: origin), names: training.names,
                note: nil)
        }
        let file = try read(path)
        guard file.names.isEmpty else {
            throw .malformed(
                file: path, reason: "it has words, and \(origin) has numbers; test labels need the same numbers")
        }
        let highest = training.labels.max() ?? 0
        if let place = file.labels.firstIndex(where: { $0 > highest }) {
            throw .malformed(
                file: path,
                reason: (isText ? "line \(place + 1): " : "")
                    + "label \(file.labels[place])\(isText ? "" : " at position \(place)") is above \(highest), the highest"
                    + " training label (\(origin)); a network cannot learn this class")
        }
        return file
    }

    /// The first of several names, and how many there are besides.
    fileprivate static func shown(_ names: [String]) -> String {
        names.prefix(20).map { excerpt($0) }.joined(separator: ", ")
            + (names.count > 20 ? " and \(names.count - 20) more" : "")
    }

    private static func numbers(_ path: String) throws(DatasetError) -> [UInt8] {
        let array = try NumPyArray.read(path)
        guard array.shape.count == 1 else {
            throw .malformed(file: path, reason: "its shape is \(excerpt("\(array.shape)")); one dimension is needed")
        }
        let numbers = try array.integers()
        if let place = numbers.firstIndex(where: { !(0...255).contains($0) }) {
            throw .malformed(
                file: path,
                reason:
                    "label \(numbers[place]) at position \(place) is outside 0 to 255, the classes that there may be")
        }
        return numbers.map { UInt8($0) }
    }
}

/// Text with a label per line: whole numbers, or words, whose classes are numbered in the order of their bytes.
private struct TextLabels {
    let path: String

    private func wrong(_ line: Int, _ reason: String) -> DatasetError {
        .malformed(file: path, reason: "line \(line + 1): \(reason)")
    }

    func read() throws(DatasetError) -> LabelFile {
        let words = try lines()
        guard let first = words.first else {
            throw .malformed(file: path, reason: "it is empty; a label per line is needed")
        }
        if Int(first) != nil { return LabelFile(labels: try numbers(words), names: [], note: nil) }
        if Double(first) != nil {
            throw wrong(0, "'\(excerpt(first))' is not a whole number; classes are 0 to 255, or words")
        }
        return try named(words)
    }

    /// The classes of words that were numbered before.
    func read(classes: [String], of origin: String) throws(DatasetError) -> [UInt8] {
        let numbers = Dictionary(uniqueKeysWithValues: zip(classes.map { Array($0.utf8) }, UInt8.min...UInt8.max))
        let words = try lines()
        guard !words.isEmpty else {
            throw .malformed(file: path, reason: "it is empty; a label per line is needed")
        }
        var labels: [UInt8] = []
        labels.reserveCapacity(words.count)
        for (line, word) in words.enumerated() {
            guard let label = numbers[Array(word.utf8)] else {
                throw wrong(
                    line, "'\(excerpt(word))' is no class of \(origin), whose labels are \(LabelFile.shown(classes))")
            }
            labels.append(label)
        }
        return labels
    }

    /// The lines, without the blanks around them.
    private func lines() throws(DatasetError) -> [String] {
        let reader = try ByteReader(path: path)
        var bytes = try reader.read(upTo: .max)[...]
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
        guard !bytes.isEmpty else { return [] }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // The end of the last line, and no line of its own.
        if lines.last?.isEmpty == true { lines.removeLast() }
        let blanks: [UInt8] = [0x20, 0x09, 0x0d]
        var words: [String] = []
        words.reserveCapacity(lines.count)
        for (number, line) in lines.enumerated() {
            var word = line.drop { blanks.contains($0) }
            while let last = word.last, blanks.contains(last) { word.removeLast() }
            guard !word.isEmpty else { throw wrong(number, "it is blank; each line has the label of a row") }
            guard let text = String(validating: word, as: UTF8.self), !word.contains(0) else {
                throw wrong(number, "it is not text in UTF-8; .npy files, IDX files and text are accepted")
            }
            words.append(text)
        }
        return words
    }

    private func numbers(_ words: [String]) throws(DatasetError) -> [UInt8] {
        var labels: [UInt8] = []
        labels.reserveCapacity(words.count)
        for (line, word) in words.enumerated() {
            guard let number = Int(word) else {
                throw wrong(line, "'\(excerpt(word))' is not a whole number, as the labels before it are")
            }
            guard let label = UInt8(exactly: number) else {
                throw wrong(line, "label \(number) is outside 0 to 255, the classes that there may be")
            }
            labels.append(label)
        }
        return labels
    }

    private func named(_ words: [String]) throws(DatasetError) -> LabelFile {
        // By their bytes: strings count different bytes for one letter as equal.
        var known: Set<[UInt8]> = []
        for (line, word) in words.enumerated() {
            let isNew = known.insert(Array(word.utf8)).inserted
            guard isNew else { continue }
            guard Double(word) == nil else {
                throw wrong(line, "'\(excerpt(word))' is a number, and the labels before it are words")
            }
            guard known.count <= 256 else {
                throw wrong(line, "'\(excerpt(word))' would be class number 257; at most 256 classes are accepted")
            }
        }
        let sorted = known.sorted { $0.lexicographicallyPrecedes($1) }
        let names = sorted.map { String(decoding: $0, as: UTF8.self) }
        let classes = Dictionary(uniqueKeysWithValues: zip(sorted, UInt8.min...UInt8.max))
        return LabelFile(
            labels: words.map { classes[Array($0.utf8)] ?? 0 }, names: names,
            note: "\(path): the classes are "
                + LabelFile.shown(names.enumerated().map { "\($0) \(excerpt($1, longest: 30))" }))
    }
}
