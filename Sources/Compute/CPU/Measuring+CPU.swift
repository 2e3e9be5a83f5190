extension CPUBackend {
    public func multiplyAddChain(_ values: DeviceBuffer<Float>, count: Int, steps: Int) throws(ComputeError) {
        try MeasuringShape.check("multiply-add chain", [values], count: count)
        let lanes = lanes(values)
        parallel(count / MeasuringShape.unit) { block in
            let base = lanes + block * MeasuringShape.chains
            var (a, b, c, d) = (base[0], base[1], base[2], base[3])
            var (e, f, g, h) = (base[4], base[5], base[6], base[7])
            for _ in 0..<steps {
                // Not addProduct: without a machine flag that is a call to fmaf for each lane.
                a = a * 0.75 + 0.25
                b = b * 0.75 + 0.25
                c = c * 0.75 + 0.25
                d = d * 0.75 + 0.25
                e = e * 0.75 + 0.25
                f = f * 0.75 + 0.25
                g = g * 0.75 + 0.25
                h = h * 0.75 + 0.25
            }
            (base[0], base[1], base[2], base[3]) = (a, b, c, d)
            (base[4], base[5], base[6], base[7]) = (e, f, g, h)
        }
    }

    public func copy(_ source: DeviceBuffer<Float>, to target: DeviceBuffer<Float>, count: Int) throws(ComputeError) {
        try MeasuringShape.check("copy", [source, target], count: count)
        let (from, to) = (pointer(source), pointer(target))
        let piece = 1 << 20
        parallel((count + piece - 1) / piece) { index in
            let start = index * piece
            (to + start).update(from: from + start, count: min(piece, count - start))
        }
    }
}
