/// Philox4x32-10, a counter-based generator: a pure function of key and counter
/// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
package struct Philox4x32: Sendable {
    private let key: (UInt32, UInt32)

    /// A generator under a 64-bit key.
    package init(key: UInt64) {
        self.key = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    }

    /// Four independent uniform words for a 128-bit counter.
    package func block(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var c = counter
        var k = key
        for round in 0..<10 {
            if round > 0 {
                k.0 &+= 0x9E37_79B9
                k.1 &+= 0xBB67_AE85
            }
            let product0 = UInt64(0xD251_1F53) * UInt64(c.x)
            let product1 = UInt64(0xCD9E_8D57) * UInt64(c.z)
            c = SIMD4(
                UInt32(product1 >> 32) ^ c.y ^ k.0, UInt32(truncatingIfNeeded: product1),
                UInt32(product0 >> 32) ^ c.w ^ k.1, UInt32(truncatingIfNeeded: product0))
        }
        return c
    }
}

/// What random numbers are drawn for. Purposes never share numbers, so that changing how many one of them draws
/// leaves the others as they were.
package enum RandomPurpose: UInt32, Sendable {
    case initialWeights = 1
    case sampleOrder
    case clustering
    case selection
    case bootstrap
    case testing
    case validation = 8
    case testSplit
    case augmentation = 16
    case dynamicPruning = 24
}

/// The random numbers of one (study seed, run, purpose): a stream that can be made again at any time.
package struct RandomStream: RandomNumberGenerator, Sendable {
    private let generator: Philox4x32
    private let run: UInt32
    private let purpose: UInt32
    private var index: UInt64 = 0
    private var spare: SIMD4<UInt32> = .zero
    private var left = 0

    /// The stream of `run` for `purpose` under `seed`.
    package init(seed: UInt64, run: Int, purpose: RandomPurpose) {
        generator = Philox4x32(key: seed)
        self.run = UInt32(truncatingIfNeeded: run)
        self.purpose = purpose.rawValue
    }

    /// The next 32 uniform bits.
    package mutating func nextWord() -> UInt32 {
        if left == 0 {
            let low = UInt32(truncatingIfNeeded: index)
            let high = UInt32(truncatingIfNeeded: index >> 32)
            spare = generator.block(SIMD4(low, high, run, purpose))
            index += 1
            left = 4
        }
        left -= 1
        return spare[3 - left]
    }

    /// The next 64 uniform bits.
    package mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return low | UInt64(nextWord()) << 32
    }

    /// Uniform in [0, 1) with 53 bits.
    package mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in [low, high).
    package mutating func nextUniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * nextUnit() }

    /// Uniform in 0..<bound, without bias (Lemire, "Fast random integer generation in an interval", 2019).
    package mutating func nextIndex(below bound: Int) -> Int {
        let range = UInt32(truncatingIfNeeded: bound)
        var product = UInt64(nextWord()) * UInt64(range)
        if UInt32(truncatingIfNeeded: product) < range {
            let threshold = (0 &- range) % range
            while UInt32(truncatingIfNeeded: product) < threshold { product = UInt64(nextWord()) * UInt64(range) }
        }
        return Int(product >> 32)
    }

    /// Puts `values` into a uniformly random order (Fisher-Yates, from the end).
    package mutating func shuffle<Element>(_ values: inout [Element]) {
        guard values.count > 1 else { return }
        for last in stride(from: values.count - 1, to: 0, by: -1) {
            values.swapAt(last, nextIndex(below: last + 1))
        }
    }
}
