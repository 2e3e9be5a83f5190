import Support

/// Rows that are compared with each other: each of ``queries`` with the candidates before it.
package struct ComparedRows: Sendable {
    /// All of them.
    package let rows: Range<Int>
    /// The rows that are compared with others, the last of all.
    package let queries: Range<Int>
    /// The rows that they are compared with, the first of all.
    package let candidates: Range<Int>

    /// Every row of `rows` from `firstQuery` on (all where nil) is compared with those before it, as far as they lie before
    /// `candidatesEnd` (all where nil).
    package init(_ rows: Range<Int>, from firstQuery: Int? = nil, with candidatesEnd: Int? = nil) {
        self.rows = rows
        queries = (firstQuery ?? rows.lowerBound)..<rows.upperBound
        candidates = rows.lowerBound..<(candidatesEnd ?? rows.upperBound)
    }
}

/// The largest cosines of rows to others.
package struct LargestCosines: Sendable {
    /// 1 - the largest cosine of each row, [count]; infinity for rows that were compared with none.
    package fileprivate(set) var gaps: [Double]
    /// The lowest row that it is of, [count]; -1 where there is none.
    package fileprivate(set) var rows: [Int32]
    /// The queries without a direction, rising: rows of zeros.
    package fileprivate(set) var zeros: [Int]
}

extension HostRows {
    /// For every row of each segment, 1 - the largest cosine to an earlier row of that segment, and the lowest such row;
    /// for the first ones and for rows of no segment infinity and -1: what ``largestCosines(of:adding:cancellation:)`` finds
    /// where every row of a segment is compared with those before it.
    /// - Parameters:
    ///   - segments: disjoint ranges of rows.
    ///   - shift: what is added to every row first, [dimensions]; nil for nothing.
    /// - Throws: `CancellationError`.
    package func largestCosinesWithEarlier(
        within segments: [Range<Int>], adding shift: [Double]? = nil,
        cancellation: CancellationFlag = CancellationFlag()
    ) throws -> (gaps: [Double], rows: [Int32]) {
        let found = try largestCosines(
            of: segments.map { ComparedRows($0) }, adding: shift, cancellation: cancellation)
        return (found.gaps, found.rows)
    }

    /// For every query of each part, 1 - the largest cosine to a candidate before it, and the lowest such candidate. The
    /// cosine of a row of zeros to any other is 0, and so is that of a row whose length is within the rounding of what is
    /// added.
    ///
    /// 1 - cosine = |u - v|^2 / 2, where u and v are the rows scaled to unit length. It is summed over differences in double
    /// precision, so that small ones keep their digits and copies of a row have exactly 0. Which rows are worth that is
    /// decided by products of float32, in blocks: unit rows are taken less the mean of their part there, so that those
    /// far from the origin differ in their first digits, and whatever is as near as the nearest within the rounding of
    /// these products is looked at. No number depends on how rows are divided into parts. Memory is O(values).
    /// - Parameters:
    ///   - parts: rows that are compared, none of which is in two parts.
    ///   - shift: what is added to every row first, [dimensions]; nil for nothing.
    /// - Throws: `CancellationError`.
    package func largestCosines(
        of parts: [ComparedRows], adding shift: [Double]? = nil, cancellation: CancellationFlag = CancellationFlag()
    ) throws -> LargestCosines {
        let directions = Directions(self, adding: shift, centred: parts.map(\.rows))
        var gaps = [Double](repeating: .infinity, count: count)
        var rows = [Int32](repeating: -1, count: count)
        // Rows with many before them first, so that no core waits long for the last.
        let tasks = parts.indices.flatMap { part in
            parts[part].queries.parts(of: QueryBlock.most).map { (part, $0) }
        }.sorted {
            $0.1.lowerBound - parts[$0.0].rows.lowerBound > $1.1.lowerBound - parts[$1.0].rows.lowerBound
        }
        let host = CPUBackend()
        gaps.withUnsafeMutableBufferPointer { gaps in
            rows.withUnsafeMutableBufferPointer { rows in
                guard let gaps = gaps.baseAddress, let rows = rows.baseAddress else { return }
                host.parallel(tasks.count) { task in
                    let (part, queries) = tasks[task]
                    let candidates = parts[part].candidates
                    directions.compare(
                        queries, with: candidates.lowerBound..<min(candidates.upperBound, queries.upperBound),
                        radius: directions.radii[part], host.loops, gaps, rows, cancellation)
                }
            }
        }
        try cancellation.check()
        var found = LargestCosines(gaps: gaps, rows: rows, zeros: [])
        for part in parts { directions.addZeros(of: part, to: &found) }
        return found
    }
}

