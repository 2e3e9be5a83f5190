extension AvgPoolForward {
    package func compute(on backend: CPUBackend) {
        let (input, output) = (backend.pointer(input), backend.pointer(output))
        backend.eachPlane(of: shape) { before, after in
            backend.loops.poolMean(shape.windows, input + before, into: output + after)
        }
    }
}
