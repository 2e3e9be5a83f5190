/// Operations that have no kernel yet: an OpenCL backend says so. Delete this file when their kernels come.
extension OpenCLBackend {
    public var pointLanes: Int { 16 }
    public var panelWidth: Int { 4 }

    public func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, tiles: DeviceBuffer<Int32>, sums: DeviceBuffer<Int32>
    )
        throws(ComputeError)
    { throw missing("covariance") }
    public func covariance(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, tiles: DeviceBuffer<Float>,
        sums: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("covariance") }
    public func packPoints(_ rows: Rows, into points: Points, at first: Int) throws(ComputeError) {
        throw missing("packPoints")
    }
    public func project(_ rows: Rows, through projection: Projection, into points: Points, at first: Int)
        throws(ComputeError)
    { throw missing("project") }
    public func gatherPoints(_ indices: DeviceBuffer<Int32>, of points: Points, into batch: Points) throws(ComputeError)
    { throw missing("gatherPoints") }
    public func gatherCentroids(
        _ indices: DeviceBuffer<Int32>, of points: Points, into centroids: Centroids, slots: DeviceBuffer<Int32>
    )
        throws(ComputeError)
    { throw missing("gatherCentroids") }
    public func packCentroids(_ centroids: Centroids) throws(ComputeError) { throw missing("packCentroids") }
    public func assign(
        _ points: Points, to centroids: Centroids, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>?
    )
        throws(ComputeError)
    { throw missing("assign") }
    public func accumulate(_ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums) throws(ComputeError) {
        throw missing("accumulate")
    }
    public func updateCentroids(
        _ centroids: Centroids, from sums: ClusterSums, weights: DeviceBuffer<Float>?, shifts: DeviceBuffer<Float>
    )
        throws(ComputeError)
    { throw missing("updateCentroids") }
    public func plusPlusDistances(
        _ start: PlusPlusStart, of points: Points, previous: DeviceBuffer<Float>,
        next: DeviceBuffer<Float>
    ) throws(ComputeError) { throw missing("plusPlusDistances") }
    public func plusPlusPick(
        _ start: PlusPlusStart, of points: Points, distances: DeviceBuffer<Float>, step: Int, first: Int
    )
        throws(ComputeError)
    { throw missing("plusPlusPick") }

    private func missing(_ operation: String) -> ComputeError {
        .invalidShape(operation: operation, reason: "the OpenCL backend has no kernel for it yet")
    }
}