/// Rows scaled to unit length.
private struct Directions {
    /// The rows as they are, before ``shift`` is added.
    private let raw: HostRows
    private let shift: [Double]
    /// 1 / the length of each row; 0 for rows of zeros.
    let scales: [Double]
    /// The rows of unit length less the mean of their segment, rounded to float32; zeros where they are in none.
    private var centred: [Float]
    /// -|x|^2 / 2 of these, which products start from; -infinity for rows of zeros, which have no direction.
    private var starts: [Float]
    /// The largest length of the centred rows of each segment.
    private(set) var radii: [Double]

    /// The directions of `rows`, centred in each of `segments`.
    init(_ rows: HostRows, adding shift: [Double]?, centred segments: [Range<Int>]) {
        let dimensions = rows.dimensions
        let shift = shift ?? [Double](repeating: 0, count: dimensions)
        var scales = [Double](repeating: 0, count: rows.count)
        var centred = [Float](repeating: 0, count: rows.values.count)
        var starts = [Float](repeating: -.infinity, count: rows.count)
        var radii = [Double](repeating: 0, count: segments.count)
        let host = CPUBackend()
        // Blocks write to parts that are their own.
        scales.withUnsafeMutableBufferPointer { scales in
            centred.withUnsafeMutableBufferPointer { centred in
                starts.withUnsafeMutableBufferPointer { starts in
                    radii.withUnsafeMutableBufferPointer { radii in
                        let room = Room(scales: scales, centred: centred, starts: starts, radii: radii)
                        host.parallel(segments.count) { room.centre(rows, segments[$0], shift, segment: $0) }
                    }
                }
            }
        }
        raw = rows
        self.shift = shift
        self.scales = scales
        self.centred = centred
        self.starts = starts
        self.radii = radii
    }

    /// Enters the cosines of 0 that rows of zeros have.
    func addZeros(of part: ComparedRows, to found: inout LargestCosines) {
        let first = part.candidates.lowerBound
        var zeros: Int?
        for row in part.rows {
            if part.queries.contains(row) {
                if scales[row] == 0 {
                    found.zeros.append(row)
                    if row > first, !part.candidates.isEmpty { (found.gaps[row], found.rows[row]) = (1, Int32(first)) }
                } else if let zeros, found.gaps[row] > 1 || found.gaps[row] == 1 && found.rows[row] > zeros {
                    (found.gaps[row], found.rows[row]) = (1, Int32(zeros))
                }
            }
            if zeros == nil, scales[row] == 0, part.candidates.contains(row) { zeros = row }
        }
    }

    /// Where a segment's numbers go.
    private struct Room: @unchecked Sendable {
        let scales: UnsafeMutableBufferPointer<Double>
        let centred: UnsafeMutableBufferPointer<Float>
        let starts: UnsafeMutableBufferPointer<Float>
        let radii: UnsafeMutableBufferPointer<Double>

        func centre(_ rows: HostRows, _ members: Range<Int>, _ shift: [Double], segment: Int) {
            let dimensions = rows.dimensions
            let noise = HostRows.noise(of: shift)
            var mean = [Double](repeating: 0, count: dimensions)
            var directed = 0
            rows.values.withUnsafeBufferPointer { values in
                for row in members {
                    let first = row * dimensions
                    var square = 0.0
                    for column in 0..<dimensions {
                        let value = Double(values[first + column]) + shift[column]
                        square += value * value
                    }
                    guard square > noise else { continue }
                    let scale = 1 / square.squareRoot()
                    scales[row] = scale
                    directed += 1
                    for column in 0..<dimensions {
                        mean[column] += (Double(values[first + column]) + shift[column]) * scale
                    }
                }
                for column in 0..<dimensions { mean[column] /= Double(max(1, directed)) }
                for row in members where scales[row] > 0 {
                    let first = row * dimensions
                    var square = 0.0
                    for column in 0..<dimensions {
                        let value = Float(
                            (Double(values[first + column]) + shift[column]) * scales[row] - mean[column])
                        centred[first + column] = value
                        square += Double(value) * Double(value)
                    }
                    starts[row] = Float(-square / 2)
                    radii[segment] = max(radii[segment], square.squareRoot())
                }
            }
        }
    }

