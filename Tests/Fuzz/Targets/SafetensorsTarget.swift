import Datasets
import Foundation
import Networks

/// Tensors of any names and shapes, and the LeNet-5 that they may be.
func acceptsSafetensors(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.safetensors"
    let contents: Safetensors.Contents
    do { contents = try Safetensors.parse(bytes, path: path) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    var count = 0
    for (name, tensor) in contents.tensors {
        count += tensor.values.count
        try require(tensor.values.count == tensor.shape.reduce(1, *), "\(name): \(tensor.shape)")
    }
    // Each element stands in the file once, so that memory stays within twice the file's own length.
    try require(2 * count <= bytes.count, "\(count) elements from a file of \(bytes.count) bytes")

    let copy = folder + "/copy.safetensors"
    do {
        try Safetensors.write(contents.tensors, metadata: contents.metadata, to: copy)
        let again = try Safetensors.read(copy)
        try require(
            again.metadata == contents.metadata && bits(again.tensors) == bits(contents.tensors),
            "what was written reads back differently")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "what was read cannot be written and read: \(error)")
    }

    try put(bytes, at: path)
    var isScaling = true
    let network: StoredWeights
    do { network = try ModelWeights.read(path) } catch {
        try requireSentence(error.description, error.category)
        return true
    }
    do {
        let columns = try network.trainedScaling(path: path)?.columns
        isScaling = columns?.allSatisfy { $0.mean.isFinite && $0.std.isFinite && $0.std >= 0 } ?? true
    } catch {
        try requireSentence(error.description, mentions: path, error.category)
    }
    try require(isScaling, "features are scaled by figures that are no numbers")
    do {
        let plain = [ChannelStatistics](
            repeating: ChannelStatistics(mean: 0, std: 1), count: max(1, network.weights.layout.input.channels))
        try network.weights.write(to: copy, normalisation: network.normalisation ?? Normalisation(plain), steps: 1)
        let again = try ModelWeights.read(copy)
        try require(bits(again.weights.tensors) == bits(network.weights.tensors), "the weights read back differently")
        try require(
            network.normalisation == nil || again.normalisation == network.normalisation,
            "the normalisation reads back differently")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "the weights read cannot be written and read: \(error)")
    }
    return true
}

/// Shapes and bit patterns, since a NaN does not equal itself.
private func bits(_ tensors: [String: Tensor]) -> [String: [[Int]]] {
    tensors.mapValues { [$0.shape, $0.values.map { Int($0.bitPattern) }] }
}
