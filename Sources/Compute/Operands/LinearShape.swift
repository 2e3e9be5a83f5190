extension LinearShape {
    /// Throws unless `weights` are this layer's, as its kernels read them: rows of whole vectors.
    func validate(for operation: some Operation, layout: DataLayout, weights: ReplicaTensor) throws(ComputeError) {
        try validate(for: operation, layout: layout)
        try operation.require(
            weightCount <= Int(Int32.max), "\(inputs) inputs and \(outputs) outputs have too many weights")
        try operation.require(weights, holds: weightCount, replicas: batch.replicas)
        try operation.require(
            weights.offset == paddedColumns(weights.offset) && weights.stride == paddedColumns(weights.stride),
            "weights at \(weights.offset) of \(weights.stride) parameters; multiples of 16 are needed")
    }

    /// What one pass over the layer costs, forwards or to either gradient: inputs, outputs and weights move once.
    var cost: OperationCost {
        let samples = batch.replicas * batch.samples
        return OperationCost(
            operations: 2 * Double(samples * inputs * outputs),
            bytes: 4 * Double(samples * (inputs + outputs) + batch.replicas * (inputs + 1) * outputs))
    }
}
