/// How 8-bit images are moved and mirrored on their way into a batch. What lies beyond an image's edge is 0, as a pixel is
/// before it is normalised.
package struct Augmentation {
    /// Pixels of a row.
    package let width: Int
    /// [replicas][orderStride], beside the order of samples: the ``Change/word`` of the sample at each position.
    package let changes: DeviceBuffer<Int32>

    package init(width: Int, changes: DeviceBuffer<Int32>) {
        self.width = width
        self.changes = changes
    }

    /// The most pixels that an image is moved by.
    package static let mostShift = 127

    /// What becomes of one image: its pixel at (row, column) is that at (row + `rows`, column + `columns`), column being
    /// counted from the right where it is mirrored.
    package struct Change: Hashable, Sendable {
        /// From -``mostShift`` to ``mostShift``.
        package let rows: Int
        package let columns: Int
        package let isMirrored: Bool

        package init(rows: Int, columns: Int, isMirrored: Bool) {
            self.rows = rows
            self.columns = columns
            self.isMirrored = isMirrored
        }

        init(word: Int32) {
            self.init(rows: Int(word & 255) - 128, columns: Int(word >> 8 & 255) - 128, isMirrored: word >> 16 != 0)
        }

        /// As the kernels take it: (rows + 128) | (columns + 128) << 8 | mirrored << 16.
        package var word: Int32 { Int32(rows + 128) | Int32(columns + 128) << 8 | (isMirrored ? 1 << 16 : 0) }
    }

    func validate(
        for operation: some Operation, planeSize: Int, replicas: Int, orderStride: Int
    ) throws(ComputeError) {
        try operation.require(positive: [width])
        try operation.require(planeSize % width == 0, "\(planeSize) pixels are no rows of \(width)")
        try operation.require(changes, holds: (replicas - 1) * orderStride + 1)
    }
}
