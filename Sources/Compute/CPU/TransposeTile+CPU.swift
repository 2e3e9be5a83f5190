extension CPUBackend {
    /// Writes columns `columns` of a tile's rows, [sample][`stride`], from values [value][sample] of which there are `count`;
    /// columns past them are padding and become 0.
    func transposeTile(
        _ values: UnsafeMutablePointer<Float>, count: Int, columns: Range<Int>, stride: Int,
        into rows: UnsafeMutablePointer<Float>
    ) {
        for sample in 0..<tile {
            let row = rows + sample * stride
            for column in columns { row[column] = column < count ? values[column * tile + sample] : 0 }
        }
    }
}
