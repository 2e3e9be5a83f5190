extension CPUBackend {
    public func adamStep(_ step: AdamStep) throws(ComputeError) {
        try step.validate()
        let count = step.gradients.parameterCount
        let index = Int(pointer(step.schedule.current)[2])
        let stepSize = pointer(step.schedule.rates)[2 * index]
        let correction = pointer(step.schedule.rates)[2 * index + 1]
        let (towards, decay, fresh) = (Float(1 - AdamStep.beta1), Float(AdamStep.beta2), Float(1 - AdamStep.beta2))
        let epsilon = Float(AdamStep.epsilon)
        let block = 4096
        let blocks = (count + block - 1) / block
        parallel(step.replicas * blocks) { task in
            let (replica, first) = (task / blocks, task % blocks * block)
            let parameters = pointer(step.parameters) + replica * count
            let firstMoments = pointer(step.firstMoments) + replica * count
            let secondMoments = pointer(step.secondMoments) + replica * count
            for parameter in first..<min(first + block, count) {
                var gradient = Float(0)
                for slice in 0..<step.gradients.slices {
                    gradient += pointer(step.gradients, replica: replica, slice: slice)[parameter]
                }
                let m = firstMoments[parameter] + (gradient - firstMoments[parameter]) * towards
                let v = secondMoments[parameter] * decay + gradient * gradient * fresh
                firstMoments[parameter] = m
                secondMoments[parameter] = v
                parameters[parameter] -= stepSize * m / (v.squareRoot() * correction + epsilon)
            }
        }
    }
}
