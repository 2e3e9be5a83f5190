import Datasets
import Foundation
import Pruning
import Support

/// The arrays in a study's directory: artifacts, spectra and selections. What is damaged is read as what is missing.
struct StudyArrays {
    /// The study's directory.
    let directory: String
    /// True to read artifacts of the previous format too, for reports only: new runs must not be mixed with them.
    var readsFormer = false

    /// An artifact and what making it cost.
    struct StoredArtifact {
        var artifact: Artifact
        var seconds: Double
    }

    private struct ArtifactFacts<Key: ArtifactKind>: Codable {
        var key: Key
        var fingerprint: String
        /// Samples.
        var count: Int
        var seconds: Double
        /// SHA-256 of the arrays, in their order: a clustering with a bit turned would select other samples.
        var digest: String
    }

    private struct SpectrumFacts: Codable {
        var fingerprint: String
        var spectrum: PCASpectrum
    }

    // MARK: - Artifacts

    /// The folder of an artifact. One that is kept under its former name stays there.
    func folder(of key: ArtifactKey) -> String { folder(of: key.kind) }

    private func folder(of key: some ArtifactKind) -> String {
        let folder = "\(directory)/\(type(of: key).folder)"
        if let former = key.formerFileName, isStored(key, in: "\(folder)/\(former)") { return "\(folder)/\(former)" }
        return "\(folder)/\(key.fileName)"
    }

    /// Whether an artifact seems to be kept; it may yet be found damaged.
    func isStored(_ key: ArtifactKey) -> Bool { isStored(key.kind, in: folder(of: key)) }

    private func isStored(_ key: some ArtifactKind, in folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(type(of: key).name).json")
    }

