extension AdamStep {
    package func compute(on backend: CPUBackend) {
        backend.sumTileGradients(gradients, batch)
        backend.finishLoss(self)
        backend.adamUpdate(self)
    }
}
