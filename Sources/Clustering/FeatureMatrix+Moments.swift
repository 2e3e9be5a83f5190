import Support

extension FeatureMatrix {
    /// The means of all columns, minus ``shift``, and the rows' squared distances from them.
    /// - Throws: what reading rows throws.
    package func columnMoments() throws(ClusteringError) -> ColumnMoments {
        var moments = ColumnMoments(width: dimensions)
        func add(_ values: [Float]) {
            for first in stride(from: 0, to: values.count, by: dimensions) {
                moments.add(values[first..<first + dimensions])
            }
        }
        let rowsAtOnce = max(1, (1 << 18) / dimensions)
        for first in stride(from: 0, to: count, by: rowsAtOnce) {
            let rows = first..<min(first + rowsAtOnce, count)
            if isBytes {
                try withRows(rows, of: UInt8.self) { values throws(ClusteringError) in add(values.map { Float($0) }) }
            } else {
                try withRows(rows, of: Float.self) { values throws(ClusteringError) in add(Array(values)) }
            }
        }
        return moments
    }
}
