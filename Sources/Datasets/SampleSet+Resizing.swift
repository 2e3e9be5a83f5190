import Foundation
import Support

extension SampleSet {
    /// The same images at another size, with the bytes of Pillow's `Image.resize(…, BILINEAR)` for 8-bit images.
    ///
    /// Resizes every plane of every image with a triangle filter that widens when it shrinks an image.
    ///
    /// Method: as Pillow does it for mode "L". Two passes with 8 bits in between, across and then down, but down first
    /// where the height loses more than twice the rows that the width loses columns (as of Pillow 13; older releases
    /// never do, which moves a result by 1 in such a case); a pass that changes nothing is left out; weights are 22-bit
    /// fixed-point numbers, sums are rounded half up.
    /// - Parameters:
    ///   - height: rows of the result.
    ///   - width: columns of the result.
    /// - Returns: the same samples, [image][channel]\[`height`]\[`width`].
    /// - Throws: ``DatasetError/invalidSize(height:width:)``, ``DatasetError/outOfMemory(file:needed:available:source:)``,
    ///   and ``DatasetError/unsupported(file:reason:)`` for samples that are not 8-bit images in memory.
    package func resized(height: Int, width: Int) throws(DatasetError) -> SampleSet {
        guard height > 0, width > 0, height <= Int(Int32.max), width <= Int(Int32.max),
            let total = product([count, shape.channels, height, width]),
            UInt64(total) <= ProcessInfo.processInfo.physicalMemory
        else { throw .invalidSize(height: height, width: width) }
        guard height != shape.height || width != shape.width else { return self }
        guard let source = pixels else {
            throw .unsupported(file: "samples", reason: "only 8-bit images can be resized to \(height)x\(width)")
        }
        if let least = AvailableMemory.shortage(of: total) {
            throw .outOfMemory(
                file: "\(count) images resized to \(height)x\(width)", needed: total, available: least.bytes,
                source: least.source)
        }
        let planes = PlaneResizer(
            sourceHeight: shape.height, sourceWidth: shape.width, height: height, width: width)
        let resized = [UInt8](unsafeUninitializedCapacity: total) { destination, initialized in
            source.withUnsafeBufferPointer { source in
                planes.run(planeCount: count * shape.channels, from: source, into: destination)
            }
            initialized = total
        }
        return SampleSet(
            valid: .bytes(resized), count: count,
            shape: SampleShape(channels: shape.channels, height: height, width: width), labels: labels)
    }
}

/// The weights of one pass: for each output position the first input position and a run of fixed-point weights.
private struct FilterWeights: Sendable {
    /// 8 bits of the product are the pixel and 2 are headroom.
    static let precisionBits: Int32 = 32 - 8 - 2

    /// First input position: [output].
    let first: [Int]
    /// Input positions used: [output].
    let count: [Int]
    /// Weights: [output][tap], zero beyond `count`.
    let weights: [Int32]
    /// Taps an output has room for.
    let taps: Int

    init(from sourceSize: Int, to size: Int) {
        let scale = Double(sourceSize) / Double(size)
        let filterScale = max(scale, 1)
        // The triangle filter reaches 1 to each side at a scale of one.
        let support = filterScale
        taps = Int(support.rounded(.up)) * 2 + 1
        var first: [Int] = []
        var count: [Int] = []
        var weights = [Int32](repeating: 0, count: size * taps)
        for output in 0..<size {
            let center = (Double(output) + 0.5) * scale
            let inverse = 1 / filterScale
            let low = max(Int(center - support + 0.5), 0)
            let high = min(Int(center + support + 0.5), sourceSize)
            var exact = (low..<high).map { position in
                max(1 - abs((Double(position) - center + 0.5) * inverse), 0)
            }
            let sum = exact.reduce(0, +)
            if sum != 0 { exact = exact.map { $0 / sum } }
            for (tap, weight) in exact.enumerated() {
                weights[output * taps + tap] = Int32(0.5 + weight * Double(1 << Self.precisionBits))
            }
            first.append(low)
            count.append(exact.count)
        }
        self.first = first
        self.count = count
        self.weights = weights
    }

    /// Rounds a sum of weighted pixels to 8 bits.
    static func rounded(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> precisionBits) }

    /// What rounding starts a sum with.
    static let half: Int32 = 1 << (precisionBits - 1)
}

/// Resizes planes of one size to planes of another.
struct PlaneResizer: Sendable {
    private let sourceHeight: Int
    private let sourceWidth: Int
    private let height: Int
    private let width: Int
    /// Nil for a pass that changes nothing.
    private let horizontal, vertical: FilterWeights?

