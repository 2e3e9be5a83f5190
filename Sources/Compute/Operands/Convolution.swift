extension Conv2DShape {
    /// The taps of the output's row or column `position` that are inside the input, which has `extent` of them.
    func taps(at position: Int, of extent: Int) -> Range<Int> {
        let first = min(max(0, padding - position), kernel)
        return first..<max(first, min(kernel, extent + padding - position))
    }

    /// The output's columns in order, neighbours with the same taps inside the input together.
    var columnRuns: [(columns: Range<Int>, taps: Range<Int>)] {
        var runs: [(columns: Range<Int>, taps: Range<Int>)] = []
        for column in 0..<outWidth {
            let taps = taps(at: column, of: width)
            if let last = runs.last, last.taps == taps {
                runs[runs.count - 1].columns = last.columns.lowerBound..<column + 1
            } else {
                runs.append((column..<column + 1, taps))
            }
        }
        return runs
    }

    /// Throws unless the numbers of a tile fit into a kernel's ints, and the weights are there.
    func validate(
        for operation: some Operation, layout: DataLayout, weights: ReplicaTensor
    ) throws(ComputeError) {
        try validate(for: operation, layout: layout)
        // In floating point, for the products themselves may be beyond an Int.
        let most = max(
            Double(inChannels) * Double(height) * Double(width),
            Double(outChannels) * Double(outHeight) * Double(outWidth))
        let limit = Double(Int32.max)
        let count = Double(inChannels) * Double(outChannels) * Double(kernel) * Double(kernel)
        try operation.require(
            most * Double(layout.tile) <= limit && count <= limit,
            "\(inChannels) and \(outChannels) planes of \(height)x\(width) and kernels of \(kernel)x\(kernel) are too large"
        )
        try operation.require(weights, holds: weightCount, replicas: batch.replicas)
    }

    /// What one pass over the layer costs, forwards or to a gradient: inputs, outputs and weights move once.
    func cost(biases: Int) -> OperationCost {
        OperationCost(
            samples: batch, multiplyAdds: multiplyAdds, others: 0, floats: Double(inputCount + outputCount),
            weights: weightCount + biases)
    }

    /// The launch of a kernel that takes tiles from one side of a layer to the other, in blocks of `channels` planes of
    /// `rows` x `columns`.
    func launch(
        _ kernel: String, _ source: (String, KernelArgument), _ tensors: [(String, ReplicaTensor)],
        _ target: (String, KernelArgument), channels: Int, rows: Int, columns: Int, _ sizes: BlockSizes
    ) -> NamedLaunch {
        let (planeBlock, columnBlock) = (sizes[.convolutionBlock][0], sizes[.convolutionBlock][1])
        let units = (channels + planeBlock - 1) / planeBlock * rows * ((columns + columnBlock - 1) / columnBlock)
        return NamedLaunch(
            kernel, [("OB", planeBlock), ("CB", columnBlock)],
            [source]
                + tensors.prefix(1).flatMap {
                    [("parameters", $0.1.argument), ("stride", $0.1.stride.argument)]
                } + tensors.map { ($0.0, $0.1.offset.argument) } + [
                    ("in_channels", inChannels.argument), ("out_channels", outChannels.argument),
                    ("height", height.argument), ("width", width.argument), ("side", self.kernel.argument),
                    ("padding", padding.argument), target,
                ], teams: batch.tiles, shares: sizes.layerShares(units: units), replicas: batch.replicas, sizes.profile)
    }
}

extension Tunable {
    /// Planes and columns of a convolution's output, or of its input's gradient, that a member holds as running sums.
    static let convolutionBlock = Tunable("convolution_block", of: [Conv2dForward.kernel, Conv2dInputGradient.kernel]) {
        profile in
        switch profile.vectorWidth {
        case 16: [[4, 4], [4, 6]]
        case 1: [[4, 4], [2, 4], [8, 2]]
        default: [[2, 4], [2, 5]]
        }
    }
}
