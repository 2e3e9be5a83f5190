extension LinearWeightGradients {
    package func compute(on backend: CPUBackend) {
        backend.linearWeightGradient(
            shape, input: input, transposedOutputGradient: transposedDelta, gradients: gradients.whole(weights))
    }
}
