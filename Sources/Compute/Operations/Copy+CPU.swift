extension Copy {
    package func compute(on backend: CPUBackend) {
        let (from, to) = (backend.pointer(source), backend.pointer(target))
        let piece = 1 << 20
        backend.parallel((count + piece - 1) / piece) { index in
            let start = index * piece
            (to + start).update(from: from + start, count: min(piece, count - start))
        }
    }
}
