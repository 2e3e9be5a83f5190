extension ModelSpec {
    /// True if the model is trained to reconstruct its input, with the mean squared error as loss, instead of to
    /// predict classes: its last layer is `linear: inputs`.
    package var isAutoencoder: Bool { layers.last == .linear(.inputs) }

    /// The reason why the model cannot be used as a classifier, as a sentence; nil for a classifier.
    package var noClassifier: String? {
        guard isAutoencoder else { return nil }
        return "\(name) reconstructs its input and predicts no classes; use it with coppice embed --with, or as the "
            + "embedding of a study"
    }

    /// The reason why the model cannot be used as an autoencoder, as a sentence, and the index of the layer whose fault it
    /// is; nil for an autoencoder.
    package var noAutoencoder: (reason: String, layer: Int)? {
        guard !isAutoencoder, let last = layers.last else { return nil }
        if let index = layers.lastIndex(of: .linear(.inputs)) {
            return (
                "layer \(index + 2) of \(name) (\(layers[index + 1])) comes after linear: inputs, which must be the last "
                    + "layer of an autoencoder; leave it out, or put it before", index + 1
            )
        }
        return (
            "\(name) is a classifier: its last layer, layer \(layers.count), is \(last.yaml), and that of an autoencoder "
                + "is linear: inputs", layers.count - 1
        )
    }

    /// The library's autoencoder with a code of the size that a file's tensors have; the model itself if it is another one,
    /// or if they have none.
    func sized(as tensors: [String: Tensor]) -> ModelSpec {
        guard let code = try? embeddingLayer(), self == ModelLibrary.autoencoder(size: code.size),
            let shape = tensors["\(module(code.layers - 1)).weight"]?.shape, shape.count == 2,
            (1...ModelLibrary.widestCode).contains(shape[0])
        else { return self }
        return ModelLibrary.autoencoder(size: shape[0])
    }

    /// The number of layers up to the embedding, and its size. For an autoencoder the embedding is its code, the output
    /// of the narrowest linear layer; for a classifier it is the input of the last layer.
    /// - Throws: ``NetworkError/invalid(reason:)`` for a model without such a layer, or with two equally narrow ones.
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
                    reason: "\(name) has no linear layer before its last one, whose values could embed a sample",
                    layer: layers.count - 1)
            }
            return (layers.count - 1, last.size)
        }
        guard let code = linear.min(by: { $0.size < $1.size }) else {
            throw .invalid(
                reason: "\(name) has no code: a linear layer of a number of values before the last one is needed",
                layer: layers.count - 1)
        }
        if let other = linear.last(where: { $0.size == code.size }), other.index != code.index {
            throw .invalid(
                reason: "the code of \(name) is ambiguous: layers \(code.index + 1) and \(other.index + 1) both have "
                    + "\(code.size) values; exactly one linear layer must be narrowest", layer: other.index)
        }
        return (code.index + 1, code.size)
    }
}
