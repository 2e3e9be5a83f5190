import Compute
import Datasets

extension FeatureMatrix {
    /// The rows of two matrices of equal width, those of `first` before those of `second`, which stay where they are.
    ///
    /// Values of two types become float64: exact, but for whole numbers beyond 2^53.
    /// - Parameter forComponents: whether PCA is to follow, which takes smaller values.
    /// - Throws: ``ClusteringError/dimensionMismatch(what:found:wanted:)``, and what
    ///   ``init(reader:count:dimensions:forComponents:)`` throws; rows are counted in the joined matrix.
    package static func joining(
        _ first: FeatureMatrix, _ second: FeatureMatrix, forComponents: Bool = false
    ) throws(ClusteringError) -> FeatureMatrix {
        guard first.dimensions == second.dimensions else {
            throw .dimensionMismatch(
                what: "the rows of one matrix", found: first.dimensions, wanted: second.dimensions)
        }
        return try FeatureMatrix(
            reader: JoinedRows(first.reader, count: first.count, second.reader, dimensions: first.dimensions),
            count: first.count + second.count, dimensions: first.dimensions, forComponents: forComponents)
    }

    /// The stored values.
    private var reader: any RowReader {
        switch storage {
        case .bytes(let values): ArrayRows(values: values, dimensions: dimensions, type: .uint8)
        case .floats(let values): ArrayRows(values: values, dimensions: dimensions, type: .float32)
        case .stored(let reader): reader
        }
    }
}

/// Rows that are in memory.
private struct ArrayRows<Element: BufferElement>: RowReader {
    let values: [Element]
    let dimensions: Int
    let type: ValueType

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) {
        values[rows.lowerBound * dimensions..<rows.upperBound * dimensions].withUnsafeBytes {
            destination.copyMemory(from: $0)
        }
    }
}

/// The rows of one reader, and after them those of another.
private struct JoinedRows: RowReader {
    private let first: any RowReader
    private let firstCount: Int
    private let second: any RowReader
    private let dimensions: Int
    let type: ValueType

    init(_ first: any RowReader, count: Int, _ second: any RowReader, dimensions: Int) {
        self.first = first
        firstCount = count
        self.second = second
        self.dimensions = dimensions
        type = first.type == second.type ? first.type : .float64
    }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        let mine = min(rows.lowerBound, firstCount)..<min(rows.upperBound, firstCount)
        let its = max(rows.lowerBound, firstCount) - firstCount..<max(rows.upperBound, firstCount) - firstCount
        let split = mine.count * dimensions * type.byteCount
        let end = split + its.count * dimensions * type.byteCount
        try read(mine, of: first, into: UnsafeMutableRawBufferPointer(rebasing: destination[..<split]))
        try read(its, of: second, into: UnsafeMutableRawBufferPointer(rebasing: destination[split..<end]))
    }

    private func read(
        _ rows: Range<Int>, of reader: any RowReader, into destination: UnsafeMutableRawBufferPointer
    ) throws(ClusteringError) {
        guard !rows.isEmpty else { return }
        guard reader.type != type else { return try reader.read(rows, into: destination) }
        for (element, value) in try doubles(reader, rows, dimensions).enumerated() {
            destination.storeBytes(of: value, toByteOffset: element * 8, as: Double.self)
        }
    }
}
