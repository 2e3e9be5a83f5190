import Compute
import Dispatch
import Support

/// Random rows for benchmarks, in clusters that overlap: the same for the same seed and size on every machine.
package enum MadeRows {
    /// Most clusters that rows are drawn around.
    private static let clusters = 1000
    /// How far apart two clusters' centres are, as a rule, in standard deviations of a coordinate: some points are nearer
    /// to the wrong one, so that no iteration finds all of them at once.
    private static let distance: Float = 6
    /// Numbers that a thread makes at a time.
    private static let block = 1 << 16

    /// float32 values [count][dimensions], made on all cores: nearly normal around one of up to 1,000 random centres.
    package static func floats(count: Int, dimensions: Int, seed: UInt64) -> [Float] {
        let generator = Philox4x32(key: seed)
        let clusters = min(Self.clusters, count)
        // The squared distance of two uniform numbers of -spread to spread is 2/3 spread^2.
        let spread = distance * (1.5 / Float(dimensions)).squareRoot()
        var random = RandomStream(seed: seed, run: 2, purpose: .testing)
        let centres = (0..<clusters * dimensions).map { _ in
            spread * (Float(random.nextWord() >> 8) * 0x1p-23 - 1)
        }
        let quads = (dimensions + 3) / 4
        let rowsAtOnce = max(1, block / dimensions)
        return [Float](unsafeUninitializedCapacity: count * dimensions) { buffer, initialized in
            // Each iteration owns the rows that it writes.
            nonisolated(unsafe) let values = buffer
            DispatchQueue.concurrentPerform(iterations: (count + rowsAtOnce - 1) / rowsAtOnce) { block in
                for row in block * rowsAtOnce..<min(count, (block + 1) * rowsAtOnce) {
                    let cluster = Int((UInt64(word(generator, row, run: 3)[0]) * UInt64(clusters)) >> 32)
                    for quad in 0..<quads {
                        let noise = normal(word(generator, row * quads + quad, run: 4))
                        for column in 4 * quad..<min(4 * quad + 4, dimensions) {
                            values[row * dimensions + column] =
                                centres[cluster * dimensions + column] + noise[column & 3]
                        }
                    }
                }
            }
            initialized = count * dimensions
        }
    }

    private static func word(_ generator: Philox4x32, _ index: Int, run: UInt32) -> SIMD4<UInt32> {
        generator.block(
            SIMD4(
                UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), run,
                RandomPurpose.testing.rawValue))
    }

    /// Nearly normal numbers of mean 0 and variance 1: the sum of each word's four bytes. No logarithm, whose last bit
    /// is not the same everywhere.
    private static func normal(_ words: SIMD4<UInt32>) -> SIMD4<Float> {
        let pairs = (words & 0x00FF_00FF) &+ (words &>> 8 & 0x00FF_00FF)
        let sums = (pairs & 0xFFFF) &+ (pairs &>> 16)
        // Four bytes have the mean 510 and the variance 4 (256^2 - 1) / 12 = 147.8^2.
        return (SIMD4<Float>(sums) - 510) * (1 / 147.8)
    }
}
