import Testing

@testable import Compute

/// What the operations of PCA and k-means check and cost, which is the same for both of their forms.
@Suite struct ClusteringOperationTests {
    private let backend = CPUBackend()

    private func buffer<Element: BufferElement>(_ type: Element.Type, _ count: Int, _ label: String = "buffer")
        throws -> DeviceBuffer<Element>
    {
        try backend.makeBuffer(of: type, count: count, label: label)
    }

    /// The same memory with one element less.
    private func short<Element>(_ buffer: DeviceBuffer<Element>, by missing: Int = 1) -> DeviceBuffer<Element> {
        DeviceBuffer(count: buffer.count - missing, label: buffer.label, storage: buffer.storage)
    }

    private func short(_ points: Points) -> Points {
        Points(
            buffer: short(points.buffer), count: points.count, dimensions: points.dimensions, lanes: points.lanes)
    }

    private func alien(_ points: Points) -> Points {
        Points(buffer: points.buffer, count: points.count, dimensions: points.dimensions, lanes: 2 * points.lanes)
    }

    /// Centroids with a buffer too short, or laid out for another device.
    private func bad(_ centroids: Centroids) -> [Centroids] {
        func with(
            values: DeviceBuffer<Float>? = nil, panels: DeviceBuffer<Float>? = nil, dimensions: Int? = nil,
            panelWidth: Int? = nil
        ) -> Centroids {
            Centroids(
                values: values ?? centroids.values, panels: panels ?? centroids.panels, count: centroids.count,
                dimensions: dimensions ?? centroids.dimensions, panelWidth: panelWidth ?? centroids.panelWidth)
        }
        return [
            with(values: short(centroids.values)),
            with(panels: short(centroids.panels, by: CoarsePanels.padding + 1)),
            with(panelWidth: centroids.panelWidth + 1), with(dimensions: 0),
        ]
    }

    /// Sums with one of these buffers too short.
    private func bad(_ sums: ClusterSums, totals: Bool, partials: Bool) -> [ClusterSums] {
        func with(
            totals: DeviceBuffer<Int64>? = nil, partials: DeviceBuffer<Float>? = nil,
            partialCounts: DeviceBuffer<Int32>? = nil, blockPoints: Int? = nil, exponent: Int? = nil
        ) -> ClusterSums {
            ClusterSums(
                totals: totals ?? sums.totals, partials: partials ?? sums.partials,
                partialCounts: partialCounts ?? sums.partialCounts, count: sums.count, dimensions: sums.dimensions,
                blocks: sums.blocks, blockPoints: blockPoints ?? sums.blockPoints, exponent: exponent ?? sums.exponent,
                isCompensated: sums.isCompensated)
        }
        return
            (totals ? [with(totals: short(sums.totals)), with(exponent: 127), with(exponent: -127)] : [])
            + (partials
                ? [
                    with(partials: short(sums.partials)), with(partialCounts: short(sums.partialCounts)),
                    with(blockPoints: 0),
                ] : [])
    }

    /// A mini-batch's sums with one of these buffers too short.
    private func bad(_ sums: BatchSums) -> [BatchSums] {
        [
            BatchSums(
                totals: short(sums.totals), counts: sums.counts, count: sums.count, dimensions: sums.dimensions),
            BatchSums(
                totals: sums.totals, counts: short(sums.counts), count: sums.count, dimensions: sums.dimensions),
        ]
    }

    /// The first passes, every other one is refused by its name.
    private func expect<Value: Operation>(_ good: Value, refused: [Value], _ line: Int = #line) throws {
        try good.validate(for: backend.layout)
        for (index, operation) in refused.enumerated() {
            do throws(ComputeError) {
                try operation.validate(for: backend.layout)
                Issue.record("\(Value.kernel), number \(index) of line \(line), was taken")
            } catch {
                guard case .invalidShape(Value.kernel, _) = error else {
                    Issue.record("\(Value.kernel), number \(index): \(error)")
                    continue
                }
            }
        }
    }

