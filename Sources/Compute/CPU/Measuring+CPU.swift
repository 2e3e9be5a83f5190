extension CPUBackend {
    package func multiplyAddChain(_ values: DeviceBuffer<Float>, count: Int, steps: Int) throws(ComputeError) {
        try MeasuringShape.check("multiply-add chain", [values], count: count)
        let floats = pointer(values)
        parallel(count / MeasuringShape.unit) { block in
            loops.multiplyAddChains(floats + block * MeasuringShape.unit, steps: steps)
        }
    }

    package func copy(_ source: DeviceBuffer<Float>, to target: DeviceBuffer<Float>, count: Int) throws(ComputeError) {
        try MeasuringShape.check("copy", [source, target], count: count)
        let (from, to) = (pointer(source), pointer(target))
        let piece = 1 << 20
        parallel((count + piece - 1) / piece) { index in
            let start = index * piece
            (to + start).update(from: from + start, count: min(piece, count - start))
        }
    }
}
