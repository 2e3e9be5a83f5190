import Compute
import Support

/// How training images are changed at random, anew in every epoch: moved in both directions, by up to so many pixels each,
/// and mirrored or not. It is what torchvision's RandomCrop with so much padding and RandomHorizontalFlip do to 8-bit images
/// before they are normalised: beyond an image's edges there is 0.
///
/// A change depends on the run's seed and number, the epoch and the sample alone.
package struct Augment: Hashable, Sendable, Codable {
    /// The most pixels that an image is moved by, in each direction; 0 for none.
    package var shift: Int
    /// Whether half of the images are mirrored, left to right.
    package var flip: Bool

    package init(shift: Int = 0, flip: Bool = false) {
        self.shift = shift
        self.flip = flip
    }

    /// Shifts that are accepted.
    package static let shiftRange = 0...Augmentation.mostShift

    /// Whether images stay as they are.
    package var isIdle: Bool { shift == 0 && !flip }

    /// Why images of such extents are not changed like this, as a sentence; nil where they are.
    package func fault(height: Int, width: Int) -> String? {
        guard Self.shiftRange.contains(shift), shift < min(height, width) else {
            let most = min(height, width, Augmentation.mostShift + 1) - 1
            return "a shift of \(shift) is too large for images of \(height)x\(width); from 0 to \(most) is accepted"
        }
        return nil
    }

    /// What becomes of a sample in an epoch, counted from 0. A shift is uniform but for a bias below 2^-24.
    package func change(of sample: Int, epoch: Int, seed: UInt64, run: Int) -> Augmentation.Change {
        let words = Philox4x32(key: seed).block(
            SIMD4(
                UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: epoch), UInt32(truncatingIfNeeded: run),
                RandomPurpose.augmentation.rawValue))
        func uniform(_ word: UInt32) -> Int { Int((UInt64(word) * UInt64(2 * shift + 1)) >> 32) - shift }
        return Augmentation.Change(
            rows: uniform(words.x), columns: uniform(words.y), isMirrored: flip && words.z >> 31 == 1)
    }
}
