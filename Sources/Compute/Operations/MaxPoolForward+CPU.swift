extension MaxPoolForward {
    package func compute(on backend: CPUBackend) {
        let (input, output, winners) = (backend.pointer(input), backend.pointer(output), backend.pointer(winners))
        backend.eachPlane(of: shape) { before, after in
            backend.loops.poolLargest(
                shape.windows, input + before, into: output + after, winners: winners + after)
        }
    }
}
