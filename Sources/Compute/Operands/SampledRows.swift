/// Rows of a matrix in a backend's memory that a mini-batch takes: its row i is rows[indices[first + i]].
package struct SampledRows {
    /// The matrix, [row][dimensions].
    package let rows: DeviceBuffer<Float>
    /// Numbers of rows.
    package let indices: DeviceBuffer<Int32>
    /// Where the batch begins in ``indices``.
    package let first: Int

    /// The rows from place `first` of `indices` on.
    package init(_ rows: DeviceBuffer<Float>, at indices: DeviceBuffer<Int32>, from first: Int = 0) {
        self.rows = rows
        self.indices = indices
        self.first = first
    }
}
