import Compute

/// The nearest centroid. Labels are judged by true distances, in double precision: where two centroids are nearer to
/// each other than rounding can tell, either is right; where there is no rounding, the lowest index must win a tie.
package enum KmeansAssignCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for (index, clusters) in [1, 2, 3, 7, 9, 10, 11, 16, 17, 61, 257, 300].enumerated() {
            let matrices = [AwkwardMatrix.all[index], AwkwardMatrix.few[index % AwkwardMatrix.few.count]]
            for (repeated, matrix) in matrices.enumerated() {
                for kind in KmeansAssignCase.Kind.allCases {
                    if kind != .far {
                        cases.append(
                            KmeansAssignCase(
                                count: matrix.0, dimensions: matrix.1, clusters: clusters, kind: kind,
                                hasDistances: (index + repeated) % 3 != 0, isDirect: false,
                                seed: seed + UInt64(repeated)))
                    }
                    guard repeated == 1, kind != .plain else { continue }
                    cases.append(
                        KmeansAssignCase(
                            count: matrix.0, dimensions: matrix.1, clusters: clusters, kind: kind,
                            hasDistances: index % 2 == 0, isDirect: true, seed: seed))
                }
            }
        }
        return cases + CoarseSearchCase.all(seed: seed)
            + [1, 7, 31, 32, 33, 64, 127].enumerated().map { index, batch in
                let matrix = AwkwardMatrix.all[2 * index + 1]
                return GatherAndAssignCase(
                    count: matrix.0, dimensions: matrix.1, batch: batch, clusters: [1, 10, 61][index % 3],
                    isDirect: index % 3 == 2, seed: seed)
            }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].flatMap { dimensions -> [any KernelCase] in
            [true, false].map {
                KmeansAssignCase(
                    count: 300, dimensions: dimensions, clusters: 50, kind: .plain, hasDistances: $0,
                    isDirect: false, seed: seed)
            } + [
                GatherAndAssignCase(
                    count: 1100, dimensions: dimensions, batch: 1024, clusters: 50, isDirect: false, seed: seed)
            ]
        }
            + [true, false].map {
                CoarseSearchCase(
                    count: 300, dimensions: 50, clusters: 500, kind: .near, isDirect: false, hasDistances: $0,
                    seed: seed)
            }
    }
}

/// A batch that is gathered first, from the second of two lists of indices: the same bits as an assignment of the points
/// brought together here.
private struct GatherAndAssignCase: KernelCase {
    let count: Int
    let dimensions: Int
    let batch: Int
    let clusters: Int
    let isDirect: Bool
    let seed: UInt64
    var kernel: String { KmeansAssign.kernel }
    var variety: String { "gathered" }
    var name: String {
        "\(batch) gathered of \(count) x \(dimensions), k \(clusters)\(isDirect ? ", direct" : ""), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, gathered\(isDirect ? ", direct" : "")" }
    var cost: Int { batch * clusters * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let rows = inputs.floats(count * dimensions)
        let values = inputs.floats(clusters * dimensions)
        // Indices repeat, and the last row is among them.
        var indices = inputs.integers(2 * batch, in: 0..<count)
        indices[2 * batch - 1] = Int32(count - 1)
        let points = indices[batch..<2 * batch].flatMap { rows[Int($0) * dimensions..<(Int($0) + 1) * dimensions] }

        let gathered = try CasePoints(output: batch, dimensions: dimensions, on: backend)
        let labels = try GuardedBuffer<Int32>(on: backend, count: batch, label: "labels")
        let distances = try GuardedBuffer(
            on: backend, [Float](repeating: -7, count: 2 * batch), label: "distances")
        let centroids = try CaseCentroids(values, count: clusters, dimensions: dimensions, on: backend).centroids
        try backend.run(
            KmeansAssign(
                gathered.points, to: centroids, direct: isDirect, labels: labels.buffer, distances: distances.buffer,
                gathering: SampledRows(
                    try backend.makeBuffer(rows, label: "rows"), at: try backend.makeBuffer(indices, label: "indices"),
                    from: batch)))

        let plain = try CasePoints(points, count: batch, dimensions: dimensions, on: backend)
        let plainLabels = try GuardedBuffer<Int32>(on: backend, count: batch, label: "labels")
        let plainDistances = try GuardedBuffer<Float>(on: backend, count: batch, label: "distances")
        try backend.run(
            KmeansAssign(
                plain.points, to: centroids, direct: isDirect, labels: plainLabels.buffer,
                distances: plainDistances.buffer))
        judge.check("batch", try gathered.contents(), equals: try plain.contents(), within: .exact)
        judge.check("labels", try labels.contents(), equals: try plainLabels.contents().values)
        let expected = [Float](repeating: -7, count: batch) + (try plainDistances.contents().values)
        judge.check("distances", try distances.contents(), equals: expected, within: .exact)
        return judge.result
    }
}

