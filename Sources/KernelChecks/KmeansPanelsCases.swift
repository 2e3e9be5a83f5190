import Compute

/// Centroids as panels, whose widths differ between backends: compared centroid by centroid.
package enum KmeansPanelsCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        let clusters = [1, 2, 3, 7, 8, 9, 10, 11, 15, 16, 17, 61, 64, 65, 300]
        return clusters.flatMap { count in
            [1, 7, 61].map { KmeansPanelsCase(clusters: count, dimensions: $0, seed: seed) }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { KmeansPanelsCase(clusters: 50, dimensions: $0, seed: seed) }
    }
}

private struct KmeansPanelsCase: KernelCase {
    let clusters: Int
    let dimensions: Int
    let seed: UInt64
    var kernel: String { KmeansPanels.kernel }
    var name: String { "\(clusters) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { clusters * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let values = inputs.floats(clusters * dimensions)
        /// First row and coordinates of every centroid.
        func pack(_ backend: any Backend) throws -> (halves: [Float], coordinates: [Float]) {
            let sized = try CaseCentroids(
                values, count: clusters, dimensions: dimensions, packed: false, on: backend)
            try backend.run(KmeansPanels(sized.centroids))
            let contents = try sized.panels.contents()
            judge.checkGuards("panels", contents)
            let width = backend.layout.panelWidth
            var (halves, coordinates): ([Float], [Float]) = ([], [])
            for slot in 0..<sized.centroids.panelCount * width {
                let start = slot / width * (1 + dimensions) * width + slot % width
                let column = (0..<dimensions).map { contents.values[start + (1 + $0) * width] }
                if slot < clusters {
                    halves.append(contents.values[start])
                    coordinates += column
                } else if contents.values[start] != -.infinity || column.contains(where: { $0 != 0 }) {
                    judge.complain("slot \(slot) has no centroid and is not -infinity, 0, 0, ...")
                }
            }
            return (halves, coordinates)
        }
        let actual = try pack(backend)
        let halves = (0..<clusters).map { centroid -> Bounded in
            let squares = values[centroid * dimensions..<(centroid + 1) * dimensions].map { Double($0) * Double($0) }
            let half = squares.reduce(0, +) / 2
            // A square and an addition a dimension; halving is exact.
            return Bounded(-half, error: Rounding.gamma(dimensions + 1) * half + Rounding.least)
        }
        judge.check("-|c|²/2", actual.halves, equals: halves)
        judge.check("coordinates", actual.coordinates, equals: values, within: .exact)
        return judge.result
    }
}
