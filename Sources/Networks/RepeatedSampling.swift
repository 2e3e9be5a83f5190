import Support

/// Samples that are drawn anew for every epoch: RS2 without replacement (Okanovic et al., "Repeated Random Sampling for
/// Minimizing the Time-to-Accuracy of Learning", ICLR 2024).
///
/// The set is shuffled and cut into consecutive blocks of `size` samples, as many as fit into it; each epoch trains on the
/// next one. What is left over is not used until the blocks are used up and the set is shuffled anew. The first shuffle is
/// that of a uniform draw from the set, so that the first block is what such a selection of this size, seed and run keeps.
package struct RepeatedSampling: Hashable, Sendable, Sequence {
    /// The set: indices of training samples, none twice.
    package let samples: [Int]
    /// Samples in an epoch, from 1 to `samples.count`.
    package let size: Int
    /// Seed and run number of ``RandomPurpose/selection``, whose numbers the shuffles draw one after another.
    package let seed: UInt64
    package let run: Int

    /// Blocks of `size` samples; the trainer checks the size.
    package init(of samples: [Int], size: Int, seed: UInt64, run: Int) {
        self.samples = samples
        self.size = size
        self.seed = seed
        self.run = run
    }

    package func makeIterator() -> Iterator { Iterator(self) }

    /// The blocks, without end.
    package struct Iterator: IteratorProtocol, Sendable {
        private let sampling: RepeatedSampling
        private var random: RandomStream
        private var order: [Int] = []
        /// The first sample of the next block.
        private var start = 0

        fileprivate init(_ sampling: RepeatedSampling) {
            self.sampling = sampling
            random = RandomStream(seed: sampling.seed, run: sampling.run, purpose: .selection)
        }

        /// The next epoch's samples, [size].
        package mutating func next() -> [Int]? {
            if start + sampling.size > order.count {
                order = sampling.samples
                random.shuffle(&order)
                start = 0
            }
            defer { start += sampling.size }
            return Array(order[start..<start + sampling.size])
        }
    }
}
