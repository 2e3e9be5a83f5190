/// The operations behind PCA and k-means.
public protocol ClusteringOperations: BufferBackend {}
