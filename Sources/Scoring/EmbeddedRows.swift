import Clustering

/// The embeddings of samples by a network, one row per sample.
package struct EmbeddedRows: Sendable {
    /// A name that identifies the embedding.
    package let name: String
    /// [sample][size].
    package let values: [Float]
    /// Values per sample, 1 or more.
    package let size: Int

    /// Rows of `size` values each.
    package init(name: String, values: [Float], size: Int) {
        self.name = name
        self.values = values
        self.size = size
    }

    /// The rows as they are clustered.
    /// - Throws: ``ClusteringError`` for values that are not finite, or too large or too small for squares.
    package var matrix: FeatureMatrix {
        get throws(ClusteringError) {
            try FeatureMatrix(floats: values, count: values.count / size, dimensions: size)
        }
    }
}
