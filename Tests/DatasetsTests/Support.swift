import CZlib
import Foundation
import Testing

@testable import Datasets
import TestSupport

func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// One gzip member.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    guard
        deflateInit2_(
            &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            == Z_OK
    else { return [] }
    defer { deflateEnd(&stream) }
    var input = bytes
    return [UInt8](unsafeUninitializedCapacity: bytes.count + bytes.count / 100 + 100) { output, count in
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            if deflate(&stream, Z_FINISH) == Z_STREAM_END { count = output.count - Int(stream.avail_out) }
        }
    }
}

/// An IDX file in memory; `dimensions` may lie about `payload`.
func idx(_ dimensions: [Int], _ payload: [UInt8], magic: UInt32? = nil) -> [UInt8] {
    ([magic ?? 0x0800 | UInt32(dimensions.count)] + dimensions.map { UInt32($0) }).flatMap { word in
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
    } + payload
}

/// Reproducible noise (SplitMix64, by Steele, Lea and Flood).
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// The four files of a data set with noise for images.
func writeDataset(
    in folder: TemporaryFolder, prefix: String = "", train: Int = 7, test: Int = 3, height: Int = 5, width: Int = 4,
    labels: [UInt8] = [0, 2, 9], dotted: Bool = false, compressed: Bool = false, seed: Int = 1
) throws {
    var noise = Noise(seed)
    let mark = dotted ? ".idx" : "-idx"
    for (name, count) in [("train", train), ("t10k", test)] {
        let images = idx([count, height, width], noise.bytes(count * height * width))
        let classes = idx([count], (0..<count).map { labels[$0 % labels.count] })
        let suffix = compressed ? ".gz" : ""
        _ = try folder.file("\(prefix)\(name)-images\(mark)3-ubyte\(suffix)", compressed ? gzip(images) : images)
        _ = try folder.file("\(prefix)\(name)-labels\(mark)1-ubyte\(suffix)", compressed ? gzip(classes) : classes)
    }
}

/// Where a real data set lies, for tests that are skipped without it.
func realDataset(_ name: String) -> DatasetLocation? { try? DatasetLocator().find(name) }