/// A coarse search: the labels and distances of the whole search, bit for bit.
private struct CoarseSearchCase: KernelCase {
    enum Kind: CaseIterable {
        /// Points around centroids, the centroids around 50 places.
        case near
        /// Small whole numbers and the same centroid several times.
        case ties
        /// Centroids that the 8-bit numbers cannot tell apart: the search gives up.
        case crowded
        /// Far from the origin, where the products cancel.
        case cancelling
        /// Coordinates of very different size, of points and of centroids.
        case uneven
        /// So small that products underflow, for some points so large that they overflow: too small to be searched.
        case extreme
        /// As small as is searched, and points whose squares underflow.
        case small
        /// As large as is searched.
        case large
        /// The two best scores differ by a half, and 8 bits hold the numbers almost exactly: the bounds are as narrow as
        /// they get, and a limit a few margins too high leaves the nearest centroid out. No case needs the whole margin;
        /// that it is as large as rounding requires rests on the derivation in coarse_search.clh.
        case narrow
        /// Some points have a NaN or an infinity.
        case poisoned
    }
    let count: Int
    let dimensions: Int
    let clusters: Int
    /// More than the search keeps panels of at once (RUN of coarse_search.clh, 128), the widest being of 16, and one more in a
    /// panel that is not full. The tuner compares panels of every width, so that the number may not depend on it.
    static let beyondRun = (128 + 5) * 16 + 1
    let kind: Kind
    let isDirect: Bool
    var hasDistances = true
    let seed: UInt64
    var kernel: String { KmeansAssign.kernel }
    var variety: String { "coarse" }
    var name: String {
        "coarse search, \(count) x \(dimensions), k \(clusters), \(kind)"
            + "\(isDirect ? ", direct" : "")\(hasDistances ? ", distances" : ""), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, coarse, \(hasDistances)\(isDirect ? ", direct" : "")" }
    var cost: Int { 2 * count * clusters * dimensions }

