extension KmeansPlusPlusDistances {
    package func compute(on backend: CPUBackend) {
        let (start, points) = (start, points)
        let (lanes, dimensions) = (Lanes.scalarCount, points.dimensions)
        let stride = points.tiles * lanes
        let source = backend.pointer(points.buffer)
        let coordinates = backend.pointer(start.coordinates)
        let kept = backend.pointer(previous) + Int(backend.pointer(start.state)[0]) * stride
        let out = backend.pointer(next)
        let sums = backend.pointer(start.blockSums)
        let blockTiles = ClusteringShape.blockUnit / lanes
        backend.parallel(start.blocks) { block in
            for trial in 0..<start.trials {
                var total = Lanes.zero
                for tile in block * blockTiles..<min((block + 1) * blockTiles, points.tiles) {
                    let x = (source + tile * dimensions * lanes).lanes
                    var sum = Lanes.zero
                    for dimension in 0..<dimensions {
                        let difference = x[dimension] - coordinates[dimension * start.trials + trial]
                        sum += difference * difference
                    }
                    let before = (kept + tile * lanes).lanes[0]
                    sum.replace(with: before, where: before .< sum)
                    for lane in 0..<lanes where tile * lanes + lane >= points.count { sum[lane] = 0 }
                    (out + trial * stride + tile * lanes).lanes[0] = sum
                    total += sum
                }
                var sum: Float = 0
                for lane in 0..<lanes { sum += total[lane] }
                sums[trial * start.blocks + block] = sum
            }
        }
    }
}
