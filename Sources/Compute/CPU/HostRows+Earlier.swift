import Support

extension HostRows {
    /// For every row of each segment the largest product with an earlier row of that segment, and the lowest such row;
    /// for the first ones and for rows of no segment -infinity and -1.
    ///
    /// All pairs of a segment are multiplied in blocks, on all cores; memory is O(count).
    /// - Parameter segments: disjoint ranges of rows.
    /// - Throws: `CancellationError`.
    package func largestProductsWithEarlier(
        within segments: [Range<Int>], cancellation: CancellationFlag = CancellationFlag()
    ) throws -> (products: [Float], rows: [Int32]) {
        var products = [Float](repeating: -.infinity, count: count)
        var rows = [Int32](repeating: -1, count: count)
        // Rows with many before them first, so that no core waits long for the last.
        let tasks = segments.flatMap { segment in segment.parts(of: QueryBlock.most).map { (segment, $0) } }
            .sorted { $0.1.lowerBound - $0.0.lowerBound > $1.1.lowerBound - $1.0.lowerBound }
        let host = CPUBackend()
        values.withUnsafeBufferPointer { values in
            products.withUnsafeMutableBufferPointer { products in
                rows.withUnsafeMutableBufferPointer { rows in
                    guard let base = values.baseAddress, let products = products.baseAddress,
                        let rows = rows.baseAddress
                    else { return }
                    host.parallel(tasks.count) { task in
                        let (segment, queries) = tasks[task]
                        compare(
                            queries, with: segment.lowerBound..<queries.upperBound, base, host.loops, products, rows,
                            cancellation)
                    }
                }
            }
        }
        try cancellation.check()
        return (products, rows)
    }

    private func compare(
        _ queries: Range<Int>, with earlier: Range<Int>, _ base: UnsafePointer<Float>, _ loops: LaneLoops,
        _ products: UnsafeMutablePointer<Float>, _ rows: UnsafeMutablePointer<Int32>, _ cancellation: CancellationFlag
    ) {
        let block = QueryBlock(queries, of: base, dimensions: dimensions, loops: loops)
        let columns = block.tiles * Lanes.scalarCount
        let best = Scratch(count: columns)
        defer { extendLifetime(best) }
        best.floats.update(repeating: -.infinity, count: columns)
        var index = [Int32](repeating: -1, count: columns)
        for panel in earlier.parts(of: QueryBlock.panel) {
            if cancellation.isCancelled { return }
            block.multiply(panel, of: base, start: nil)
            for row in panel where row >= queries.lowerBound {
                // Itself and what comes before it.
                (block.scores + (row - panel.lowerBound) * columns).update(
                    repeating: -.infinity, count: row - queries.lowerBound + 1)
            }
            loops.keepLargest(
                block.scores, rows: panel.count, first: panel.lowerBound, best: best.floats, index: &index)
        }
        for query in queries {
            products[query] = best.floats[query - queries.lowerBound]
            rows[query] = index[query - queries.lowerBound]
        }
    }
}