    /// Few programs, each for many numbers of points and centroids: one panel, many, and more than are kept at once.
    static func all(seed: UInt64) -> [any KernelCase] {
        let counts = [1, 7, 15, 16, 17, 31, 32, 33, 64, 127, 257]
        let clusters = [1, 9, 10, 11, 61, 480, 601, Self.beyondRun]
        var cases: [any KernelCase] = []
        for (dimensions, isDirect) in [(61, false), (61, true), (130, true)] {
            for (index, kind) in Kind.allCases.enumerated() {
                for other in 0..<4 {
                    cases.append(
                        CoarseSearchCase(
                            count: counts[(3 * index + 2 * other) % counts.count], dimensions: dimensions,
                            clusters: clusters[(index + 3 * other) % clusters.count], kind: kind, isDirect: isDirect,
                            seed: seed + UInt64(other)))
                }
                cases.append(
                    CoarseSearchCase(
                        count: 257, dimensions: dimensions, clusters: Self.beyondRun, kind: kind, isDirect: isDirect,
                        seed: seed + 7))
            }
        }
        return cases
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let (points, values) = operands(clusters)
        let centroids = try backend.makeCentroids(count: clusters, dimensions: dimensions)
        // Poisoned, as the panels of other cases are: every row has to be written.
        try backend.fill(centroids.panels, with: .nan)
        try backend.write(values, to: centroids.values)
        try backend.run(KmeansPanels(centroids))
        let coarse = try backend.makeCoarsePanels(of: centroids)
        try backend.run(KmeansCoarse(centroids, into: coarse))

        func assign(_ coarse: CoarsePanels?) throws -> (GuardedContents<Int32>, GuardedContents<Float>) {
            let labels = try GuardedBuffer<Int32>(on: backend, count: count, label: "labels")
            let distances = try GuardedBuffer<Float>(on: backend, count: count, label: "distances")
            let laidOut = try CasePoints(points, count: count, dimensions: dimensions, on: backend)
            try backend.run(
                KmeansAssign(
                    laidOut.points, to: centroids, direct: isDirect, labels: labels.buffer,
                    distances: hasDistances ? distances.buffer : nil, coarse: coarse))
            return (try labels.contents(), try distances.contents())
        }
        let (whole, found) = (try assign(nil), try assign(coarse))
        judge.checkGuards("labels", found.0)
        judge.check("labels", found.0, equals: whole.0.values)
        if hasDistances { judge.check("distances", found.1, equals: whole.1.values, within: .exact) }
        return judge.result
    }

    /// Points [count][dimensions] and centroids [clusters][dimensions].
    private func operands(_ clusters: Int) -> (points: [Float], centroids: [Float]) {
        var inputs = CaseInputs(seed: seed)
        let (pointCount, centroidCount) = (count * dimensions, clusters * dimensions)
        var points: [Float]
        var centroids: [Float]
        switch kind {
        case .ties:
            points = inputs.wholeFloats(pointCount, in: -2..<3)
            centroids = inputs.wholeFloats(centroidCount, in: -2..<3)
            for element in centroidCount / 2..<centroidCount {
                centroids[element] = centroids[element - centroidCount / 2]
            }
        case .cancelling:
            points = inputs.floats(pointCount, in: 999...1001)
            centroids = inputs.floats(centroidCount, in: 999...1001)
        case .crowded:
            points = inputs.floats(pointCount)
            centroids = inputs.floats(centroidCount, in: -0.001...0.001)
            for element in centroids.indices { centroids[element] += Float(element % dimensions % 3 - 1) }
        case .narrow:
            (points, centroids) = pairs(max(1, clusters / 2), clusters, &inputs)
        case .near, .uneven, .extreme, .small, .large, .poisoned:
            let places = inputs.floats(50 * dimensions)
            centroids = inputs.floats(centroidCount, in: -0.3...0.3)
            for element in centroids.indices { centroids[element] += places[element % places.count] }
            points = inputs.floats(pointCount, in: -0.6...0.6)
            for element in points.indices { points[element] += centroids[element * 7 % dimensions] }
            for point in 0..<count {
                let own = point * 37 % clusters
                for dimension in 0..<dimensions {
                    points[point * dimensions + dimension] += centroids[own * dimensions + dimension]
                }
            }
        }
        switch kind {
        case .uneven:
            for element in points.indices where element / dimensions % 9 == 4 { points[element] *= 1e5 }
            for element in centroids.indices where element / dimensions % 13 == 6 { centroids[element] *= 3000 }
            for element in points.indices where element % dimensions == 5 { points[element] *= 100 }
        case .extreme:
            for element in points.indices { points[element] *= element / dimensions % 5 == 2 ? 1e19 : 1e-19 }
            for element in centroids.indices { centroids[element] *= 1e-19 }
        case .small:
            for element in points.indices { points[element] *= element / dimensions % 5 == 2 ? 1e-20 : 1e-12 }
            for element in centroids.indices { centroids[element] *= 1e-12 }
        case .large:
            for element in points.indices { points[element] *= 1e13 }
            for element in centroids.indices { centroids[element] *= 1e13 }
        case .poisoned:
            for point in stride(from: 3, to: count, by: 40) { points[point * dimensions + dimensions - 1] = .nan }
            for point in stride(from: 5, to: count, by: 70) { points[point * dimensions] = .infinity }
        case .near, .ties, .cancelling, .crowded, .narrow: break
        }
        return (points, centroids)
    }