    @Test func covarianceRefusesWhatIsTooShort() throws {
        let shape = CovarianceShape(count: 20, dimensions: 7)
        let (bytes, floats) = (try buffer(UInt8.self, 140), try buffer(Float.self, 140))
        let whole = (try buffer(Int32.self, shape.tileElements), try buffer(Int32.self, shape.sumElements))
        let real = (try buffer(Float.self, shape.tileElements), try buffer(Float.self, shape.sumElements))
        let shift = try buffer(Float.self, 7)
        try expect(
            Covariance(of: bytes, shape: shape, adding: false, tiles: whole.0, sums: whole.1),
            refused: [
                Covariance(of: short(bytes), shape: shape, adding: false, tiles: whole.0, sums: whole.1),
                Covariance(of: bytes, shape: shape, adding: false, tiles: short(whole.0), sums: whole.1),
                Covariance(of: bytes, shape: shape, adding: false, tiles: whole.0, sums: short(whole.1)),
                Covariance(
                    of: bytes, shape: CovarianceShape(count: 0, dimensions: 7), adding: false, tiles: whole.0,
                    sums: whole.1),
                Covariance(of: short(floats), shape: shape, shift: shift, adding: false, tiles: real.0, sums: real.1),
                Covariance(of: floats, shape: shape, shift: short(shift), adding: false, tiles: real.0, sums: real.1),
                Covariance(of: floats, shape: shape, shift: shift, adding: false, tiles: short(real.0), sums: real.1),
                Covariance(of: floats, shape: shape, shift: shift, adding: false, tiles: real.0, sums: short(real.1)),
            ])
        try Covariance(of: floats, shape: shape, shift: shift, adding: true, tiles: real.0, sums: real.1)
            .validate(for: backend.layout)
    }

    @Test func rowsAndPointsMustFit() throws {
        let points = try backend.makePoints(count: 40, dimensions: 3)
        let values = try buffer(Float.self, 120)
        let rows = Rows(.floats(values), count: 40, dimensions: 3)
        let wide = Rows(.floats(values), count: 24, dimensions: 5)
        try expect(
            PointsPack(rows, into: points),
            refused: [
                PointsPack(Rows(.floats(short(values)), count: 40, dimensions: 3), into: points),
                PointsPack(rows, into: short(points)), PointsPack(rows, into: alien(points)),
                PointsPack(wide, into: points), PointsPack(rows, into: points, at: 16),
                PointsPack(Rows(.floats(values), count: 20, dimensions: 3), into: points, at: 1),
                PointsPack(Rows(.floats(values), count: 20, dimensions: 3), into: points),
                PointsPack(Rows(.floats(values), count: 0, dimensions: 3), into: points),
            ])
        let projection = try backend.makeProjection(
            weights: [Float](repeating: 1, count: 15), mean: [Float](repeating: 0, count: 5))
        func with(mean: DeviceBuffer<Float>? = nil, panels: DeviceBuffer<Float>? = nil, width: Int? = nil)
            -> PcaProject
        {
            PcaProject(
                Rows(.floats(values), count: 24, dimensions: 5),
                through: Projection(
                    panels: panels ?? projection.panels, mean: mean ?? projection.mean, components: 3, dimensions: 5,
                    panelWidth: width ?? projection.panelWidth),
                into: points, at: 16)
        }
        try expect(
            with(),
            refused: [
                with(mean: short(projection.mean)), with(panels: short(projection.panels)),
                with(width: projection.panelWidth + 1), PcaProject(rows, through: projection, into: points),
                PcaProject(wide, through: projection, into: short(points), at: 16),
            ])
        try expect(
            PointsUnpack(points, into: values),
            refused: [PointsUnpack(points, into: short(values)), PointsUnpack(short(points), into: values)])
        let batch = try backend.makePoints(count: 9, dimensions: 3)
        let indices = try buffer(Int32.self, 9)
        try expect(
            PointsGather(indices, of: points, into: batch),
            refused: [
                PointsGather(short(indices), of: points, into: batch),
                PointsGather(indices, of: short(points), into: batch),
                PointsGather(indices, of: points, into: short(batch)),
                PointsGather(indices, of: points, into: try backend.makePoints(count: 9, dimensions: 2)),
            ])
        let centroids = try backend.makeCentroids(count: 9, dimensions: 3)
        let slots = try buffer(Int32.self, 9)
        try expect(
            CentroidsGather(indices, of: points, into: centroids, slots: slots),
            refused: [
                CentroidsGather(short(indices), of: points, into: centroids, slots: slots),
                CentroidsGather(
                    try buffer(Int32.self, 10), of: points, into: centroids, slots: try buffer(Int32.self, 10)),
                CentroidsGather(indices, of: short(points), into: centroids, slots: slots),
            ] + bad(centroids).map { CentroidsGather(indices, of: points, into: $0, slots: slots) })
        try expect(KmeansPanels(centroids), refused: bad(centroids).map { KmeansPanels($0) })
        let coarse = try backend.makeCoarsePanels(of: centroids)
        let badCoarse = [
            CoarsePanels(numbers: short(coarse.numbers), bounds: coarse.bounds, dimensions: 3),
            CoarsePanels(numbers: coarse.numbers, bounds: short(coarse.bounds), dimensions: 3),
            CoarsePanels(numbers: coarse.numbers, bounds: coarse.bounds, dimensions: 4),
        ]
        try expect(
            KmeansCoarse(centroids, into: coarse),
            refused: bad(centroids).map { KmeansCoarse($0, into: coarse) }
                + badCoarse.map { KmeansCoarse(centroids, into: $0) })
        let points9 = try backend.makePoints(count: 9, dimensions: 3)
        let unpadded = Centroids(
            values: centroids.values, panels: short(centroids.panels), count: 9, dimensions: 3,
            panelWidth: centroids.panelWidth)
        try expect(
            KmeansAssign(points9, to: centroids, labels: slots, coarse: coarse),
            refused: badCoarse.map { KmeansAssign(points9, to: centroids, labels: slots, coarse: $0) } + [
                KmeansAssign(points9, to: unpadded, labels: slots, coarse: coarse),
                KmeansAssign(
                    points9, to: centroids, labels: slots,
                    gathering: SampledRows(try buffer(Float.self, 27), at: slots), coarse: coarse),
            ])
    }