    init(sourceHeight: Int, sourceWidth: Int, height: Int, width: Int) {
        self.sourceHeight = sourceHeight
        self.sourceWidth = sourceWidth
        self.height = height
        self.width = width
        horizontal = width == sourceWidth ? nil : FilterWeights(from: sourceWidth, to: width)
        vertical = height == sourceHeight ? nil : FilterWeights(from: sourceHeight, to: height)
    }

    private var isDownFirst: Bool { sourceHeight > height && sourceHeight - height > 2 * (sourceWidth - width) }

    /// Resizes all planes, on every core.
    /// - Parameters:
    ///   - source: [plane][sourceHeight][sourceWidth].
    ///   - destination: [plane][height][width], written whole.
    func run(
        planeCount: Int, from source: UnsafeBufferPointer<UInt8>, into destination: UnsafeMutableBufferPointer<UInt8>
    ) {
        // Enough pieces to keep every core busy to the end, each large enough to pay for its scratch rows.
        let pieces = min(planeCount, ProcessInfo.processInfo.activeProcessorCount * 8)
        // Pieces touch disjoint planes, so sharing the two buffers is safe.
        nonisolated(unsafe) let source = source
        nonisolated(unsafe) let destination = destination
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            resize(planeCount * piece / pieces..<planeCount * (piece + 1) / pieces, from: source, into: destination)
        }
    }

    /// Resizes some of the planes, on this core.
    /// - Parameters:
    ///   - planes: the indices of these in both buffers.
    ///   - source: [plane][sourceHeight][sourceWidth].
    ///   - destination: [plane][height][width].
    func resize(
        _ planes: Range<Int>, from source: UnsafeBufferPointer<UInt8>,
        into destination: UnsafeMutableBufferPointer<UInt8>
    ) {
        let sourceSize = sourceHeight * sourceWidth
        let size = height * width
        let between = UnsafeMutableBufferPointer<UInt8>.allocate(
            capacity: isDownFirst ? height * sourceWidth : sourceHeight * width)
        let sums = UnsafeMutableBufferPointer<Int32>.allocate(capacity: max(width, sourceWidth))
        defer {
            between.deallocate()
            sums.deallocate()
        }
        for plane in planes {
            let input = UnsafeBufferPointer(rebasing: source[plane * sourceSize..<(plane + 1) * sourceSize])
            let output = UnsafeMutableBufferPointer(rebasing: destination[plane * size..<(plane + 1) * size])
            switch (horizontal, vertical) {
            case (let horizontal?, let vertical?) where isDownFirst:
                down(vertical, from: input, columns: sourceWidth, into: between, sums: sums)
                across(horizontal, from: UnsafeBufferPointer(between), rows: height, into: output)
            case (let horizontal?, let vertical?):
                across(horizontal, from: input, rows: sourceHeight, into: between)
                down(vertical, from: UnsafeBufferPointer(between), columns: width, into: output, sums: sums)
            case (let horizontal?, nil): across(horizontal, from: input, rows: height, into: output)
            case (nil, let vertical?): down(vertical, from: input, columns: width, into: output, sums: sums)
            case (nil, nil): _ = output.update(from: input)
            }
        }
    }

    /// One plane, [rows][sourceWidth] to [rows][width].
    private func across(
        _ filter: FilterWeights, from input: UnsafeBufferPointer<UInt8>, rows: Int,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) {
        filter.weights.withUnsafeBufferPointer { weights in
            for x in 0..<width {
                let first = filter.first[x]
                let count = filter.count[x]
                let base = x * filter.taps
                for y in 0..<rows {
                    var sum = FilterWeights.half
                    let start = y * sourceWidth + first
                    for tap in 0..<count { sum &+= Int32(input[start + tap]) &* weights[base + tap] }
                    output[y * width + x] = FilterWeights.rounded(sum)
                }
            }
        }
    }

    /// One plane, [sourceHeight][columns] to [height][columns]; `sums` has room for a row.
    private func down(
        _ filter: FilterWeights, from input: UnsafeBufferPointer<UInt8>, columns: Int,
        into output: UnsafeMutableBufferPointer<UInt8>,
        sums: UnsafeMutableBufferPointer<Int32>
    ) {
        for y in 0..<height {
            let first = filter.first[y]
            for x in 0..<columns { sums[x] = FilterWeights.half }
            for tap in 0..<filter.count[y] {
                let weight = filter.weights[y * filter.taps + tap]
                let row = UnsafeBufferPointer(rebasing: input[(first + tap) * columns..<(first + tap + 1) * columns])
                for x in 0..<columns { sums[x] &+= Int32(row[x]) &* weight }
            }
            for x in 0..<columns { output[y * columns + x] = FilterWeights.rounded(sums[x]) }
        }
    }
}