    /// Whole numbers: a point of every pair, one centroid at distance √2 from it in the first half, one at distance 1 in
    /// the second, and the other pairs far away. In dimensions 2 and 3 of every four the squares of a chunk of 64 dimensions
    /// add up to 31,506, just below 177.5²: the scales are almost 1.
    private func pairs(_ pairCount: Int, _ clusters: Int, _ inputs: inout CaseInputs) -> ([Float], [Float]) {
        let size = pairCount * dimensions
        let (signs, small) = (inputs.integers(size, in: 0..<2), inputs.integers(size, in: -4..<5))
        func coordinate(_ pair: Int, _ dimension: Int) -> Float {
            guard dimension % 4 >= 2 else { return Float(small[pair * dimensions + dimension]) }
            let position = dimension % 64 / 4 * 2 + dimension % 2
            let sizes: [Float] = [53, 5]
            let magnitude = position < 2 ? sizes[position] : position < 30 ? 32 : 0
            return signs[pair * dimensions + dimension] == 0 ? magnitude : -magnitude
        }
        let points = (0..<count * dimensions).map { coordinate($0 / dimensions % pairCount, $0 % dimensions) }
        var centroids = (0..<clusters * dimensions).map { coordinate($0 / dimensions % pairCount, $0 % dimensions) }
        for centroid in 0..<clusters {
            centroids[centroid * dimensions + 4 * (centroid % 7)] += 1
            if centroid < pairCount { centroids[centroid * dimensions + 4 * (centroid % 7) + 1] += 1 }
        }
        return (points, centroids)
    }
}

