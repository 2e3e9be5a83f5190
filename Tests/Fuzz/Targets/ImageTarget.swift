import Datasets

/// Files of images, decoded where they have few pixels. Whatever a header promises, memory follows this limit.
func acceptsImage(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.png"
    let mostPixels = 1 << 16
    let image: (shape: SampleShape, pixels: [UInt8])
    do { image = try ImageFile.decode(bytes, path: path, mostPixels: mostPixels) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    let shape = image.shape
    try require(shape.channels == 1 || shape.channels == 3, "\(shape.channels) channels")
    try require(shape.planeSize > 0 && shape.planeSize <= mostPixels, "\(shape)")
    try require(image.pixels.count == shape.featureCount, "\(image.pixels.count) values of \(shape)")
    do {
        let again = try ImageFile.decode(bytes, path: path, mostPixels: mostPixels)
        try require(again.pixels == image.pixels, "the same file gives other pixels")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "the same file is refused: \(error)")
    }
    return true
}
