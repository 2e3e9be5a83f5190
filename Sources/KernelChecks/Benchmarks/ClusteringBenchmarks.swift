import Compute

private let pixels = 784
private let components = 50
/// Points that a k-means++ start chooses from: as many as the tool lets it.
private let startRows = 16_384

/// The operations of PCA and k-means on images of MNIST: 784 pixels, 50 components.
struct ClusteringBenchmarks: Sendable {
    /// Points that are clustered.
    private let rows: Int
    /// Images that principal components are found of.
    private let imageRows: Int

    init(_ size: BenchmarkSize) {
        rows = size.points
        imageRows = size.images
    }

    /// All of them, in the order of a study.
    var all: [Benchmark] {
        [covariance, projection, pack, unpack, start, panels, gatherPoints, gatherCentroids]
            + [50, 500].flatMap { [assign($0), update($0), step($0)] }
    }

    private func images(on backend: any Backend) throws(ComputeError) -> DeviceBuffer<UInt8> {
        var inputs = CaseInputs(seed: 1)
        let some = inputs.bytes(4099)
        return try backend.makeBuffer((0..<imageRows * pixels).map { some[$0 % some.count] }, label: "images")
    }

    private func points(_ count: Int? = nil, on backend: any Backend) throws(ComputeError) -> Points {
        let rows = count ?? rows
        let values = try backend.randomFloats(rows * components, label: "rows")
        let points = try backend.makePoints(count: rows, dimensions: components)
        try backend.run(PointsPack(Rows(.floats(values), count: rows, dimensions: components), into: points))
        return points
    }

    private func centroids(_ k: Int, of points: Points, on backend: any Backend) throws(ComputeError)
        -> Centroids
    {
        let centroids = try backend.makeCentroids(count: k, dimensions: components)
        let indices = try backend.makeBuffer((0..<k).map { Int32($0 * (rows / k)) }, label: "centres")
        let slots = try backend.makeBuffer((0..<k).map { Int32($0) }, label: "slots")
        try backend.run(CentroidsGather(indices, of: points, into: centroids, slots: slots))
        try backend.run(KmeansPanels(centroids))
        return centroids
    }

    /// A multiply-add for each row and pair of columns, of which half are mirror images.
    private var covariance: Benchmark {
        Benchmark(
            "covariance", "\(imageRows) rows of \(pixels) bytes", operations: Double(imageRows * pixels * (pixels + 1)),
            bytes: Double(imageRows * pixels + 4 * pixels * pixels / 2)
        ) { backend throws(ComputeError) in
            let shape = CovarianceShape(count: imageRows, dimensions: pixels)
            let images = try images(on: backend)
            let tiles = try backend.makeBuffer(of: Int32.self, count: shape.tileElements, label: "covariance")
            let sums = try backend.makeBuffer(of: Int32.self, count: shape.sumElements, label: "column sums")
            return { () throws(ComputeError) in
                try backend.run(Covariance(of: images, shape: shape, adding: false, tiles: tiles, sums: sums))
            }
        }
    }

    private var projection: Benchmark {
        Benchmark(
            "pca_project", "\(imageRows) rows of \(pixels) bytes to \(components)",
            operations: Double(imageRows * pixels * (2 * components + 1)),
            bytes: Double(imageRows * (pixels + 4 * components) + 4 * pixels * components)
        ) { backend throws(ComputeError) in
            var inputs = CaseInputs(seed: 2)
            let projection = try backend.makeProjection(
                weights: inputs.floats(components * pixels), mean: inputs.floats(pixels, in: 0...255))
            let points = try backend.makePoints(count: imageRows, dimensions: components)
            let images = Rows(.bytes(try images(on: backend)), count: imageRows, dimensions: pixels)
            return { () throws(ComputeError) in
                try backend.run(PcaProject(images, through: projection, into: points))
            }
        }
    }

    private var pack: Benchmark {
        Benchmark(
            "points_pack", "\(rows) rows of \(components) floats", operations: 0, bytes: Double(8 * rows * components)
        ) { backend throws(ComputeError) in
            let points = try backend.makePoints(count: rows, dimensions: components)
            let values = try backend.randomFloats(rows * components, label: "rows")
            let source = Rows(.floats(values), count: rows, dimensions: components)
            return { () throws(ComputeError) in try backend.run(PointsPack(source, into: points)) }
        }
    }

    private var unpack: Benchmark {
        Benchmark(
            "points_unpack", "\(rows) points of \(components)", operations: 0, bytes: Double(8 * rows * components)
        ) { backend throws(ComputeError) in
            let points = try points(on: backend)
            let target = try backend.makeBuffer(of: Float.self, count: rows * components, label: "rows")
            return { () throws(ComputeError) in try backend.run(PointsUnpack(points, into: target)) }
        }
    }

    /// A whole k-means++ start: for each centre the distances of all points to 5 candidates, three operations a dimension;
    /// the points, and the distances of the candidates before, are read and the new ones written.
    private var start: Benchmark {
        let (k, trials) = (50, 5)
        return Benchmark(
            "kmeans_plus_plus_distances", "start of k \(k), \(startRows) points",
            operations: Double(k * trials * startRows * 3 * components),
            bytes: Double(4 * k * startRows * (components + 1 + trials))
        ) { backend throws(ComputeError) in
            let points = try points(startRows, on: backend)
            var inputs = CaseInputs(seed: 3)
            let uniforms = inputs.floats(k * trials, in: 0...0.999)
            let start = try backend.makePlusPlusStart(count: k, trials: trials, points: points, uniforms: uniforms)
            return { () throws(ComputeError) in try backend.runPlusPlus(start, of: points, first: 0) }
        }
    }

