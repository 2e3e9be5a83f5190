extension CPUBackend {
    /// Writes `count` images, of which `image(lane)` is the first pixel, to a tile: `channels` planes, each pixel times the
    /// scale plus the shift of its channel, 0 in the other lanes.
    /// - Parameter changes: the changes of the tile's images; nil to take them as they are.
    func packImages(
        _ count: Int, channels: Int, positions: Int, scaling: UnsafePointer<Float>,
        changes: (words: UnsafePointer<Int32>, width: Int)?, into target: UnsafeMutablePointer<Float>,
        image: (_ lane: Int) -> UnsafePointer<UInt8>
    ) {
        for channel in 0..<channels {
            let (scale, shift) = (scaling[2 * channel], scaling[2 * channel + 1])
            let first = channel * positions
            guard let changes else {
                packTile(rows: count, columns: positions, into: target + first * tile) {
                    image($0) + first
                } value: { pixel, _ in
                    Float(pixel) * scale + shift
                }
                continue
            }
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: tile * positions) { changed in
                guard let planes = changed.baseAddress else { return }
                for lane in 0..<count {
                    Self.change(
                        image(lane) + first, by: Augmentation.Change(word: changes.words[lane]),
                        height: positions / changes.width, width: changes.width, into: planes + lane * positions)
                }
                packTile(rows: count, columns: positions, into: target + first * tile) {
                    UnsafePointer(planes + $0 * positions)
                } value: { pixel, _ in
                    Float(pixel) * scale + shift
                }
            }
        }
    }

    /// A plane, moved and mirrored.
    private static func change(
        _ plane: UnsafePointer<UInt8>, by change: Augmentation.Change, height: Int, width: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) {
        for row in 0..<height {
            let from = row + change.rows
            for column in 0..<width {
                let start = (change.isMirrored ? width - 1 - column : column) + change.columns
                let isInside = (0..<height).contains(from) && (0..<width).contains(start)
                target[row * width + column] = isInside ? plane[from * width + start] : 0
            }
        }
    }
}
