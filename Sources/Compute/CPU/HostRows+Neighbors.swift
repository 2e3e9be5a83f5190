import Support

/// The nearest rows of each of some rows.
package struct Neighbors: Sendable {
    /// Room per row.
    package let room: Int
    /// The neighbours of each row, nearest first, [rows][room]; -1 beyond the last one.
    package let indices: [Int32]
    /// Their squared distances; infinite beyond the last one.
    package let squares: [Float]
}

extension HostRows {
    /// The `wanted` nearest other rows of every row, among those of its segment, nearest first, ties to the lower row.
    ///
    /// All pairs are compared by products of float32, of which no more than the best are kept: memory is O(count x
    /// wanted). Some more than are wanted are kept, and their distances are summed directly, so that only neighbours
    /// whose squared distances differ by less than the rounding of |a|^2 + |b|^2 can take each other's place.
    /// - Parameter segments: disjoint ranges of rows, which may leave some out.
    /// - Throws: `CancellationError`.
    package func nearest(
        _ wanted: Int, within segments: [Range<Int>], cancellation: CancellationFlag = CancellationFlag()
    ) throws -> Neighbors {
        let longest = segments.map(\.count).max() ?? 0
        let room = max(0, min(wanted, longest - 1))
        let kept = min(room + 8, max(0, longest - 1))
        var indices = [Int32](repeating: -1, count: count * room)
        var squares = [Float](repeating: .infinity, count: count * room)
        guard room > 0 else { return Neighbors(room: room, indices: indices, squares: squares) }
        let tasks = segments.flatMap { segment in segment.parts(of: QueryBlock.most).map { (segment, $0) } }
        let host = CPUBackend()
        let starts = negatedHalfSquares()
        values.withUnsafeBufferPointer { values in
            starts.withUnsafeBufferPointer { starts in
                indices.withUnsafeMutableBufferPointer { indices in
                    squares.withUnsafeMutableBufferPointer { squares in
                        guard let base = values.baseAddress, let starts = starts.baseAddress,
                            let indices = indices.baseAddress, let squares = squares.baseAddress
                        else { return }
                        host.parallel(tasks.count) { task in
                            let (segment, queries) = tasks[task]
                            let block = QueryBlock(queries, of: base, dimensions: dimensions, loops: host.loops)
                            var best = BestRows(queries: block.tiles * Lanes.scalarCount, room: kept)
                            for panel in segment.parts(of: QueryBlock.panel) {
                                if cancellation.isCancelled { return }
                                block.multiply(panel, of: base, start: starts)
                                best.take(panel, block, host.loops)
                            }
                            for query in queries {
                                rank(
                                    best.rows(of: query - queries.lowerBound), of: query, base, room: room,
                                    indices + query * room, squares + query * room)
                            }
                        }
                    }
                }
            }
        }
        try cancellation.check()
        return Neighbors(room: room, indices: indices, squares: squares)
    }

    /// -|x|^2 / 2 of every row: with it, products rank rows as distances do.
    private func negatedHalfSquares() -> [Float] {
        values.withUnsafeBufferPointer { values in
            (0..<count).map { row in
                var square = 0.0
                for element in row * dimensions..<(row + 1) * dimensions {
                    square += Double(values[element]) * Double(values[element])
                }
                return Float(-square / 2)
            }
        }
    }

    /// Writes the nearest of `candidates` by direct distances.
    private func rank(
        _ candidates: [Int32], of query: Int, _ base: UnsafePointer<Float>, room: Int,
        _ indices: UnsafeMutablePointer<Int32>, _ squares: UnsafeMutablePointer<Float>
    ) {
        let ranked = candidates.map { row in
            (Self.squaredDistance(base + query * dimensions, base + Int(row) * dimensions, dimensions), row)
        }.sorted { $0 < $1 }
        for (place, (square, row)) in ranked.prefix(room).enumerated() {
            indices[place] = row
            squares[place] = square
        }
    }
}

/// The rows of the highest scores for each query of a block, in order: the lower row first where scores are equal.
private struct BestRows {
    private let room: Int
    /// [queries][room], falling.
    private var scores: [Float]
    private var rows: [Int32]
    private var counts: [Int]
    /// The lowest score that a query keeps, -infinity while it has room.
    private var bounds: [Float]

    init(queries: Int, room: Int) {
        self.room = room
        scores = [Float](repeating: -.infinity, count: queries * room)
        rows = [Int32](repeating: -1, count: queries * room)
        counts = [Int](repeating: 0, count: queries)
        bounds = [Float](repeating: -.infinity, count: queries)
    }

    /// Takes in the scores of a panel of rows, which come in rising order. A query is no neighbour of itself.
    mutating func take(_ panel: Range<Int>, _ block: QueryBlock, _ loops: LaneLoops) {
        let lanes = Lanes.scalarCount
        let end = panel.count * block.tiles
        var place = 0
        while true {
            place = loops.findLarger(
                block.scores, than: bounds, rows: panel.count, vectors: block.tiles, from: place)
            if place >= end { return }
            let (row, tile) = place.quotientAndRemainder(dividingBy: block.tiles)
            for lane in 0..<lanes {
                let query = tile * lanes + lane
                let score = block.scores[place * lanes + lane]
                guard score > bounds[query], query < block.queries.count,
                    block.queries.lowerBound + query != panel.lowerBound + row
                else { continue }
                insert(score, Int32(truncatingIfNeeded: panel.lowerBound + row), query)
            }
            place += 1
        }
    }

    private mutating func insert(_ score: Float, _ row: Int32, _ query: Int) {
        let first = query * room
        let full = counts[query] == room
        var place = first + (full ? room - 1 : counts[query])
        scores.withUnsafeMutableBufferPointer { scores in
            rows.withUnsafeMutableBufferPointer { rows in
                while place > first, scores[place - 1] < score {
                    scores[place] = scores[place - 1]
                    rows[place] = rows[place - 1]
                    place -= 1
                }
                scores[place] = score
                rows[place] = row
            }
        }
        if !full { counts[query] += 1 }
        if counts[query] == room { bounds[query] = scores[first + room - 1] }
    }

    func rows(of query: Int) -> [Int32] { Array(rows[query * room..<query * room + counts[query]]) }
}
