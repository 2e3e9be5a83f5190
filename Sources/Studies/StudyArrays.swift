import Crypto
import Datasets
import Foundation
import Pruning
import Support

/// The variances that a principal component analysis found.
package struct PCASpectrum: Codable, Equatable, Sendable {
    /// Variance along each component, largest first, in squared units of the input.
    package var variances: [Double]
    /// The variance of the whole input in the same units: the sum over all components, those that were not kept too.
    package var totalVariance: Double

    /// A spectrum of these variances.
    package init(variances: [Double], totalVariance: Double) {
        self.variances = variances
        self.totalVariance = totalVariance
    }
}

/// The arrays in a study's directory: clusterings, spectra and selections. What is damaged is read as what is missing.
struct StudyArrays {
    /// The study's directory.
    let directory: String

    /// A clustering and what fitting it cost.
    struct StoredClustering {
        var assignment: ClusterAssignment
        var seconds: Double
    }

    /// `clustering.json`, whose keys are as they are written here.
    private struct ClusteringFacts: Codable {
        var key: ClusteringKey
        var fingerprint: String
        var count: Int
        var seconds: Double
        /// SHA-256 of the labels and of the distances: a clustering with a bit turned would select other samples.
        var digest: String
    }

    private struct SpectrumFacts: Codable {
        var fingerprint: String
        var spectrum: PCASpectrum
    }

    /// The folder of a clustering.
    func folder(of key: ClusteringKey) -> String { "\(directory)/clusterings/\(key.fileName)" }

    /// The lock of whoever fits a clustering. It makes the clustering's folder.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func lock(of key: ClusteringKey) throws(StudyError) -> FileLock {
        try OutputFile.makeDirectory(folder(of: key))
        return try FileLock(folder(of: key) + "/.lock")
    }

    /// Keeps a clustering in a folder of its own; its description goes last, so that one that has it is whole.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(
        _ clustering: StoredClustering, for key: ClusteringKey, fingerprint: String
    ) throws(StudyError) {
        let folder = folder(of: key)
        try OutputFile.makeDirectory(folder)
        let assignment = clustering.assignment
        let facts = ClusteringFacts(
            key: key, fingerprint: fingerprint, count: assignment.labels.count, seconds: clustering.seconds,
            digest: digest(assignment.labels, assignment.squaredDistances))
        try OutputFile.writing { () throws(DatasetError) in
            try NumPy.write(assignment.labels, shape: [assignment.labels.count], to: folder + "/labels.npy")
            try NumPy.write(
                assignment.squaredDistances, shape: [assignment.squaredDistances.count],
                to: folder + "/distances.npy")
        }
        try write(facts, to: folder + "/clustering.json", keys: .asWritten)
    }

    /// A clustering that was kept before; nil where there is none that is whole and of these data.
    func clustering(_ key: ClusteringKey, fingerprint: String) -> StoredClustering? {
        let folder = folder(of: key)
        guard let facts = read(ClusteringFacts.self, from: folder + "/clustering.json", keys: .asWritten),
            facts.key == key,
            facts.fingerprint == fingerprint,
            let labels = try? NumPyArray.read(folder + "/labels.npy").integers(),
            let distances = try? NumPyArray.read(folder + "/distances.npy").floats,
            labels.count == facts.count, distances.count == facts.count,
            labels.allSatisfy({ (0..<Int64(key.k)).contains($0) })
        else { return nil }
        let assignment = ClusterAssignment(labels: labels.map { Int32($0) }, squaredDistances: distances, k: key.k)
        guard digest(assignment.labels, assignment.squaredDistances) == facts.digest else { return nil }
        return StoredClustering(assignment: assignment, seconds: facts.seconds)
    }

    /// Keeps the spectrum of a data set's PCA.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(
        _ spectrum: PCASpectrum, dataset: String, components: Int, fingerprint: String
    ) throws(StudyError) {
        try write(
            SpectrumFacts(fingerprint: fingerprint, spectrum: spectrum), to: file(dataset: dataset, components))
    }

    /// A spectrum that was kept before; nil where there is none of these data.
    func spectrum(dataset: String, components: Int, fingerprint: String) -> PCASpectrum? {
        guard let facts = read(SpectrumFacts.self, from: file(dataset: dataset, components)),
            facts.fingerprint == fingerprint, facts.spectrum.variances.count == components
        else { return nil }
        return facts.spectrum
    }

    /// Gives the clusterings and spectra of one fingerprint another, which the same data have from now on.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func replace(fingerprint old: String, with new: String) throws(StudyError) {
        let folder = directory + "/clusterings"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? [] {
            let spectrum = "\(folder)/\(name)"
            let clustering = "\(folder)/\(name)/clustering.json"
            if name.hasSuffix(".json"), var facts = read(SpectrumFacts.self, from: spectrum), facts.fingerprint == old {
                facts.fingerprint = new
                try write(facts, to: spectrum)
            } else if var facts = read(ClusteringFacts.self, from: clustering, keys: .asWritten),
                facts.fingerprint == old
            {
                facts.fingerprint = new
                try write(facts, to: clustering, keys: .asWritten)
            }
        }
    }

    /// Keeps what a run trains on, as int64 in rank order.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(_ selection: Selection, for run: PlannedRun) throws(StudyError) {
        try OutputFile.writing { () throws(DatasetError) in
            try NumPy.write(selection.indices.map { Int64($0) }, shape: [selection.kept], to: file(run))
        }
    }

    /// What a finished run trained on; nil where that is no longer there in whole.
    /// - Parameter count: samples of the training set.
    func selection(of run: PlannedRun, kept: Int, count: Int) -> [Int]? {
        guard let selection = try? KeptIndices.read(file(run), count: count), !selection.isMask,
            selection.indices.count == kept
        else { return nil }
        return selection.indices
    }

    /// The file of what a run trains on.
    func file(_ run: PlannedRun) -> String {
        "\(directory)/selections/experiment\(run.experimentID)-run\(run.runID).npy"
    }

    private func file(dataset: String, _ components: Int) -> String {
        "\(directory)/clusterings/\(dataset)-pca\(components).json"
    }

    private func read<Facts: Decodable>(_ type: Facts.Type, from file: String, keys: JSON.Keys = .snakeCase) -> Facts? {
        FileManager.default.contents(atPath: file).flatMap { try? JSON.value(type, of: $0, keys: keys) }
    }

    private func write(_ facts: some Encodable, to file: String, keys: JSON.Keys = .snakeCase) throws(StudyError) {
        // A variance that is no number has no JSON; without its description the array counts as missing.
        let text = (try? JSON.text(facts, keys: keys, layout: .indented)) ?? "{}"
        try OutputFile.write(text + "\n", to: file)
    }
}

private func digest(_ labels: [Int32], _ distances: [Float]) -> String {
    var hash = SHA256()
    labels.withUnsafeBytes { hash.update(bufferPointer: $0) }
    distances.withUnsafeBytes { hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
}
