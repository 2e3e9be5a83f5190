/// The operations behind training and evaluation.
public protocol TrainingOperations: BufferBackend {}
