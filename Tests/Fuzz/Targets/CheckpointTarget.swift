import Clustering
import Foundation
import Ranks

/// Checkpoints of clusterings.
func acceptsCheckpoint(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.checkpoint"
    try put(bytes, at: path)
    let found: KMeansCheckpoint
    do {
        guard let checkpoint = try KMeansCheckpoint.read(path) else {
            throw Violation(description: "a file that is there was not found")
        }
        found = checkpoint
    } catch let violation as Violation {
        throw violation
    } catch {
        try requireSentence("\(error)", mentions: path, (error as? CheckpointError)?.category)
        return false
    }
    let elements = found.state.centroids.count
    try require(elements == found.k * found.dimensions, "\(elements) numbers for k \(found.k)")
    try require(found.state.iterations > 0, "\(found.state.iterations) iterations")
    do { try found.check(against: found.key, k: found.k, dimensions: found.dimensions, file: path) } catch {
        throw Violation(description: "it is not of its own clustering: \(error)")
    }
    do {
        try found.check(against: [Agreement("seed", "of another")], k: found.k, dimensions: 1, file: path)
        try require(found.key.isEmpty || found.key == [Agreement("seed", "of another")], "another key was taken")
    } catch let error as CheckpointError {
        try requireSentence(error.description, mentions: path, error.category)
    } catch {
        throw Violation(description: "\(error)")
    }
    let copy = folder + "/copy.checkpoint"
    do {
        try found.write(to: copy)
        let again = try KMeansCheckpoint.read(copy)
        try require(again == found, "what was written reads back differently")
        let copied = try [UInt8](Data(contentsOf: URL(fileURLWithPath: copy)))
        try require(copied == bytes, "the same checkpoint has other bytes")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "what was read cannot be written and read: \(error)")
    }
    return true
}
