extension AvgPoolBackward {
    package func compute(on backend: CPUBackend) {
        let (outputGradient, inputGradient) = (backend.pointer(outputGradient), backend.pointer(inputGradient))
        backend.eachPlane(of: shape) { before, after in
            backend.loops.poolMeanBackward(
                shape.windows, outputGradient: outputGradient + after, into: inputGradient + before)
        }
    }
}
