import Foundation
import Testing

@testable import Datasets
import TestSupport

/// Files with bytes flipped, cut out, doubled or appended: each is read, or refused with a typed error.
@Suite struct DamagedInputTests {
    static func damaged(_ contents: [UInt8], _ noise: inout Noise) -> [UInt8] {
        var contents = contents
        for _ in 0...Int.random(in: 0..<4, using: &noise) {
            guard !contents.isEmpty else { break }
            // Headers are short and matter most, so half of the damage goes there.
            let reach = Bool.random(using: &noise) ? min(contents.count, 32) : contents.count
            let place = Int.random(in: 0..<reach, using: &noise)
            switch Int.random(in: 0..<6, using: &noise) {
            case 0: contents[place] = UInt8(truncatingIfNeeded: noise.next())
            case 1: contents[place] ^= 1 << UInt8.random(in: 0..<8, using: &noise)
            case 2: contents.removeSubrange(place...)
            case 3: contents.remove(at: place)
            case 4: contents.insert(contents[place], at: place)
            default: contents += noise.bytes(Int.random(in: 1...40, using: &noise))
            }
        }
        return contents
    }

    @Test(arguments: 0..<8) func isRefusedOrRead(seed: Int) throws {
        let folder = try TemporaryFolder()
        var noise = Noise(seed)
        let images = idx([12, 9, 7], noise.bytes(756))
        let sparse = idx([500, 9, 7], [UInt8](repeating: 0, count: 31_500))
        let written = try folder.file("array.npy")
        try NumPy.write((0..<60).map { Float($0) }, shape: [12, 5], to: written)
        let array = try bytes(of: written)
        var refused = 0
        for _ in 0..<150 {
            for original in [images, gzip(images), gzip(sparse)] {
                let path = try folder.file("damaged", Self.damaged(original, &noise))
                do throws(DatasetError) {
                    let result = try IDX.read(path, rank: 3)
                    #expect(result.bytes.count == result.dimensions.reduce(1, *))
                } catch {
                    refused += 1
                    #expect([.badData, .noInput].contains(error.category) && !error.description.isEmpty)
                }
            }
            let path = try folder.file("damaged.npy", Self.damaged(array, &noise))
            do throws(DatasetError) {
                let result = try NumPyArray.read(path)
                #expect(result.count == result.shape.reduce(1, *) && result.floats.count == result.count)
            } catch {
                refused += 1
                #expect([.badData, .noInput].contains(error.category) && !error.description.isEmpty)
            }
        }
        // Flipped pixels may pass where no checksum guards them; most damage may not.
        #expect(refused > 300)
    }
}