    /// |u - v|^2 / 2 of two rows.
    private func gap(
        _ one: Int, _ other: Int, _ values: UnsafePointer<Float>, _ shift: UnsafePointer<Double>
    ) -> Double {
        let dimensions = raw.dimensions
        let (a, b) = (values + one * dimensions, values + other * dimensions)
        let (scaleA, scaleB) = (scales[one], scales[other])
        var sums = SIMD4<Double>()
        var dimension = 0
        while dimension + 4 <= dimensions {
            let s = UnsafeRawPointer(shift + dimension).loadUnaligned(as: SIMD4<Double>.self)
            let x = SIMD4<Double>(UnsafeRawPointer(a + dimension).loadUnaligned(as: SIMD4<Float>.self))
            let y = SIMD4<Double>(UnsafeRawPointer(b + dimension).loadUnaligned(as: SIMD4<Float>.self))
            let difference = (x + s) * scaleA - (y + s) * scaleB
            sums += difference * difference
            dimension += 4
        }
        var sum = sums.sum()
        while dimension < dimensions {
            let difference =
                (Double(a[dimension]) + shift[dimension]) * scaleA - (Double(b[dimension]) + shift[dimension]) * scaleB
            sum += difference * difference
            dimension += 1
        }
        return sum / 2
    }

    /// Twice the most that the score x . y - |y|^2 / 2 of centred rows is off, |x| being `length` and no row longer than
    /// `radius`: each coordinate is rounded once, |y|^2 / 2 once, and each of the products and sums once. Coordinates of
    /// the rows themselves are known to double precision alone.
    private func slack(length: Double, radius: Double) -> Double {
        let roundings = Double(raw.dimensions + 6) * 0x1p-24
        return 2 * (roundings * (length * radius + radius * radius / 2) + 0x1p-50 * (length + radius))
    }

    /// The nearest earlier row of each of `queries`.
    func compare(
        _ queries: Range<Int>, with earlier: Range<Int>, radius: Double, _ loops: LaneLoops,
        _ gaps: UnsafeMutablePointer<Double>, _ rows: UnsafeMutablePointer<Int32>, _ cancellation: CancellationFlag
    ) {
        raw.values.withUnsafeBufferPointer { values in
            shift.withUnsafeBufferPointer { shift in
                centred.withUnsafeBufferPointer { centred in
                    starts.withUnsafeBufferPointer { starts in
                        guard let values = values.baseAddress, let shift = shift.baseAddress,
                            let centred = centred.baseAddress, let starts = starts.baseAddress
                        else { return }
                        let block = QueryBlock(queries, of: centred, dimensions: raw.dimensions, loops: loops)
                        let lanes = Lanes.scalarCount
                        let columns = block.tiles * lanes
                        // Scores above these are looked at; nothing is nearer than a copy, and rows of zeros are near none.
                        var bounds = [Float](repeating: .infinity, count: columns)
                        var slacks = [Double](repeating: 0, count: columns)
                        for query in queries where scales[query] > 0 {
                            bounds[query - queries.lowerBound] = -.infinity
                            slacks[query - queries.lowerBound] = slack(
                                length: (-2 * Double(starts[query])).squareRoot(), radius: radius)
                        }
                        var best = [Float](repeating: -.infinity, count: columns)
                        for panel in earlier.parts(of: QueryBlock.panel) {
                            if cancellation.isCancelled { return }
                            block.multiply(panel, of: centred, start: starts)
                            for row in panel where row >= queries.lowerBound {
                                // Itself and what comes before it.
                                (block.scores + (row - panel.lowerBound) * columns).update(
                                    repeating: -.infinity, count: row - queries.lowerBound + 1)
                            }
                            let end = panel.count * block.tiles
                            var place = loops.findLarger(
                                block.scores, than: bounds, rows: panel.count, vectors: block.tiles, from: 0)
                            while place < end {
                                let row = panel.lowerBound + place / block.tiles
                                for lane in 0..<lanes {
                                    let column = place % block.tiles * lanes + lane
                                    let score = block.scores[place * lanes + lane]
                                    guard score > bounds[column], column < queries.count else { continue }
                                    let query = queries.lowerBound + column
                                    let gap = gap(query, row, values, shift)
                                    if gap < gaps[query] { (gaps[query], rows[query]) = (gap, Int32(row)) }
                                    best[column] = max(best[column], score)
                                    bounds[column] =
                                        gaps[query] == 0
                                        ? .infinity : Float(Double(best[column]) - slacks[column]).nextDown
                                }
                                place = loops.findLarger(
                                    block.scores, than: bounds, rows: panel.count, vectors: block.tiles,
                                    from: place + 1)
                            }
                        }
                    }
                }
            }
        }
    }
}
