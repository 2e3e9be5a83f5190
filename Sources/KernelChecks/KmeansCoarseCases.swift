import Compute

/// Centroids as 8-bit numbers: what the search of `kmeans_assign` relies on, and that nothing else is written.
package enum KmeansCoarseCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        [1, 7, 10, 11, 17, 64, 65, 300].flatMap { count in
            [1, 7, 61, 130].map { KmeansCoarseCase(clusters: count, dimensions: $0, seed: seed) }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { KmeansCoarseCase(clusters: 500, dimensions: $0, seed: seed) }
    }
}

private struct KmeansCoarseCase: KernelCase {
    let clusters: Int
    let dimensions: Int
    let seed: UInt64
    var kernel: String { KmeansCoarse.kernel }
    var name: String { "\(clusters) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { clusters * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        var values = inputs.floats(clusters * dimensions)
        // A panel of zeros, a centroid that is far from all, and one whose square overflows.
        for element in 0..<min(16, clusters) * dimensions { values[element] = 0 }
        if clusters > 40 { values[40 * dimensions] = -3e6 }
        if clusters > 64 { values[64 * dimensions] = 1e25 }
        let sized = try CaseCentroids(values, count: clusters, dimensions: dimensions, on: backend)
        let centroids = sized.centroids
        let width = backend.layout.panelWidth
        let rows = CoarsePanels.rows(dimensions)
        let numbers = try GuardedBuffer<Int32>(
            on: backend, count: centroids.panelCount * rows * width, label: "coarse centroids")
        let bounds = try GuardedBuffer<Float>(
            on: backend, count: centroids.panelCount * CoarsePanels.boundCount, label: "coarse bounds")
        try backend.run(
            KmeansCoarse(
                centroids, into: CoarsePanels(numbers: numbers.buffer, bounds: bounds.buffer, dimensions: dimensions)))
        let (packed, limits) = (try numbers.contents(), try bounds.contents())
        judge.checkGuards("coarse centroids", packed)
        judge.checkGuards("coarse bounds", limits)
        let halves = try sized.panels.contents().values
        for panel in 0..<centroids.panelCount {
            let members = panel * width..<min((panel + 1) * width, clusters)
            check(
                &judge, panel, members.map { Array(values[$0 * dimensions..<($0 + 1) * dimensions]) },
                packed: Array(packed.values[panel * rows * width..<(panel + 1) * rows * width]), width: width,
                bounds: Array(limits.values[panel * CoarsePanels.boundCount..<(panel + 1) * CoarsePanels.boundCount]),
                halves: members.indices.map { halves[panel * (1 + dimensions) * width + $0 - members.lowerBound] })
        }
        return judge.result
    }

    /// The numbers of a panel of `centroids`, unpacked, and what they promise.
    private func check(
        _ judge: inout CaseJudge, _ panel: Int, _ centroids: [[Float]], packed: [Int32], width: Int, bounds: [Float],
        halves: [Float]
    ) {
        let scale = Double(bounds[0])
        let chunk = CoarsePanels.chunk
        let isLost = centroids.joined().contains { !(abs($0) <= CoarsePanels.mostLength) }
        if isLost != (bounds[2] == .infinity) { judge.complain("panel \(panel) has length \(bounds[2])") }
        var (error, length) = (0.0, 0.0)
        for slot in 0..<width {
            let centroid = slot < centroids.count && !isLost ? centroids[slot].map(Double.init) : []
            var lost = 0.0
            for start in stride(from: 0, to: dimensions, by: 4 * chunk) {
                let row = start / (4 * chunk) * (1 + chunk)
                var (sums, squares) = ([0, 0], [0.0, 0.0])
                for dimension in start..<min(start + 4 * chunk, (dimensions + 3) / 4 * 4) {
                    let word = packed[(row + 1 + (dimension - start) / 4) * width + slot]
                    let number = Int(Int8(truncatingIfNeeded: word >> Int32(dimension % 4 * 8)))
                    let due = dimension < centroid.count ? centroid[dimension] : 0
                    let difference = due - scale * Double(number)
                    if abs(number) > 64 || abs(difference) > 0.50001 * scale {
                        judge.complain("panel \(panel), slot \(slot): \(number) at \(dimension), scale \(scale)")
                    }
                    lost += difference * difference
                    sums[dimension % 4 / 2] += number
                    squares[dimension % 4 / 2] += Double(number * number)
                }
                if squares.contains(where: { $0 > 32_767 }) {
                    judge.complain("panel \(panel), slot \(slot): sums of squares \(squares)")
                }
                let offset = packed[row * width + slot]
                if [offset & 0xFFFF, offset >> 16 & 0xFFFF] != sums.map({ Int32(-128 * $0) & 0xFFFF }) {
                    judge.complain("panel \(panel), slot \(slot): offsets \(offset) of sums \(sums)")
                }
            }
            error = max(error, lost.squareRoot())
            length = max(length, centroid.reduce(0) { $0 + $1 * $1 }.squareRoot())
        }
        guard !isLost else { return }
        let relative = Rounding.gamma(dimensions + 8)
        judge.check(
            "error and length of panel \(panel)", [bounds[1], bounds[2]],
            equals: [
                Bounded(error, error: relative * error + 1e-5 * scale), Bounded(length, error: relative * length),
            ])
        if bounds[3] != halves.map({ -$0 }).max() { judge.complain("panel \(panel): |c|²/2 at most \(bounds[3])") }
    }
}
