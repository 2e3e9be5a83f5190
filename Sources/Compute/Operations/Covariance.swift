/// Partial sums of products of columns, and of the columns: what a covariance is made of. ``CovarianceShape`` says how
/// the tiles and sums are laid out.
package struct Covariance: Operation {
    package static let kernel = "covariance"

    /// The matrix and what it is summed into.
    package enum Operands {
        /// 8-bit rows: the sums are exact.
        case bytes(DeviceBuffer<UInt8>, tiles: DeviceBuffer<Int32>, sums: DeviceBuffer<Int32>)
        /// float32 rows, from which `shift` [dimensions] is subtracted first.
        case floats(
            DeviceBuffer<Float>, shift: DeviceBuffer<Float>, tiles: DeviceBuffer<Float>, sums: DeviceBuffer<Float>)
    }
    package let operands: Operands
    package let shape: CovarianceShape
    package let adding: Bool

    /// Sums over 8-bit rows.
    /// - Parameters:
    ///   - rows: [shape.count][shape.dimensions].
    ///   - adding: adds to what is in `tiles` and `sums` instead of replacing it: at most
    ///     ``CovarianceShape/mostByteRows`` rows a part in all.
    package init(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, adding: Bool, tiles: DeviceBuffer<Int32>,
        sums: DeviceBuffer<Int32>
    ) {
        operands = .bytes(rows, tiles: tiles, sums: sums)
        self.shape = shape
        self.adding = adding
    }

    /// Sums over float32 rows.
    /// - Parameters:
    ///   - rows: [shape.count][shape.dimensions].
    ///   - shift: a value per column, near its mean, so that nothing cancels.
    ///   - adding: adds to what is in `tiles` and `sums` instead of replacing it.
    package init(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, adding: Bool,
        tiles: DeviceBuffer<Float>, sums: DeviceBuffer<Float>
    ) {
        operands = .floats(rows, shift: shift, tiles: tiles, sums: sums)
        self.shape = shape
        self.adding = adding
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        switch operands {
        case .bytes(let rows, let tiles, let sums):
            try require(elements: rows.count, tiles: tiles.count, sums: sums.count)
        case .floats(let rows, let shift, let tiles, let sums):
            try require(elements: rows.count, tiles: tiles.count, sums: sums.count)
            try require(
                shift.count >= shape.dimensions, "\(shift.count) shifts for \(shape.dimensions) columns")
        }
    }

    private func require(elements: Int, tiles: Int, sums: Int) throws(ComputeError) {
        try require(
            shape.count > 0 && shape.dimensions > 0 && elements >= shape.count * shape.dimensions,
            "\(elements) elements are not \(shape.count) rows of \(shape.dimensions)")
        try require(
            tiles >= shape.tileElements && sums >= shape.sumElements, "too little room for the sums")
    }

    /// That of a matrix [rows][columns]: a multiply-add per row and pair of columns, half of which are mirror images;
    /// for floats the shift's subtraction too.
    package static func cost(rows: Int, columns: Int, bytes: Bool) -> OperationCost {
        let products = Double(rows) * Double(columns) * Double(columns + 1)
        let results = Double(4 * columns * columns / 2)
        let values = Double(rows) * Double(columns)
        return bytes
            ? OperationCost(operations: products, bytes: values + results)
            : OperationCost(operations: products + values, bytes: 4 * (values + Double(columns)) + results)
    }

    package var cost: OperationCost {
        switch operands {
        case .bytes: Self.cost(rows: shape.count, columns: shape.dimensions, bytes: true)
        case .floats: Self.cost(rows: shape.count, columns: shape.dimensions, bytes: false)
        }
    }
}
