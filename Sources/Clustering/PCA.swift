import Compute
import Ranks
import Support

/// Principal component analysis: the eigenvectors of the sample covariance with the largest eigenvalues.
///
/// Signs are fixed: the loading of largest magnitude in each component is positive (the first one, of several).
package struct PCA: Sendable {
    /// Mean of every column, [dimensions].
    package let mean: [Double]
    /// The components, unit vectors in rows, [components][dimensions], largest variance first.
    package let components: [Float]
    /// Variance along each component (divisor count - 1), in squared units of the input.
    package let explainedVariance: [Double]
    /// The variance of all columns together, in the same units.
    package let totalVariance: Double
    /// The components' variances as shares of the total; zero where there is no variance at all.
    package let explainedVarianceRatio: [Double]
    /// Number of columns of the input.
    package var dimensions: Int { mean.count }
    /// Number of components.
    package var count: Int { explainedVariance.count }

    /// The largest order of an eigenproblem, min(rows, columns), that is solved only for comparison with an
    /// autoencoder. Above it, the PCA would take longer than the training.
    package static let mostOrderBesideNetworks = 4096

    /// Finds the principal components of `matrix`.
    ///
    /// The covariance, or where there are fewer rows than columns the products of rows, are summed on `backend`, exactly
    /// for 8-bit values; the eigenproblem is solved in double precision by LAPACK's dsyevr.
    /// - Parameters:
    ///   - components: the number of components, 1 to min(rows, columns).
    ///   - spread: the rows that this rank sums; nil for all. Every rank has the whole matrix and gets the same result, with
    ///     the same bits for any number of ranks. If there are fewer rows than columns, every rank sums all rows. Collective if
    ///     given.
    /// - Throws: ``ClusteringError/tooManyComponents(components:count:dimensions:)``,
    ///   ``ClusteringError/tooLarge(row:column:value:limit:)``, ``ClusteringError/noMemory(what:needed:least:)``,
    ///   ``ClusteringError/eigensolver(info:)``, ``ClusteringError/compute(_:)``, and what reading rows throws.
    package static func fit(
        _ matrix: FeatureMatrix, components: Int, spread: RowSpread? = nil, on backend: any Backend
    ) throws(ClusteringError) -> PCA {
        guard components >= 1, components <= min(matrix.count, matrix.dimensions) else {
            throw .tooManyComponents(components: components, count: matrix.count, dimensions: matrix.dimensions)
        }
        let limit = FeatureMatrix.componentsLimit(matrix.dimensions)
        if matrix.largest.magnitude > limit { try matrix.refuse(matrix.largest.row, matrix.largest.column, limit) }
        let needed = memory(of: matrix, components: components)
        if let least = AvailableMemory.shortage(of: needed) {
            throw .noMemory(
                what: "PCA of \(matrix.count) samples of \(matrix.dimensions) features to \(components) components",
                needed: needed, least: least)
        }
        let pca =
            try matrix.count < matrix.dimensions
            ? fitRows(matrix, components, on: backend) : fitColumns(matrix, components, spread, on: backend)
        return try spread.map { spread throws(ClusteringError) in try pca.ofFirstRank(of: spread.communicator) } ?? pca
    }

    /// The result of rank 0 on every rank, because LAPACK may round differently on other processors. Collective.
    private func ofFirstRank(of communicator: Communicator) throws(ClusteringError) -> PCA {
        guard communicator.size > 1 else { return self }
        var rows = components
        var numbers = [totalVariance] + mean + explainedVariance
        try acrossRanks { () throws(RanksError) in
            try communicator.broadcast(&rows)
            try communicator.broadcast(&numbers)
        }
        return PCA(
            mean: Array(numbers[1...dimensions]), components: rows, variance: Array(numbers[(1 + dimensions)...]),
            totalVariance: numbers[0])
    }

    /// Bytes that a fit takes at most, what the backend has in this memory included.
    static func memory(of matrix: FeatureMatrix, components: Int) -> Int {
        guard matrix.count >= matrix.dimensions else { return GramPCA.memory(of: matrix, components: components) }
        let rows = min(partsAtOnce(matrix.dimensions) * CovarianceShape.partRows, matrix.count)
        let shape = CovarianceShape(count: rows, dimensions: matrix.dimensions)
        // The covariance's tiles and their host copy, both twice; their sums as two words and as one number; the matrices of
        // the eigenproblem.
        let sums = shape.tileElements * 12 + shape.tileElements / shape.parts * 24
        return sums + rows * matrix.travellingBytes
            + 8 * matrix.dimensions * (2 * matrix.dimensions + 3 * components)
    }

    /// From the products of rows, where there are fewer rows than columns.
    private static func fitRows(_ matrix: FeatureMatrix, _ components: Int, on backend: any Backend)
        throws(ClusteringError) -> PCA
    {
        let gram = try GramPCA(matrix)
        let found = try gram.fit(components, on: backend)
        let dimensions = matrix.dimensions
        var rows = [Float](repeating: 0, count: components * dimensions)
        for component in 0..<components {
            let vector = found.components[component * dimensions..<(component + 1) * dimensions]
            put(vector, columns: 0..<dimensions, into: &rows, at: component * dimensions)
        }
        return PCA(
            matrix, mean: gram.mean, components: rows, variance: found.variances, totalVariance: found.total)
    }

    /// From the covariance of columns.
    private static func fitColumns(
        _ matrix: FeatureMatrix, _ components: Int, _ spread: RowSpread?, on backend: any Backend
    ) throws(ClusteringError) -> PCA {
        let covariance =
            matrix.isBytes
            ? try byteCovariance(of: matrix, least: components, spread: spread, on: backend)
            : try floatCovariance(of: matrix, least: components, spread: spread, on: backend)
        let dimensions = matrix.dimensions
        let columns = covariance.columns
        let order = columns.count
        var total = 0.0
        for column in 0..<order { total += covariance.values[column * order + column] }
        // A column that does not vary has no part in any component.
        let (values, vectors) = try largestEigenpairs(of: covariance.values, order: order, count: components)
        var rows = [Float](repeating: 0, count: components * dimensions)
        for component in 0..<components {
            let vector = vectors[component * order..<(component + 1) * order]
            put(vector, columns: columns, into: &rows, at: component * dimensions)
        }
        return PCA(
            matrix, mean: covariance.mean, components: rows, variance: values.map { max($0, 0) }, totalVariance: total)
    }

    /// Writes a component, its sign fixed; columns that are not among `columns` stay.
    private static func put(
        _ vector: ArraySlice<Double>, columns: some Sequence<Int>, into rows: inout [Float], at start: Int
    ) {
        var largest = 0.0
        for value in vector where abs(value) > abs(largest) { largest = value }
        for (column, value) in zip(columns, vector) { rows[start + column] = Float(largest < 0 ? -value : value) }
    }

    private init(
        _ matrix: FeatureMatrix, mean: [Double], components: [Float], variance: [Double], totalVariance: Double
    ) {
        let shift = matrix.shift
        self.init(
            mean: mean.indices.map { column in mean[column] + (shift?[column] ?? 0) }, components: components,
            variance: variance, totalVariance: totalVariance)
    }

    private init(mean: [Double], components: [Float], variance: [Double], totalVariance: Double) {
        self.mean = mean
        self.components = components
        explainedVariance = variance
        self.totalVariance = totalVariance
        explainedVarianceRatio = variance.map { totalVariance > 0 ? $0 / totalVariance : 0 }
    }

    /// Projects rows onto the components, [count][components], in the backend's memory and the layout of k-means.
    /// - Throws: ``ClusteringError/dimensionMismatch(what:found:wanted:)``, ``ClusteringError/compute(_:)``.
    package func project(_ matrix: FeatureMatrix, on backend: any Backend) throws(ClusteringError)
        -> Points
    {
        guard matrix.dimensions == dimensions else {
            throw .dimensionMismatch(what: "The rows", found: matrix.dimensions, wanted: dimensions)
        }
        return try matrix.points(through: self, atMost: FeatureMatrix.streamedRows, on: backend)
    }

    /// The projection in the backend's memory, for rows that have had this shift subtracted.
    func projection(less shift: [Double]?, on backend: any Backend) throws(ClusteringError) -> Projection {
        let shifted = mean.indices.map { column in Float(mean[column] - (shift?[column] ?? 0)) }
        return try computing { () throws(ComputeError) in
            try backend.makeProjection(weights: components, mean: shifted)
        }
    }
}
