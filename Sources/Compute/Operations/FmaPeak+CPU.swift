extension FmaPeak {
    package func compute(on backend: CPUBackend) {
        let floats = backend.pointer(values)
        backend.parallel(count / Self.unit) { block in
            backend.loops.multiplyAddChains(floats + block * Self.unit, steps: steps)
        }
    }
}
