import Foundation
import Support

/// What a reader did with a file that it must not do.
package struct Violation: Error, CustomStringConvertible {
    package let description: String
}

/// A reader of files that may hold anything, and what must be true of it whatever they hold: a file is read, and then
/// what was written from it reads back the same, or it is refused with a typed error that is one readable sentence.
///
/// Fuzzing calls these with files it makes up (tools/sanitize fuzz), and the unit tests with those in Tests/Fuzz/corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case checkpoint, cifar, idx, image, labels, lines, matrix, model, mounts, npy, npz, safetensors, study, tar

    /// Gives a file of these bytes to the reader.
    /// - Parameter folder: where files may be written and written again.
    /// - Returns: whether it was read; false where it was refused.
    /// - Throws: ``Violation`` where what must be true is not.
    package func accepts(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
        switch self {
        case .checkpoint: try acceptsCheckpoint(bytes, folder: folder)
        case .cifar: try acceptsCIFAR(bytes, folder: folder)
        case .idx: try acceptsIDX(bytes, folder: folder)
        case .image: try acceptsImage(bytes, folder: folder)
        case .labels: try acceptsLabels(bytes, folder: folder)
        case .lines: try acceptsLines(bytes, folder: folder)
        case .matrix: try acceptsSafetensorsMatrix(bytes, folder: folder)
        case .model: try acceptsModel(bytes, folder: folder)
        case .mounts: try acceptsMounts(bytes)
        case .npy: try acceptsNumPy(bytes, folder: folder)
        case .npz: try acceptsNPZ(bytes, folder: folder)
        case .safetensors: try acceptsSafetensors(bytes, folder: folder)
        case .study: try acceptsStudy(bytes, folder: folder)
        case .tar: try acceptsTar(bytes, folder: folder)
        }
    }
}

/// Fails with `sentence` unless `condition` holds.
func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(description: sentence()) }
}

/// Checks what a person gets to see: one line, not endless, nothing in it that a terminal obeys, and the
/// right category.
func requireSentence(
    _ text: String, mentions word: String = "", _ category: ErrorCategory?
) throws(Violation) {
    try require(category == .badData, "\(category.map { "\($0)" } ?? "no category"), for: \(text.debugDescription)")
    try require(text.utf8.count < 1000, "a sentence of \(text.utf8.count) bytes: \(text.prefix(300).debugDescription)")
    try require(!text.isEmpty && (word.isEmpty || text.contains(word)), "no word of \(word): \(text.debugDescription)")
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
    try require(isPlain, "control characters: \(text.debugDescription)")
}

/// Puts a file of these bytes where `path` says. What the system refuses is no fault of a reader, but no reason to go on.
func put(_ bytes: [UInt8], at path: String) throws(Violation) {
    do { try Data(bytes).write(to: URL(fileURLWithPath: path)) } catch {
        throw Violation(description: "the scratch file was not written: \(error)")
    }
}
