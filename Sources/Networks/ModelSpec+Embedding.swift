extension ModelSpec {
    /// Whether it is trained to reconstruct its input, by the mean squared error, instead of telling classes apart: its last
    /// layer is `linear: inputs`.
    package var isAutoencoder: Bool { layers.last == .linear(.inputs) }

    /// What keeps a model from telling classes apart, as a sentence; nil for a classifier.
    package var noClassifier: String? {
        guard isAutoencoder else { return nil }
        return "\(name) reconstructs its input and predicts no classes; train it with coppice embed --with"
    }

    /// Where the values lie that embed a sample: how many layers give them, and their number. Of an autoencoder, its code:
    /// what the narrowest linear layer gives. Of a classifier, what its last layer takes.
    /// - Throws: ``NetworkError/invalid(reason:)`` for a model without such a layer, and for one with two that are as narrow.
    package func embeddingLayer() throws(NetworkError) -> (layers: Int, size: Int) {
        let linear = layers.indices.compactMap { index -> (index: Int, size: Int)? in
            guard case .linear(.count(let size)) = layers[index], index < layers.count - 1 else { return nil }
            return (index, size)
        }
        guard isAutoencoder else {
            // Between the two, activations and batch norm keep the number of values.
            guard case .linear = layers.last, let last = linear.last,
                layers[(last.index + 1)..<(layers.count - 1)].allSatisfy({ [.relu, .tanh, .batchNorm].contains($0) })
            else {
                throw .invalid(
                    reason: "\(name) has no linear layer before its last one, whose values could embed a sample")
            }
            return (layers.count - 1, last.size)
        }
        guard let code = linear.min(by: { $0.size < $1.size }) else {
            throw .invalid(
                reason: "\(name) has no code: a linear layer of a number of values before the last one is needed")
        }
        if let other = linear.last(where: { $0.size == code.size }), other.index != code.index {
            throw .invalid(
                reason: "the code of \(name) is ambiguous: layers \(code.index + 1) and \(other.index + 1) both have "
                    + "\(code.size) values; exactly one linear layer must be narrowest")
        }
        return (code.index + 1, code.size)
    }
}