private struct KmeansAssignCase: KernelCase {
    enum Kind: String, CaseIterable {
        /// Any numbers.
        case plain
        /// Small whole numbers, where everything is exact and ties are many.
        case ties
        /// Far from the origin, where the products cancel.
        case cancelling
        /// In groups so far from each other that no score of one can tell its centroids apart.
        case far
        /// Some points have a NaN, some are so large that products overflow, and so is a centroid.
        case poisoned
    }
    let count: Int
    let dimensions: Int
    let clusters: Int
    let kind: Kind
    let hasDistances: Bool
    let isDirect: Bool
    let seed: UInt64
    var kernel: String { KmeansAssign.kernel }
    var variety: String { isDirect ? "direct" : kernel }
    var name: String {
        "\(count) x \(dimensions), k \(clusters), \(kind.rawValue)\(hasDistances ? ", distances" : "")"
            + "\(isDirect ? ", direct" : ""), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, \(hasDistances)\(isDirect ? ", direct" : "")" }
    var cost: Int { count * clusters * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        var points: [Float]
        var centroids: [Float]
        switch kind {
        case .ties:
            points = inputs.wholeFloats(count * dimensions, in: -2..<3)
            centroids = inputs.wholeFloats(clusters * dimensions, in: -2..<3)
        case .cancelling:
            points = inputs.floats(count * dimensions, in: 9...11)
            centroids = inputs.floats(clusters * dimensions, in: 9...11)
        case .far:
            // Point i and centroid i are of group i mod 3.
            points = inputs.floats(count * dimensions)
            centroids = inputs.floats(clusters * dimensions)
            for element in points.indices { points[element] += Float(element / dimensions % 3 - 1) * 5000 }
            for element in centroids.indices { centroids[element] += Float(element / dimensions % 3 - 1) * 5000 }
        case .plain, .poisoned:
            points = inputs.floats(count * dimensions)
            centroids = inputs.floats(clusters * dimensions)
        }
        var overflowing = Set<Int>()
        if kind == .poisoned {
            // Every centroid has a positive first coordinate: the overflow is to -infinity with all of them.
            for centroid in 0..<clusters { centroids[centroid * dimensions] = 2 + Float(centroid % 3) }
            for point in stride(from: 0, to: count, by: 5) { points[point * dimensions + dimensions - 1] = .nan }
            for point in stride(from: 3, to: count, by: 7) where !points[point * dimensions + dimensions - 1].isNaN {
                points[point * dimensions] = -3e38
                overflowing.insert(point)
            }
            // The square of the first centroid overflows, so that it is nobody's.
            if clusters > 1 { centroids[0] = 1e25 }
        }

        func assign(_ backend: any Backend) throws -> (GuardedContents<Int32>, GuardedContents<Float>) {
            let labels = try GuardedBuffer<Int32>(on: backend, count: count, label: "labels")
            let distances = try GuardedBuffer<Float>(on: backend, count: count, label: "distances")
            try backend.run(
                KmeansAssign(
                    try CasePoints(points, count: count, dimensions: dimensions, on: backend).points,
                    to: try CaseCentroids(centroids, count: clusters, dimensions: dimensions, on: backend).centroids,
                    direct: isDirect, labels: labels.buffer, distances: hasDistances ? distances.buffer : nil))
            return (try labels.contents(), try distances.contents())
        }
        let (labels, distances) = try assign(backend)
        judge.checkGuards("labels", labels)
        judge.note(labels.values)
        var nearest: [Float] = []
        for point in 0..<count {
            let label = Int(labels.values[point])
            guard (0..<clusters).contains(label) else {
                judge.complain("labels[\(point)] is \(label), there are \(clusters) centroids")
                return judge.result
            }
            let x = points[point * dimensions..<(point + 1) * dimensions]
            let lost = x.contains(where: \.isNaN) || overflowing.contains(point)
            if lost {
                if label != 0 { judge.complain("labels[\(point)] is \(label), 0 is due where no score is a number") }
            } else {
                checkNearest(&judge, point, label, Array(x), centroids)
            }
            nearest.append(
                overflowing.contains(point) ? .infinity : Float(square(Array(x), centroids, label)))
        }
        if hasDistances {
            // A difference, which is squared, and a square round once each, and each addition: all of one sign.
            judge.check(
                "distances", distances, equals: nearest, within: Tolerance(relative: Rounding.gamma(dimensions + 3)))
        } else if distances.unwrittenCount != count || distances.firstOverrun != nil {
            judge.complain("distances were written unasked")
        }
        if kind == .ties {
            let (expected, _) = try assign(reference)
            judge.check("labels", labels, equals: expected.values)
        }
        return judge.result
    }

    private func square(_ x: [Float], _ centroids: [Float], _ centroid: Int) -> Double {
        var sum = 0.0
        for dimension in 0..<dimensions {
            let difference = Double(x[dimension]) - Double(centroids[centroid * dimensions + dimension])
            sum += difference * difference
        }
        return sum
    }

    /// What rounding can add to a distance that is summed directly, where those decide; else to |x|² - 2 score: the squares of c pass through d + 1 roundings in |c|²/2 and as many as the
    /// products in the score, d + 1.
    private func slack(_ x: [Float], _ centroids: [Float], _ centroid: Int) -> Double {
        if kind == .ties { return 0 }
        if isDirect { return Rounding.gamma(dimensions + 3) * square(x, centroids, centroid) }
        var slack = 0.0
        for dimension in 0..<dimensions {
            let c = Double(centroids[centroid * dimensions + dimension])
            slack += Rounding.gamma(dimensions + 1) * 2 * abs(Double(x[dimension]) * c)
            slack += Rounding.gamma(2 * dimensions + 2) * c * c
        }
        return slack
    }

    private func checkNearest(
        _ judge: inout CaseJudge, _ point: Int, _ label: Int, _ x: [Float], _ centroids: [Float]
    ) {
        let candidates = (0..<clusters).map { centroid in
            Candidate(distance: square(x, centroids, centroid), slack: slack(x, centroids, centroid))
        }
        if let complaint = nearestComplaint(label, among: candidates) { judge.complain("labels[\(point)]\(complaint)") }
    }
}
