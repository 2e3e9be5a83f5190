/// Sums over rows that have the same bits however the rows are spread: over ranks, and in any order.
///
/// Rows come in chunks whose limits do not depend on the ranks. The float32 sum of a chunk, made in a fixed order, is rounded
/// to a whole number of units (``FixedPoint``); these integers are added, which is exact and associative.
///
/// The error of a sum is that of the float32 sums of its chunks plus at most half a unit per chunk, and one rounding to Double
/// at the end. Half a unit is at most 2^-62 of rows x bound. So the mean over n rows, from no more than n chunks, is off by
/// at most 2^-62 x rows x bound by the rounding to units: with 2^30 rows, 2^-32 of the bound, where the mean as a float32 of that
/// size is off by up to 2^-24 of it.
///
/// An OpenCL kernel can round in the same way without double: `convert_long_rte(ldexp(sum, exponent))`, since scaling by a
/// power of two is exact. The two differ only where a device takes denormal sums for zero and the exponent is above 126.
///
/// Example:
///
///     var sums = ExactSums(elements: 3, try FixedPoint(bound: largest, rows: 1_000_000))
///     try sums.add(chunkSums, rows: 4096)      // for every chunk of this rank
///     try sums.combine(over: communicator)     // the sums over all ranks, on every rank
///     let mean = sums.value(0) / Double(sums.rowsAdded)
package struct ExactSums: Equatable, Sendable {
    package let scale: FixedPoint
    /// The sums in units, [elements].
    package private(set) var units: [Int64]
    /// The rows of all chunks that were added.
    package private(set) var rowsAdded = 0

    /// Sums of nothing.
    package init(elements: Int, _ scale: FixedPoint) {
        self.scale = scale
        units = [Int64](repeating: 0, count: elements)
    }

    /// The sum of one element.
    package func value(_ element: Int) -> Double { scale.value(units[element]) }

    /// Adds the float32 sums of one chunk. Either all elements are added or, where this throws, none.
    /// - Parameters:
    ///   - chunk: [elements].
    ///   - corrections: what float32 dropped from the sums, [elements]; nil for plain sums.
    ///   - rows: rows in the chunk, at most ``FixedPoint/mostChunkRows``. No element is the sum of more.
    /// - Throws: ``ExactSumError/outOfBounds(element:value:limit:)`` for a sum that is NaN, infinite or larger than its rows
    ///   can make it, ``ExactSumError/chunkTooLong(rows:accepted:)``, ``ExactSumError/tooManyRows(rows:accepted:)``,
    ///   ``ExactSumError/different(_:)``.
    package mutating func add(
        _ chunk: UnsafeBufferPointer<Float>, corrections: UnsafeBufferPointer<Float>? = nil, rows: Int
    ) throws(ExactSumError) {
        guard chunk.count == units.count, corrections.map({ $0.count == units.count }) ?? true else {
            throw .different("their number of elements")
        }
        guard (0...FixedPoint.mostChunkRows).contains(rows) else {
            throw .chunkTooLong(rows: rows, accepted: FixedPoint.mostChunkRows)
        }
        try checkRows(rowsAdded + rows)
        let limit = scale.limit(rows: rows)
        // NaN is in no range.
        var outside: Int64 = 0
        if let corrections {
            for element in 0..<chunk.count {
                outside &+= abs(Double(chunk[element]) + Double(corrections[element])) <= limit ? 0 : 1
            }
        } else {
            for element in 0..<chunk.count { outside &+= abs(Double(chunk[element])) <= limit ? 0 : 1 }
        }
        guard outside == 0 else { throw outOfBounds(chunk, corrections, limit) }
        let scale = scale
        units.withUnsafeMutableBufferPointer { units in
            if let corrections {
                for element in 0..<chunk.count {
                    units[element] &+= scale.integer(Double(chunk[element]) + Double(corrections[element]))
                }
            } else {
                for element in 0..<chunk.count { units[element] &+= scale.integer(Double(chunk[element])) }
            }
        }
        rowsAdded += rows
    }

    /// Adds the float32 sums of one chunk, as above.
    package mutating func add(_ chunk: [Float], corrections: [Float]? = nil, rows: Int) throws(ExactSumError) {
        try chunk.withUnsafeBufferPointer { chunk throws(ExactSumError) in
            guard let corrections else { return try add(chunk, rows: rows) }
            try corrections.withUnsafeBufferPointer { corrections throws(ExactSumError) in
                try add(chunk, corrections: corrections, rows: rows)
            }
        }
    }

    /// Adds the sums of other rows.
    /// - Throws: ``ExactSumError/different(_:)``, ``ExactSumError/tooManyRows(rows:accepted:)``.
    package mutating func add(_ other: ExactSums) throws(ExactSumError) {
        guard other.units.count == units.count else { throw .different("their number of elements") }
        guard other.scale == scale else { throw .different("their scale") }
        try checkRows(rowsAdded + other.rowsAdded)
        for element in units.indices { units[element] &+= other.units[element] }
        rowsAdded += other.rowsAdded
    }

    /// Replaces the sums by those over the rows of all ranks. Collective.
    /// - Throws: ``RanksError/disagreement(name:expected:rank:found:others:)`` where the ranks' sums have other numbers of
    ///   elements or other scales, ``RanksError/sums(_:)`` where all their rows are too many, and what communication throws.
    package mutating func combine(over communicator: Communicator) throws(RanksError) {
        try communicator.agree(on: [
            Agreement("the elements of a sum", "\(units.count)"),
            Agreement("the bound of a sum", "\(scale.bound)"),
            Agreement("the rows of a sum", "\(scale.rows)"),
        ])
        // The rows first: while they are as many as the scale was made for, no sum overflows.
        var rows = [UInt64(rowsAdded)]
        try communicator.sum(&rows)
        do { try checkRows(Int(rows[0])) } catch { throw .sums(error) }
        try communicator.sum(&units)
        rowsAdded = Int(rows[0])
    }

    /// The error about the first sum that is out of bounds.
    private func outOfBounds(
        _ chunk: UnsafeBufferPointer<Float>, _ corrections: UnsafeBufferPointer<Float>?, _ limit: Double
    ) -> ExactSumError {
        let sums = chunk.indices.map { Double(chunk[$0]) + Double(corrections?[$0] ?? 0) }
        let element = sums.firstIndex { !(abs($0) <= limit) } ?? 0
        return .outOfBounds(element: element, value: sums[element], limit: limit)
    }

    private func checkRows(_ rows: Int) throws(ExactSumError) {
        guard rows <= scale.rows else { throw .tooManyRows(rows: rows, accepted: scale.rows) }
    }
}