    @Test func assignmentsRefuseWhatIsTooShort() throws {
        let points = try backend.makePoints(count: 9, dimensions: 3)
        let centroids = try backend.makeCentroids(count: 4, dimensions: 3)
        let labels = try buffer(Int32.self, 9)
        let distances = try buffer(Float.self, 14)
        let (rows, indices) = (try buffer(Float.self, 60), try buffer(Int32.self, 14))
        try expect(
            KmeansAssign(points, to: centroids, labels: labels),
            refused: [
                KmeansAssign(short(points), to: centroids, labels: labels),
                KmeansAssign(points, to: centroids, labels: short(labels)),
                KmeansAssign(points, to: centroids, labels: labels, distances: try buffer(Float.self, 8)),
                KmeansAssign(
                    points, to: try backend.makeCentroids(count: 4, dimensions: 2), labels: labels),
            ] + bad(centroids).map { KmeansAssign(points, to: $0, labels: labels) })
        func gathering(_ batch: SampledRows, _ distances: DeviceBuffer<Float>) -> KmeansAssign {
            KmeansAssign(points, to: centroids, labels: labels, distances: distances, gathering: batch)
        }
        try expect(
            gathering(SampledRows(rows, at: indices, from: 5), distances),
            refused: [
                gathering(SampledRows(rows, at: indices, from: 5), short(distances)),
                gathering(SampledRows(rows, at: short(indices), from: 5), distances),
                gathering(SampledRows(rows, at: indices, from: -1), distances),
                gathering(SampledRows(try buffer(Float.self, 2), at: indices, from: 5), distances),
            ])
    }

