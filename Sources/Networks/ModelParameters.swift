import Compute

/// The parameters of R networks of one layout in a device's memory.
final class ModelParameters {
    let layout: ParameterLayout
    let replicas: Int
    /// [replica][parameter].
    let values: DeviceBuffer<Float>
    /// [replica][2][channel] of each batch norm.
    let running: [DeviceBuffer<Float>]
    private let backend: any Backend

    /// Uploads one network per replica, at least one; all have the same layout.
    init(_ weights: [ModelWeights], on backend: any Backend) throws(ComputeError) {
        guard let layout = weights.first?.layout else {
            throw .invalidShape(operation: "parameters", reason: "0 networks; at least 1 is needed")
        }
        self.layout = layout
        self.backend = backend
        replicas = weights.count
        values = try backend.makeBuffer(weights.flatMap { $0.packed() }, label: "parameters")
        var running: [DeviceBuffer<Float>] = []
        for norm in layout.running {
            running.append(
                try backend.makeBuffer(
                    weights.flatMap { $0.packedRunning(norm.name) }, label: "running statistics"))
        }
        self.running = running
    }

    /// Room for the parameters of `replicas` networks, which are not written.
    init(_ layout: ParameterLayout, replicas: Int, on backend: any Backend) throws(ComputeError) {
        self.layout = layout
        self.replicas = replicas
        self.backend = backend
        values = try backend.makeBuffer(
            of: Float.self, count: replicas * layout.parameterCount, label: "parameters")
        var running: [DeviceBuffer<Float>] = []
        for norm in layout.running {
            running.append(
                try backend.makeBuffer(of: Float.self, count: replicas * 2 * norm.count, label: "running statistics"))
        }
        self.running = running
    }

    /// The tensor of a name as the operations take it.
    func tensor(_ name: String) -> ReplicaTensor {
        ReplicaTensor(values, offset: layout.offset(name), stride: layout.parameterCount)
    }

    /// Waits for queued work and reads all networks back.
    func download() throws(ComputeError) -> [ModelWeights] {
        let flat = try backend.read(values)
        var statistics: [[Float]] = []
        for buffer in running { statistics.append(try backend.read(buffer)) }
        return (0..<replicas).map { replica in
            ModelWeights(
                layout: layout,
                parameters: flat[replica * layout.parameterCount..<(replica + 1) * layout.parameterCount],
                running: statistics.map { all in
                    let count = all.count / replicas
                    return all[replica * count..<(replica + 1) * count]
                })
        }
    }
}
