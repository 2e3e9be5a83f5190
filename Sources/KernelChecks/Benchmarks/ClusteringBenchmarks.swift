import Compute

private let pixels = 784
private let components = 50
/// Points that a k-means++ start chooses from: as many as the tool lets it.
private let startRows = 16_384
/// Points that greedy orders pick from, and picks.
private let (orderRows, orderPicks) = (60_000, 100)

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
            + [picks(.kCenter, "k-center"), picks(.herding, "herding")]
            + [50, 500].flatMap { [assign($0), update($0), reduce($0), step($0)] } + [coarse, search]
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

    private var covariance: Benchmark {
        Benchmark(Covariance.kernel, "\(imageRows) rows of \(pixels) bytes") { backend throws(ComputeError) in
            let shape = CovarianceShape(count: imageRows, dimensions: pixels)
            let images = try images(on: backend)
            let tiles = try backend.makeBuffer(of: Int32.self, count: shape.tileElements, label: "covariance")
            let sums = try backend.makeBuffer(of: Int32.self, count: shape.sumElements, label: "column sums")
            return Benchmark.Prepared(
                Covariance(of: images, shape: shape, adding: false, tiles: tiles, sums: sums), on: backend)
        }
    }

    private var projection: Benchmark {
        Benchmark(PcaProject.kernel, "\(imageRows) rows of \(pixels) bytes to \(components)") {
            backend throws(ComputeError) in
            var inputs = CaseInputs(seed: 2)
            let projection = try backend.makeProjection(
                weights: inputs.floats(components * pixels), mean: inputs.floats(pixels, in: 0...255))
            let points = try backend.makePoints(count: imageRows, dimensions: components)
            let images = Rows(.bytes(try images(on: backend)), count: imageRows, dimensions: pixels)
            return Benchmark.Prepared(PcaProject(images, through: projection, into: points), on: backend)
        }
    }

    private var pack: Benchmark {
        Benchmark(PointsPack.kernel, "\(rows) rows of \(components) floats") { backend throws(ComputeError) in
            let points = try backend.makePoints(count: rows, dimensions: components)
            let values = try backend.randomFloats(rows * components, label: "rows")
            let source = Rows(.floats(values), count: rows, dimensions: components)
            return Benchmark.Prepared(PointsPack(source, into: points), on: backend)
        }
    }

    private var unpack: Benchmark {
        Benchmark(PointsUnpack.kernel, "\(rows) points of \(components)") { backend throws(ComputeError) in
            let points = try points(on: backend)
            let target = try backend.makeBuffer(of: Float.self, count: rows * components, label: "rows")
            return Benchmark.Prepared(PointsUnpack(points, into: target), on: backend)
        }
    }

    /// A whole k-means++ start: for each centre the distances of all points to 5 candidates.
    private var start: Benchmark {
        let (k, trials) = (50, 5)
        return Benchmark(KmeansPlusPlusDistances.kernel, "start of k \(k), \(startRows) points") {
            backend throws(ComputeError) in
            let points = try points(startRows, on: backend)
            var inputs = CaseInputs(seed: 3)
            let uniforms = inputs.floats(k * trials, in: 0...0.999)
            let start = try backend.makePlusPlusStart(count: k, trials: trials, points: points, uniforms: uniforms)
            // Of every step; the picks between them are small.
            let distances = try backend.makeBuffer(of: Float.self, count: 1, label: "distances to candidates")
            let cost = KmeansPlusPlusDistances(start, of: points, previous: distances, next: distances).cost
            return Benchmark.Prepared(k * cost) { () throws(ComputeError) in
                try backend.runPlusPlus(start, of: points, first: 0)
            }
        }
    }

    /// The first picks of a greedy order, from points in clusters.
    private func picks(_ rule: GreedyRule, _ name: String) -> Benchmark {
        Benchmark(GreedyDistances.kernel, "\(orderPicks) picks of \(name), \(orderRows) points of \(components)") {
            backend throws(ComputeError) in
            let values = MadeRows.floats(count: orderRows, dimensions: components, seed: 1)
            let points = try backend.makePoints(count: orderRows, dimensions: components)
            try backend.run(
                PointsPack(
                    Rows(
                        .floats(try backend.makeBuffer(values, label: "rows")), count: orderRows,
                        dimensions: components), into: points))
            let mean = try backend.mean(of: points)
            let order = try backend.makeGreedyOrder(rule, count: orderPicks, of: points, mean: mean)
            // All but the first pick are like the second; what picks between distances is small.
            let cost = GreedyDistances(order, of: points, step: 1).cost
            return Benchmark.Prepared(orderPicks * cost) { () throws(ComputeError) in
                let order = try backend.makeGreedyOrder(rule, count: orderPicks, of: points, mean: mean)
                for step in 0..<orderPicks { try backend.runPick(step, order, of: points) }
            }
        }
    }

    private var panels: Benchmark {
        let k = 5000
        return Benchmark(KmeansPanels.kernel, "k \(k) of \(components)") { backend throws(ComputeError) in
            let centroids = try centroids(k, of: try points(on: backend), on: backend)
            return Benchmark.Prepared(KmeansPanels(centroids), on: backend)
        }
    }

    /// A mini-batch.
    private var gatherPoints: Benchmark {
        let size = 1024
        return Benchmark(PointsGather.kernel, "\(size) of \(rows) points of \(components)") {
            backend throws(ComputeError) in
            let points = try points(on: backend)
            let batch = try backend.makePoints(count: size, dimensions: components)
            let indices = try backend.makeBuffer((0..<size).map { Int32($0 * 31 % rows) }, label: "indices")
            return Benchmark.Prepared(PointsGather(indices, of: points, into: batch), on: backend)
        }
    }

    /// The start of a clustering: points become centroids.
    private var gatherCentroids: Benchmark {
        let k = 5000
        return Benchmark(CentroidsGather.kernel, "k \(k) of \(components)") { backend throws(ComputeError) in
            let points = try points(on: backend)
            let centroids = try backend.makeCentroids(count: k, dimensions: components)
            let indices = try backend.makeBuffer((0..<k).map { Int32($0 * 3) }, label: "centres")
            let slots = try backend.makeBuffer((0..<k).map { Int32($0) }, label: "slots")
            return Benchmark.Prepared(CentroidsGather(indices, of: points, into: centroids, slots: slots), on: backend)
        }
    }

    private func assign(_ k: Int) -> Benchmark {
        Benchmark(KmeansAssign.kernel, "\(rows) points of \(components), k \(k)") { backend throws(ComputeError) in
            let points = try points(on: backend)
            let centroids = try centroids(k, of: points, on: backend)
            let labels = try backend.makeBuffer(of: Int32.self, count: rows, label: "labels")
            return Benchmark.Prepared(KmeansAssign(points, to: centroids, labels: labels), on: backend)
        }
    }

    private var coarse: Benchmark {
        let k = 5000
        return Benchmark(KmeansCoarse.kernel, "k \(k) of \(components)") { backend throws(ComputeError) in
            let centroids = try centroids(k, of: try points(on: backend), on: backend)
            let coarse = try backend.makeCoarsePanels(of: centroids)
            return Benchmark.Prepared(KmeansCoarse(centroids, into: coarse), on: backend)
        }
    }

    /// The coarse search of points around 1,000 centres, beside the whole one of ``assign(_:)``; its cost is that of the whole.
    private var search: Benchmark {
        let k = 500
        return Benchmark(KmeansAssign.kernel, "\(rows) made points of \(components), k \(k), coarse search") {
            backend throws(ComputeError) in
            let values = MadeRows.floats(count: rows, dimensions: components, seed: 1)
            let points = try backend.makePoints(count: rows, dimensions: components)
            let buffer = try backend.makeBuffer(values, label: "rows")
            try backend.run(PointsPack(Rows(.floats(buffer), count: rows, dimensions: components), into: points))
            let centroids = try centroids(k, of: points, on: backend)
            let coarse = try backend.makeCoarsePanels(of: centroids)
            try backend.run(KmeansCoarse(centroids, into: coarse))
            let labels = try backend.makeBuffer(of: Int32.self, count: rows, label: "labels")
            return Benchmark.Prepared(
                KmeansAssign(points, to: centroids, labels: labels, coarse: coarse), on: backend)
        }
    }

    /// Sums, counts and the new means.
    private func update(_ k: Int) -> Benchmark {
        Benchmark(KmeansAccumulate.kernel, "\(rows) points of \(components), k \(k), and the new centroids") {
            backend throws(ComputeError) in
            let points = try points(on: backend)
            let centroids = try centroids(k, of: points, on: backend)
            let labels = try backend.makeBuffer((0..<rows).map { Int32($0 * 31 % k) }, label: "labels")
            let sums = try backend.makeClusterSums(count: k, dimensions: components, points: rows, exponent: 33)
            let shifts = try backend.makeBuffer(of: Float.self, count: k, label: "movements")
            return Benchmark.Prepared(
                sums.operations(accumulating: points, labels: labels, adding: false)
                    + [KmeansUpdate(centroids, from: sums, shifts: shifts)], on: backend)
        }
    }

    /// The sums of a round's blocks as exact totals: the price that an iteration of Lloyd's pays for the same bits on any
    /// number of ranks.
    private func reduce(_ k: Int) -> Benchmark {
        Benchmark(KmeansReduce.kernel, "k \(k) of \(components), the blocks of \(rows) points") {
            backend throws(ComputeError) in
            let points = try points(on: backend)
            let labels = try backend.makeBuffer((0..<rows).map { Int32($0 * 31 % k) }, label: "labels")
            let sums = try backend.makeClusterSums(count: k, dimensions: components, points: rows, exponent: 33)
            let accumulation = KmeansAccumulate(points, labels: labels, into: sums)
            try backend.run(accumulation)
            return Benchmark.Prepared(KmeansReduce(sums, blocks: accumulation.blocks, adding: false), on: backend)
        }
    }

    /// A step of mini-batch k-means after its assignment.
    private func step(_ k: Int) -> Benchmark {
        let size = 1024
        return Benchmark(KmeansAccumulateUpdate.kernel, "\(size) points of \(components), k \(k)") {
            backend throws(ComputeError) in
            let points = try points(on: backend)
            let rows = try backend.randomFloats(rows * components, label: "rows")
            let indices = try backend.makeBuffer((0..<size).map { Int32($0 * 13) }, label: "batch")
            let centroids = try centroids(k, of: points, on: backend)
            let labels = try backend.makeBuffer((0..<size).map { Int32($0 * 31 % k) }, label: "labels")
            let sums = try backend.makeBatchSums(count: k, dimensions: components)
            let weights = try backend.makeBuffer([Float](repeating: 1, count: k), label: "weights")
            return Benchmark.Prepared(
                KmeansAccumulateUpdate(
                    centroids, from: SampledRows(rows, at: indices), labels: labels, count: size, sums: sums,
                    weights: weights), on: backend)
        }
    }
}