    /// Half of every centroid's square, and the centroids in their panels.
    private var panels: Benchmark {
        let k = 5000
        return Benchmark(
            "kmeans_panels", "k \(k) of \(components)", operations: Double(2 * k * components),
            bytes: Double(4 * k * (2 * components + 1))
        ) { backend throws(ComputeError) in
            let centroids = try centroids(k, of: try points(on: backend), on: backend)
            return { () throws(ComputeError) in try backend.run(KmeansPanels(centroids)) }
        }
    }

    /// A mini-batch.
    private var gatherPoints: Benchmark {
        let size = 1024
        return Benchmark(
            "points_gather", "\(size) of \(rows) points of \(components)", operations: 0,
            bytes: Double(4 * size * (2 * components + 1))
        ) { backend throws(ComputeError) in
            let points = try points(on: backend)
            let batch = try backend.makePoints(count: size, dimensions: components)
            let indices = try backend.makeBuffer((0..<size).map { Int32($0 * 31 % rows) }, label: "indices")
            return { () throws(ComputeError) in try backend.run(PointsGather(indices, of: points, into: batch)) }
        }
    }

    /// The start of a clustering: points become centroids.
    private var gatherCentroids: Benchmark {
        let k = 5000
        return Benchmark(
            "centroids_gather", "k \(k) of \(components)", operations: 0,
            bytes: Double(4 * k * (2 * components + 2))
        ) { backend throws(ComputeError) in
            let points = try points(on: backend)
            let centroids = try backend.makeCentroids(count: k, dimensions: components)
            let indices = try backend.makeBuffer((0..<k).map { Int32($0 * 3) }, label: "centres")
            let slots = try backend.makeBuffer((0..<k).map { Int32($0) }, label: "slots")
            return { () throws(ComputeError) in
                try backend.run(CentroidsGather(indices, of: points, into: centroids, slots: slots))
            }
        }
    }

    /// A multiply-add a dimension for each point and centroid; the distance to the nearest is left out.
    private func assign(_ k: Int) -> Benchmark {
        Benchmark(
            "kmeans_assign", "\(rows) points of \(components), k \(k)",
            operations: Double(2 * rows * k * components),
            bytes: Double(4 * (rows * (components + 1) + k * components))
        ) { backend throws(ComputeError) in
            let points = try points(on: backend)
            let centroids = try centroids(k, of: points, on: backend)
            let labels = try backend.makeBuffer(of: Int32.self, count: rows, label: "labels")
            return { () throws(ComputeError) in
                try backend.run(KmeansAssign(points, to: centroids, labels: labels))
            }
        }
    }

    /// An addition a dimension for each point, and the means.
    private func update(_ k: Int) -> Benchmark {
        Benchmark(
            "kmeans_accumulate", "\(rows) points of \(components), k \(k), and the new centroids",
            operations: Double(rows * components + k * components),
            bytes: Double(4 * (rows * (components + 1) + k * components))
        ) { backend throws(ComputeError) in
            let points = try points(on: backend)
            let centroids = try centroids(k, of: points, on: backend)
            let labels = try backend.makeBuffer((0..<rows).map { Int32($0 * 31 % k) }, label: "labels")
            let sums = try backend.makeClusterSums(count: k, dimensions: components, points: rows)
            let shifts = try backend.makeBuffer(of: Float.self, count: k, label: "movements")
            return { () throws(ComputeError) in
                try backend.accumulate(points, labels: labels, into: sums, adding: false)
                try backend.run(KmeansUpdate(centroids, from: sums, shifts: shifts))
            }
        }
    }

    /// A step of mini-batch k-means behind its assignment: an addition a dimension for each point, the running means, and
    /// half of every centroid's square.
    private func step(_ k: Int) -> Benchmark {
        let size = 1024
        return Benchmark(
            "kmeans_accumulate_update", "\(size) points of \(components), k \(k)",
            operations: Double(size * components + 5 * k * components),
            bytes: Double(4 * (size * (components + 1) + 3 * k * components))
        ) { backend throws(ComputeError) in
            let points = try points(on: backend)
            let rows = try backend.randomFloats(rows * components, label: "rows")
            let indices = try backend.makeBuffer((0..<size).map { Int32($0 * 13) }, label: "batch")
            let centroids = try centroids(k, of: points, on: backend)
            let labels = try backend.makeBuffer((0..<size).map { Int32($0 * 31 % k) }, label: "labels")
            let sums = try backend.makeClusterSums(count: k, dimensions: components, points: 1)
            let weights = try backend.makeBuffer([Float](repeating: 1, count: k), label: "weights")
            return { () throws(ComputeError) in
                try backend.run(
                    KmeansAccumulateUpdate(
                        centroids, from: SampledRows(rows, at: indices), labels: labels, count: size, sums: sums,
                        weights: weights))
            }
        }
    }
}
