extension PredictClasses {
    package func compute(on backend: CPUBackend) {
        backend.classify(
            batch, classes: classes, logits: logits, current: schedule.current, predictions: predictions,
            predictionStride: predictionStride)
        backend.pointer(schedule.cursor)[0] = backend.pointer(schedule.current)[2] + 1
    }
}
