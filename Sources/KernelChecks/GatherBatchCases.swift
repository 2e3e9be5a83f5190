import Compute

/// Reading batches of images in an order of their own for each replica.
public enum GatherBatchCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] {
        let sizes = AwkwardBatch.all.flatMap { batch in [1, 25, 63, 64, 268].map { (batch, $0) } } + [((1, 64), 1024)]
        // A data set of one image too: what a masked sample reads has to be there.
        return [GatherBatchCase(batch: (1, 1), pixels: 8, images: 1, seed: seed)]
            + sizes.map { GatherBatchCase(batch: $0.0, pixels: $0.1, images: 90, seed: seed) }
    }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [1024, 3072].map { GatherBatchCase(batch: (replicas, 64), pixels: $0, images: 90, seed: seed) }
    }
}

private struct GatherBatchCase: KernelCase {
    let batch: (replicas: Int, samples: Int)
    let pixels: Int
    let images: Int
    let seed: UInt64
    var kernel: String { "gather_batch" }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples) of \(images) images, \(pixels) pixels, seed \(seed)"
    }
    var form: String { "\(pixels) pixels" }
    var cost: Int { batch.replicas * batch.samples * pixels }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let first = 5
        let values = inputs.bytes(images * pixels)
        let labels = inputs.bytes(images)
        let orderStride = first + batch.samples + 3
        let order = inputs.integers(batch.replicas * orderStride, in: 0..<images)
        func gather(_ backend: any Backend) throws -> (GuardedContents<Float>, GuardedContents<Int32>, CaseBatch) {
            let sized = CaseBatch(backend, batch)
            let activations = try sized.output(pixels, label: "activations")
            let batchLabels = try GuardedBuffer<Int32>(on: backend, count: sized.layout(1).count, label: "labels")
            try backend.gatherBatch(
                GatherBatch(
                    batch: sized.shape, pixels: pixels, images: try backend.makeBuffer(values, label: "images"),
                    labels: try backend.makeBuffer(labels, label: "labels"),
                    order: try backend.makeBuffer(order, label: "order"), orderStride: orderStride,
                    current: try sized.current(first: first), scale: 0.0127, shift: -0.42,
                    activations: activations.buffer, batchLabels: batchLabels.buffer))
            return (try activations.contents(), try batchLabels.contents(), sized)
        }
        let (actual, actualLabels, sized) = try gather(backend)
        let (expected, expectedLabels, referenceSized) = try gather(reference)
        // One product and one sum of numbers up to 3.3: an epsilon each.
        judge.check(
            "activations", actual, of: sized, equals: expected, of: referenceSized, values: pixels,
            within: Tolerance(absolute: 4 * Double(Float.ulpOfOne)), maskedZero: true)
        judge.checkGuards("labels", actualLabels)
        let (layout, referenceLayout) = (sized.layout(1), referenceSized.layout(1))
        if let difference = differences(
            layout.unpack(actualLabels.values), referenceLayout.unpack(expectedLabels.values))
        {
            judge.complain("labels\(difference)")
        }
        if layout.maskedValues(actualLabels.values).contains(where: { $0 != -1 }) {
            judge.complain("the label of a masked sample is not -1")
        }
        return judge.result
    }
}
