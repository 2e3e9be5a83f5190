extension MaxPoolBackward {
    package func compute(on backend: CPUBackend) {
        let (outputGradient, inputGradient) = (backend.pointer(outputGradient), backend.pointer(inputGradient))
        let winners = backend.pointer(winners)
        backend.eachPlane(of: shape) { before, after in
            backend.loops.poolLargestBackward(
                shape.windows, outputGradient: outputGradient + after, winners: winners + after,
                into: inputGradient + before)
        }
    }
}
