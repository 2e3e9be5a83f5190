extension ClassifierPredictions {
    package func compute(on backend: CPUBackend) {
        backend.forward(classifier, from: block, .inference)
        backend.classify(
            block.shape.batch, classes: classifier.classes, logits: classifier.logits, current: block.norm.current,
            predictions: predictions, predictionStride: predictionStride)
        backend.pointer(schedule.cursor)[0] = backend.pointer(block.norm.current)[2] + 1
    }
}
