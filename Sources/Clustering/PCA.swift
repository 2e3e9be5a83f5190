import Compute

/// Principal component analysis: the eigenvectors of the sample covariance with the largest eigenvalues.
///
/// Signs are fixed: the loading of largest magnitude in each component is positive (the first one, of several).
public struct PCA: Sendable {
    /// Mean of every column, [dimensions].
    public let mean: [Float]
    /// The components, unit vectors in rows, [components][dimensions], largest variance first.
    public let components: [Float]
    /// Variance along each component (divisor count - 1), in squared units of the input.
    public let explainedVariance: [Double]
    /// The variance of all columns together, in the same units.
    public let totalVariance: Double
    /// The components' variances as shares of the total; zero where there is no variance at all.
    public let explainedVarianceRatio: [Double]
    /// Number of columns of the input.
    public var dimensions: Int { mean.count }
    /// Number of components.
    public var count: Int { explainedVariance.count }

    /// Finds the principal components of `matrix`.
    ///
    /// The covariance is summed on `backend`, exactly for 8-bit values; the eigenproblem is solved in double precision
    /// by LAPACK's dsyevr.
    /// - Parameter components: how many, 1 to min(rows, columns).
    /// - Throws: ``ClusteringError/tooManyComponents(components:count:dimensions:)``,
    ///   ``ClusteringError/eigensolver(info:)``, ``ClusteringError/compute(_:)``.
    public static func fit(_ matrix: FeatureMatrix, components: Int, on backend: any ClusteringOperations)
        throws(ClusteringError) -> PCA
    {
        guard components >= 1, components <= min(matrix.count, matrix.dimensions) else {
            throw .tooManyComponents(components: components, count: matrix.count, dimensions: matrix.dimensions)
        }
        let covariance =
            matrix.isBytes
            ? try byteCovariance(of: matrix, least: components, on: backend)
            : try floatCovariance(of: matrix, least: components, on: backend)
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
            var largest = 0.0
            for value in vector where abs(value) > abs(largest) { largest = value }
            for (column, value) in zip(columns, vector) {
                rows[component * dimensions + column] = Float(largest < 0 ? -value : value)
            }
        }
        let variance = values.map { max($0, 0) }
        return PCA(
            mean: covariance.mean.map { Float($0) }, components: rows, explainedVariance: variance,
            totalVariance: total,
            explainedVarianceRatio: variance.map { total > 0 ? $0 / total : 0 })
    }

    /// Projects rows onto the components, [count][components], in the backend's memory and the layout of k-means.
    /// - Throws: ``ClusteringError/dimensionMismatch(what:found:wanted:)``, ``ClusteringError/compute(_:)``.
    public func project(_ matrix: FeatureMatrix, on backend: any ClusteringOperations) throws(ClusteringError)
        -> Points
    {
        guard matrix.dimensions == dimensions else {
            throw .dimensionMismatch(what: "The rows", found: matrix.dimensions, wanted: dimensions)
        }
        return try matrix.points(through: self, atMost: FeatureMatrix.streamedRows, on: backend)
    }

    /// The projection in the backend's memory.
    func projection(on backend: any ClusteringOperations) throws(ClusteringError) -> Projection {
        try computing { () throws(ComputeError) in try backend.makeProjection(weights: components, mean: mean) }
    }
}
