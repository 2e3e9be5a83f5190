extension OpenCLBackend {
    package func multiplyAddChain(_ values: DeviceBuffer<Float>, count: Int, steps: Int) throws(ComputeError) {
        try MeasuringShape.check("multiply-add chain", [values], count: count)
        try launch(
            "fma_peak", ["STEPS": steps], [values.argument],
            global: [count / (MeasuringShape.chains * profile.vectorWidth)])
    }

    package func copy(_ source: DeviceBuffer<Float>, to target: DeviceBuffer<Float>, count: Int) throws(ComputeError) {
        try MeasuringShape.check("copy", [source, target], count: count)
        let width = profile.vectorWidth == 1 ? 4 : profile.vectorWidth
        try launch("copy", [:], [source.argument, target.argument], global: [count / width])
    }
}
