extension LinearWeightGradients {
    package func compute(on backend: CPUBackend) {
        backend.linearWeightGradient(
            shape, input: input, transposedOutputGradient: transposedDelta, gradients: gradients.whole(weights))
        guard !trainsBiases else { return }
        for replica in 0..<shape.batch.replicas {
            let biases =
                backend.pointer(gradients.whole(weights), replica: replica, slice: 0) + shape.inputs
                * shape.outputStride
            biases.update(repeating: 0, count: shape.outputStride)
        }
    }
}
