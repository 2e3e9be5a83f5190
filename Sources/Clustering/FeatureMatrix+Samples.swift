import Datasets

extension FeatureMatrix {
    /// A row per sample. Values in memory are shared, not copied; those of a file stay there, and are read as
    /// ``init(reader:count:dimensions:forComponents:)`` reads rows.
    /// - Parameter forComponents: whether PCA is to follow, which takes smaller values.
    /// - Throws: what the initialiser for such values throws.
    package init(_ samples: SampleSet, forComponents: Bool = false) throws(ClusteringError) {
        let (count, dimensions) = (samples.count, samples.shape.featureCount)
        switch samples.values {
        case .bytes(let values): try self.init(bytes: values, count: count, dimensions: dimensions)
        case .floats(let values):
            try self.init(floats: values, count: count, dimensions: dimensions, shift: samples.medians)
        case .stored(let values):
            try self.init(
                reader: SampleRows(values: values), count: count, dimensions: dimensions,
                forComponents: forComponents)
        }
    }

    /// The same rows with the same shift; their values are not checked.
    init(unchecked samples: SampleSet) throws(ClusteringError) {
        let (count, dimensions) = (samples.count, samples.shape.featureCount)
        try Self.check(product(count, dimensions), count, dimensions)
        switch samples.values {
        case .bytes(let values): self.init(.bytes(values), count, dimensions)
        case .floats(let values): self.init(.floats(values), count, dimensions, shift: samples.medians)
        case .stored(let values):
            let reader = SampleRows(values: values)
            let shift: [Double]? =
                try reader.type == .uint8
                ? nil : columnMedians(of: reader, count: count, dimensions: dimensions)
            self.init(.stored(reader), count, dimensions, shift: shift)
        }
    }
}

/// Rows of samples that stay in their file until they are wanted.
private struct SampleRows: RowReader {
    let values: any StoredValues

    var type: ValueType { values.type }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        try reading { () throws(DatasetError) in try values.read(rows, into: destination) }
    }

    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        try reading { () throws(DatasetError) in try values.read(rowsAt: numbers, into: destination) }
    }

    private func reading(_ body: () throws(DatasetError) -> Void) throws(ClusteringError) {
        do throws(DatasetError) { try body() } catch {
            throw .unreadable(reason: error.description, category: error.category)
        }
    }
}