    @Test func sumsRefuseWhatIsTooShort() throws {
        let points = try backend.makePoints(count: 600, dimensions: 3)
        let centroids = try backend.makeCentroids(count: 4, dimensions: 3)
        let labels = try buffer(Int32.self, 600)
        // The rounds before the one that is refused are run.
        try backend.fill(labels, with: 0)
        let (shifts, weights) = (try buffer(Float.self, 4), try buffer(Float.self, 4))
        let batch = SampledRows(try buffer(Float.self, 60), at: labels)
        for isCompensated in [false, true] {
            let sums = try backend.makeClusterSums(
                count: 4, dimensions: 3, points: 600, exponent: 9, compensated: isCompensated)
            let others = try backend.makeClusterSums(count: 5, dimensions: 3, points: 600, exponent: 9)
            try expect(
                KmeansAccumulate(points, labels: labels, into: sums),
                refused: [
                    KmeansAccumulate(short(points), labels: labels, into: sums),
                    KmeansAccumulate(points, labels: short(labels), into: sums),
                    KmeansAccumulate(points, labels: labels, into: sums, from: -1),
                    KmeansAccumulate(points, labels: labels, into: sums, from: 600),
                    KmeansAccumulate(
                        points, labels: labels,
                        into: try backend.makeClusterSums(count: 4, dimensions: 2, points: 1, exponent: 9)),
                ]
                    + bad(sums, totals: false, partials: true).map {
                        KmeansAccumulate(points, labels: labels, into: $0)
                    })
            try expect(
                KmeansReduce(sums, blocks: sums.blocks, adding: false),
                refused: [
                    KmeansReduce(sums, blocks: sums.blocks + 1, adding: false),
                    KmeansReduce(sums, blocks: 0, adding: false),
                ]
                    + bad(sums, totals: true, partials: true).map { KmeansReduce($0, blocks: 1, adding: true) })
            try expect(
                KmeansUpdate(centroids, from: sums, shifts: shifts),
                refused: [
                    KmeansUpdate(centroids, from: sums, shifts: short(shifts)),
                    KmeansUpdate(centroids, from: others, shifts: shifts),
                ]
                    + bad(sums, totals: true, partials: false).map {
                        KmeansUpdate(centroids, from: $0, shifts: shifts)
                    } + bad(centroids).map { KmeansUpdate($0, from: sums, shifts: shifts) })
            func step(
                _ centroids: Centroids, _ batch: SampledRows, _ labels: DeviceBuffer<Int32>, count: Int = 600,
                _ sums: BatchSums, _ weights: DeviceBuffer<Float>
            ) -> KmeansAccumulateUpdate {
                KmeansAccumulateUpdate(
                    centroids, from: batch, labels: labels, count: count, sums: sums, weights: weights)
            }
            let batchSums = try backend.makeBatchSums(count: 4, dimensions: 3)
            let otherSums = try backend.makeBatchSums(count: 5, dimensions: 3)
            try expect(
                step(centroids, batch, labels, batchSums, weights),
                refused: [
                    step(centroids, batch, short(labels), batchSums, weights),
                    step(centroids, batch, labels, batchSums, short(weights)),
                    step(centroids, batch, labels, otherSums, weights),
                    step(centroids, batch, labels, count: 0, batchSums, weights),
                    step(centroids, SampledRows(batch.rows, at: labels, from: 1), labels, batchSums, weights),
                    step(centroids, SampledRows(try buffer(Float.self, 2), at: labels), labels, batchSums, weights),
                ]
                    + bad(batchSums).map { step(centroids, batch, labels, $0, weights) }
                    + bad(centroids).map { step($0, batch, labels, batchSums, weights) })
        }
        // Nothing is left unsaid where no round can be cut at all.
        let sums = try backend.makeClusterSums(count: 4, dimensions: 3, points: 600, exponent: 9)
        for bad in bad(sums, totals: true, partials: true) {
            #expect(throws: ComputeError.self) {
                try backend.accumulate(points, labels: labels, into: bad, adding: false)
            }
        }
    }

    @Test func aStartRefusesWhatIsTooShort() throws {
        let points = try backend.makePoints(count: 600, dimensions: 3)
        let start = try backend.makePlusPlusStart(
            count: 4, trials: 2, points: points, uniforms: [Float](repeating: 0, count: 8))
        let distances = try buffer(Float.self, 2 * points.tiles * points.lanes)
        func with(
            blockSums: DeviceBuffer<Float>? = nil, candidates: DeviceBuffer<Int32>? = nil,
            coordinates: DeviceBuffer<Float>? = nil, uniforms: DeviceBuffer<Float>? = nil,
            state: DeviceBuffer<Int32>? = nil, chosen: DeviceBuffer<Int32>? = nil, blocks: Int? = nil
        ) -> PlusPlusStart {
            PlusPlusStart(
                blockSums: blockSums ?? start.blockSums, candidates: candidates ?? start.candidates,
                coordinates: coordinates ?? start.coordinates, uniforms: uniforms ?? start.uniforms,
                state: state ?? start.state, chosen: chosen ?? start.chosen, count: 4, trials: 2,
                blocks: blocks ?? start.blocks)
        }
        let bad = [
            with(blockSums: short(start.blockSums)), with(candidates: short(start.candidates)),
            with(coordinates: short(start.coordinates)), with(uniforms: short(start.uniforms)),
            with(state: short(start.state)), with(chosen: short(start.chosen)), with(blocks: start.blocks - 1),
        ]
        func measure(
            _ start: PlusPlusStart, _ points: Points, _ previous: DeviceBuffer<Float>, _ next: DeviceBuffer<Float>
        ) -> KmeansPlusPlusDistances {
            KmeansPlusPlusDistances(start, of: points, previous: previous, next: next)
        }
        try expect(
            measure(start, points, distances, distances),
            refused: [
                measure(start, short(points), distances, distances),
                measure(start, points, short(distances), distances),
                measure(start, points, distances, short(distances)),
            ] + bad.map { measure($0, points, distances, distances) })
        func pick(
            _ start: PlusPlusStart, _ points: Points, _ distances: DeviceBuffer<Float>, step: Int = 0, first: Int = 599
        ) -> KmeansPlusPlusPick {
            KmeansPlusPlusPick(start, of: points, distances: distances, step: step, first: first)
        }
        try expect(
            pick(start, points, distances),
            refused: [
                pick(start, short(points), distances), pick(start, points, short(distances)),
                pick(start, points, distances, step: -2), pick(start, points, distances, step: 4),
                pick(start, points, distances, first: 600), pick(start, points, distances, first: -1),
            ] + bad.map { pick($0, points, distances) })
    }

    @Test func aGreedyOrderRefusesWhatIsTooShort() throws {
        let points = try backend.makePoints(count: 600, dimensions: 3)
        let order = try backend.makeGreedyOrder(.kCenter, count: 5, of: points, mean: [0, 0, 0])
        func with(
            state: DeviceBuffer<Float>? = nil, target: DeviceBuffer<Float>? = nil, mean: DeviceBuffer<Float>? = nil,
            blockKeys: DeviceBuffer<Float>? = nil, blockBest: DeviceBuffer<Int32>? = nil,
            picks: DeviceBuffer<Int32>? = nil, count: Int = 5, blockPoints: Int? = nil, blocks: Int? = nil
        ) -> GreedyOrder {
            GreedyOrder(
                .kCenter, state: state ?? order.state, target: target ?? order.target, mean: mean ?? order.mean,
                blockKeys: blockKeys ?? order.blockKeys, blockBest: blockBest ?? order.blockBest,
                picks: picks ?? order.picks, count: count, blockPoints: blockPoints ?? order.blockPoints,
                blocks: blocks ?? order.blocks)
        }
        let bad = [
            with(state: short(order.state)), with(target: short(order.target)), with(mean: short(order.mean)),
            with(blockKeys: short(order.blockKeys)), with(blockBest: short(order.blockBest)),
            with(picks: short(order.picks)), with(picks: try buffer(Int32.self, 601), count: 601),
            with(blockPoints: order.blockPoints + 16), with(blockPoints: 0), with(blocks: order.blocks - 1),
        ]
        try expect(
            GreedyDistances(order, of: points, step: 4),
            refused: [
                GreedyDistances(order, of: short(points), step: 4), GreedyDistances(order, of: alien(points), step: 4),
                GreedyDistances(order, of: points, step: 5), GreedyDistances(order, of: points, step: -1),
            ] + bad.map { GreedyDistances($0, of: points, step: 4) })
        try expect(
            GreedyPick(order, of: points, step: 4),
            refused: [
                GreedyPick(order, of: short(points), step: 4), GreedyPick(order, of: alien(points), step: 4),
                GreedyPick(order, of: points, step: 5), GreedyPick(order, of: points, step: -1),
            ] + bad.map { GreedyPick($0, of: points, step: 4) })
    }

    /// By hand, at extents that tell every factor from every other.
    @Test func costsAreThoseOfTheShapes() throws {
        func expect(_ operation: some Operation, _ operations: Int, _ bytes: Int) {
            #expect(
                operation.cost == OperationCost(operations: Double(operations), bytes: Double(bytes)),
                "\(type(of: operation).kernel)")
        }
        let shape = CovarianceShape(count: 20, dimensions: 6)
        let bytes = try buffer(UInt8.self, 120)
        let floats = try buffer(Float.self, 240)
        let whole = (try buffer(Int32.self, shape.tileElements), try buffer(Int32.self, shape.sumElements))
        let real = (try buffer(Float.self, shape.tileElements), try buffer(Float.self, shape.sumElements))
        // 21 pairs of columns, a multiply-add each; half of the 36 results are mirror images.
        expect(
            Covariance(of: bytes, shape: shape, adding: false, tiles: whole.0, sums: whole.1), 20 * 42,
            120 + 4 * 18)
        expect(
            Covariance(of: floats, shape: shape, shift: floats, adding: false, tiles: real.0, sums: real.1),
            20 * 42 + 120, 4 * 120 + 4 * 6 + 4 * 18)
        let points = try backend.makePoints(count: 40, dimensions: 3)
        let projection = try backend.makeProjection(
            weights: [Float](repeating: 1, count: 18), mean: [Float](repeating: 0, count: 6))
        expect(
            PcaProject(Rows(.bytes(bytes), count: 20, dimensions: 6), through: projection, into: points), 20 * 6 * 7,
            120 + 4 * 60 + 4 * 18)
        expect(PointsPack(Rows(.bytes(bytes), count: 40, dimensions: 3), into: points), 0, 5 * 120)
        expect(PointsPack(Rows(.floats(floats), count: 40, dimensions: 3), into: points), 0, 8 * 120)
        expect(PointsUnpack(points, into: floats), 0, 8 * 120)
        let indices = try buffer(Int32.self, 40)
        let batch = try backend.makePoints(count: 10, dimensions: 3)
        expect(PointsGather(indices, of: points, into: batch), 0, 4 * (30 + 30 + 10))
        let centroids = try backend.makeCentroids(count: 7, dimensions: 3)
        expect(
            CentroidsGather(indices, of: points, into: centroids, slots: try buffer(Int32.self, 5)), 0,
            4 * (15 + 15 + 5 + 5))
        expect(KmeansPanels(centroids), 2 * 21, 4 * (21 + 21 + 7))
        expect(KmeansCoarse(centroids, into: try backend.makeCoarsePanels(of: centroids)), 6 * 21, 5 * 21)
        expect(
            KmeansAssign(points, to: centroids, direct: true, labels: indices), 2 * 40 * 7 * 3, 4 * (120 + 40 + 21))
        expect(
            KmeansAssign(points, to: centroids, labels: indices, distances: floats), 2 * 840 + 3 * 120,
            4 * (120 + 40 + 40 + 21))
        expect(
            KmeansAssign(batch, to: centroids, labels: indices, gathering: SampledRows(floats, at: indices)),
            2 * 210, 4 * (30 + 10 + 30 + 10 + 21))
        // Two rounds of two blocks of 16 points, the second one short: together one pass over the points.
        let sums = ClusterSums(
            totals: try buffer(Int64.self, 28), partials: floats, partialCounts: indices, count: 7, dimensions: 3,
            blocks: 2, blockPoints: 16, exponent: 9)
        expect(KmeansAccumulate(points, labels: indices, into: sums), 32 * 3, 4 * 32 * 4)
        expect(KmeansAccumulate(points, labels: indices, into: sums, from: 32), 8 * 3, 4 * 8 * 4)
        expect(KmeansReduce(sums, blocks: 2, adding: false), 2 * 21, 4 * 2 * (21 + 7) + 8 * 28)
        expect(KmeansUpdate(centroids, from: sums, shifts: floats), 21, 4 * 21)
        expect(
            KmeansAccumulateUpdate(
                centroids, from: SampledRows(floats, at: indices), labels: indices, count: 10,
                sums: BatchSums(totals: floats, counts: indices, count: 7, dimensions: 3), weights: floats),
            30 + 5 * 21, 4 * (30 + 10 + 3 * 21))
        let start = try backend.makePlusPlusStart(
            count: 4, trials: 2, points: points, uniforms: [Float](repeating: 0, count: 8))
        expect(
            KmeansPlusPlusDistances(start, of: points, previous: floats, next: floats), 2 * 40 * 3 * 3,
            4 * 40 * (3 + 1 + 2))
        expect(KmeansPlusPlusPick(start, of: points, distances: floats, step: 0, first: 0), 0, 0)
        for (rule, states) in [(GreedyRule.kCenter, 2), (.herding, 1)] {
            let order = try backend.makeGreedyOrder(rule, count: 2, of: points, mean: [0, 0, 0])
            expect(GreedyDistances(order, of: points, step: 0), 40 * 3 * 3, 4 * 40 * (3 + 1))
            expect(GreedyDistances(order, of: points, step: 1), 40 * 3 * 3, 4 * 40 * (3 + states))
            expect(GreedyPick(order, of: points, step: 1), 0, 0)
        }
    }
}