    /// The lock of whoever makes an artifact. It makes the artifact's folder.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func lock(of key: ArtifactKey) throws(StudyError) -> FileLock {
        try OutputFile.makeDirectory(folder(of: key))
        return try FileLock(folder(of: key) + "/.lock")
    }

    /// Keeps an artifact of `count` samples in a folder of its own, and the spectrum that came with it beside it; its
    /// description goes last, so that one that has it is whole.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(_ stored: StoredArtifact, for key: ArtifactKey, count: Int, fingerprint: String) throws(StudyError) {
        try store(stored, for: key.kind, count: count, fingerprint: fingerprint)
        guard let spectrum = stored.artifact.spectrum else { return }
        try write(
            SpectrumFacts(fingerprint: fingerprint, spectrum: spectrum),
            to: file(of: key.kind.trainingSet, spectrum.variances.count))
    }

    private func store<Key: ArtifactKind>(
        _ stored: StoredArtifact, for key: Key, count: Int, fingerprint: String
    ) throws(StudyError) {
        let folder = folder(of: key)
        try OutputFile.makeDirectory(folder)
        let fields = stored.artifact.fields
        try OutputFile.writing { () throws(DatasetError) in
            for field in fields {
                let file = "\(folder)/\(field.name).npy"
                let rest = field.values.count / max(1, count)
                let shape = field.shape ?? (rest == 1 ? [count] : [count, rest])
                switch field.values {
                case .int32(let values): try NumPy.write(values, shape: shape, to: file)
                case .float32(let values): try NumPy.write(values, shape: shape, to: file)
                }
            }
        }
        let facts = ArtifactFacts(
            key: key, fingerprint: fingerprint, count: count, seconds: stored.seconds, digest: digest(fields))
        try write(facts, to: "\(folder)/\(Key.name).json", keys: .asWritten)
    }

    /// An artifact that was kept before; nil where there is none that is whole and of these data.
    func artifact(_ key: ArtifactKey, fingerprint: String) -> StoredArtifact? {
        artifact(key.kind, fingerprint: fingerprint)
    }

    private func isRead<Key: ArtifactKind>(_ stored: Key, for key: Key) -> Bool {
        stored == key || (readsFormer && stored == key.former)
    }

    private func artifact<Key: ArtifactKind>(_ key: Key, fingerprint: String) -> StoredArtifact? {
        let folder = folder(of: key)
        guard let facts = read(ArtifactFacts<Key>.self, from: "\(folder)/\(Key.name).json", keys: .asWritten),
            isRead(facts.key, for: key), facts.fingerprint == fingerprint
        else { return nil }
        var fields: [(name: String, values: Artifact.Values)] = []
        var shapes: [[Int]] = []
        for field in key.fields {
            guard let array = try? NumPyArray.read("\(folder)/\(field.name).npy") else { return nil }
            shapes.append(array.shape)
            switch field.element {
            case .int32:
                guard let values = try? array.integers().map(Int32.init(exactly:)) else { return nil }
                fields.append((field.name, .int32(values.compactMap { $0 })))
            case .float32: fields.append((field.name, .float32(array.floats)))
            }
        }
        let artifact = Artifact(fields, shapes: shapes)
        guard key.accepts(artifact, count: facts.count), digest(artifact.fields) == facts.digest else { return nil }
        return StoredArtifact(artifact: artifact, seconds: facts.seconds)
    }

    /// The file that keeps an artifact from being read, and what is wrong with it, as part of a sentence; nil if it can be
    /// read.
    func fault(of key: ArtifactKey, fingerprint: String) -> String? { fault(of: key.kind, fingerprint: fingerprint) }

    private func fault<Key: ArtifactKind>(of key: Key, fingerprint: String) -> String? {
        guard artifact(key, fingerprint: fingerprint) == nil else { return nil }
        let folder = folder(of: key)
        let description = "\(folder)/\(Key.name).json"
        let names = key.fields.map { "\($0.name).npy" }
        let files = names.map { "\(folder)/\($0)" }
        for file in [description] + files where !FileManager.default.fileExists(atPath: file) {
            return "\(file) is gone"
        }
        guard let facts = read(ArtifactFacts<Key>.self, from: description, keys: .asWritten),
            isRead(facts.key, for: key), facts.fingerprint == fingerprint
        else { return "\(description) was changed or damaged" }
        for file in files where (try? NumPyArray.read(file)) == nil {
            return "\(file) is damaged"
        }
        return
            "\(names.count == 1 ? "" : "one of ")\(names.joined(separator: ", ")) in \(folder) is damaged: its checksum"
            + " differs from that in \(Key.name).json"
    }

    /// A spectrum that was kept before; nil where there is none of these data.
    func spectrum(of set: TrainingSet, components: Int, fingerprint: String) -> PCASpectrum? {
        guard let facts = read(SpectrumFacts.self, from: file(of: set, components)),
            facts.fingerprint == fingerprint, facts.spectrum.variances.count == components
        else { return nil }
        return facts.spectrum
    }

    private static let spectra = ClusteringKey.folder

    private func file(of set: TrainingSet, _ components: Int) -> String {
        let seed = set.validation.map { "-seed\($0.seed)" } ?? ""
        return "\(directory)/\(Self.spectra)/\(set.fileName)\(seed)-pca\(components).json"
    }

    // MARK: - Selections

    /// Keeps what a run trains on, as int64: what was selected in rank order, or what was seen in the order of first sight.
    /// - Parameter origins: the indices in the data set of the samples that `samples` counts; nil where they are the same.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(_ samples: [Int], for run: PlannedRun, origins: [Int]?) throws(StudyError) {
        try OutputFile.writing { () throws(DatasetError) in
            let indices = samples.map { Int64(origins?[$0] ?? $0) }
            try NumPy.write(indices, shape: [indices.count], to: file(run))
        }
    }

    /// What a finished run trained on; nil where that is no longer there in whole.
    /// - Parameters:
    ///   - distinct: how many samples it trained on.
    ///   - count: training samples of the data set.
    func selection(of run: PlannedRun, distinct: Int, count: Int) -> [Int]? {
        guard let selection = try? KeptIndices.read(file(run), count: count), !selection.isMask,
            selection.indices.count == distinct
        else { return nil }
        return selection.indices
    }

    /// The file of what a run trains on.
    func file(_ run: PlannedRun) -> String {
        "\(directory)/selections/experiment\(run.experimentID)-run\(run.runID).npy"
    }

    // MARK: - Descriptions

    func read<Facts: Decodable>(_ type: Facts.Type, from file: String, keys: JSON.Keys = .snakeCase) -> Facts? {
        FileManager.default.contents(atPath: file).flatMap { try? JSON.value(type, of: $0, keys: keys) }
    }

    func write(_ facts: some Encodable, to file: String, keys: JSON.Keys = .snakeCase) throws(StudyError) {
        // A variance that is no number has no JSON; without its description the array counts as missing.
        let text = (try? JSON.text(facts, keys: keys, layout: .indented)) ?? "{}"
        try OutputFile.write(text + "\n", to: file)
    }
}

private func digest(_ fields: [Artifact.Field]) -> String {
    var hash = SHA256()
    for field in fields {
        switch field.values {
        case .int32(let values): values.withUnsafeBytes { hash.update($0) }
        case .float32(let values): values.withUnsafeBytes { hash.update($0) }
        }
    }
    return hash.digest
}
