import Compute
import Dispatch
import Support

/// The order in which a run takes its samples.
struct RunOrder: Sendable {
    /// Indices of training samples, epoch by epoch: those of the epochs that were drawn last.
    private(set) var indices: [Int32] = []
    /// The ``Augmentation/Change/word`` of each of these; empty without augmentation.
    private(set) var changes: [Int32] = []
    /// The samples that the run was trained on; nil where all epochs take the same.
    private(set) var seen: SeenSamples?
    private let subset: [Int]
    private var blocks: RepeatedSampling.Iterator?
    private var random: RandomStream
    private let augment: Augment?
    private let seed: UInt64
    private let run: Int
    /// Epochs that were drawn.
    private var epochs = 0

    /// The order of `run`, before its first epoch, in a set of `count` samples.
    init(of run: TrainingRun, in count: Int, augment: Augment? = nil) {
        self.augment = augment
        (seed, self.run) = (run.seed, run.run)
        subset = run.subset
        blocks = run.resampling?.makeIterator()
        seen = run.resampling.map { _ in SeenSamples(of: count) }
        random = RandomStream(seed: run.seed, run: run.run, purpose: .sampleOrder)
    }

    /// Draws the next `epochs` epochs, of whose samples the first `trained` will be trained on.
    private mutating func draw(epochs: Int, trained: Int) {
        indices.removeAll(keepingCapacity: true)
        indices.reserveCapacity(epochs * subset.count)
        changes.removeAll(keepingCapacity: true)
        for _ in 0..<epochs {
            var samples = (blocks?.next() ?? subset).map(Int32.init(truncatingIfNeeded:))
            random.shuffle(&samples)
            indices += samples
            if let augment {
                changes += samples.map { augment.change(of: Int($0), epoch: self.epochs, seed: seed, run: run).word }
            }
            self.epochs += 1
        }
        seen?.add(indices.prefix(trained))
    }

    /// Draws the next `epochs` epochs of each of `orders`, on all cores: shuffles of many networks' samples would keep a fast
    /// device waiting.
    static func draw(_ orders: inout [RunOrder], epochs: Int, trained: Int) {
        orders.withUnsafeMutableBufferPointer { buffer in
            // Each iteration owns one order.
            nonisolated(unsafe) let orders = buffer
            DispatchQueue.concurrentPerform(iterations: orders.count) { index in
                orders[index].draw(epochs: epochs, trained: trained)
            }
        }
    }
}

/// The different samples of a training so far.
struct SeenSamples: Sendable {
    /// In the order of first sight.
    private(set) var indices: [Int] = []
    private var isSeen: [Bool]

    /// None yet, of `count` samples.
    init(of count: Int) { isSeen = [Bool](repeating: false, count: count) }

    /// Adds samples that were trained on, in their order.
    mutating func add(_ order: some Sequence<Int32>) {
        for index in order.lazy.map(Int.init) where !isSeen[index] {
            isSeen[index] = true
            indices.append(index)
        }
    }
}
