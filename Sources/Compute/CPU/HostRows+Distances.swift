extension HostRows {
    /// Queries whose distances to a row are taken together, so that the row is read from memory once.
    private static let queriesAtOnce = 16

    /// Hands `body` the Euclidean distances of each of the first `queries` rows to all rows, [count], on all cores. They are
    /// summed over differences, so that a row's distance to itself and to its copies is exactly 0.
    ///
    /// - Parameter body: takes the number of the query and its distances. It is called once per query, from any thread.
    package func forEachQuery(_ queries: Int, _ body: (Int, UnsafeBufferPointer<Float>) -> Void) {
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return }
            let blocks = (0..<queries).parts(of: Self.queriesAtOnce)
            CPUBackend().parallel(blocks.count) { index in
                let block = blocks[index]
                let memory = Scratch(count: block.count * count)
                withExtendedLifetime(memory) {
                    for row in 0..<count {
                        for (place, query) in block.enumerated() {
                            memory.floats[place * count + row] = Self.squaredDistance(
                                base + query * dimensions, base + row * dimensions, dimensions
                            ).squareRoot()
                        }
                    }
                    for (place, query) in block.enumerated() {
                        body(query, UnsafeBufferPointer(start: memory.floats + place * count, count: count))
                    }
                }
            }
        }
    }
}
