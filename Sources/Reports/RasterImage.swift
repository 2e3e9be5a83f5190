import CPNG
import Datasets

/// 8-bit pixels, grey or red, green and blue.
struct RasterImage: Equatable, Sendable {
    let width: Int
    let height: Int
    /// Values a pixel: 1 or 3.
    let channels: Int
    /// [y][x][channel].
    var pixels: [UInt8]

    /// An image all of one value.
    init(width: Int, height: Int, channels: Int, value: UInt8) {
        self.width = width
        self.height = height
        self.channels = channels
        pixels = [UInt8](repeating: value, count: width * height * channels)
    }

    /// An image of the values of a sample: [channel][y][x], of which there are 3, or any other number for a grey image of the
    /// first.
    init(planes: [UInt8], _ shape: SampleShape) {
        self.init(planes: shape) { planes[$0] }
    }

    /// The same with the values by their place.
    init(planes shape: SampleShape, _ value: (Int) -> UInt8) {
        self.init(channels: shape.channels, height: shape.height, width: shape.width, value)
    }

    /// The same of a sample of these extents.
    init(channels planes: Int, height: Int, width: Int, _ value: (Int) -> UInt8) {
        self.init(width: width, height: height, channels: planes == 3 ? 3 : 1, value: 0)
        let plane = height * width
        for pixel in 0..<plane {
            for channel in 0..<channels { pixels[pixel * channels + channel] = value(channel * plane + pixel) }
        }
    }

    /// Puts `image` in with its top left corner at (x, y), each of its pixels `scale` by `scale` large; what has no room
    /// is cut off.
    mutating func draw(_ image: RasterImage, x: Int, y: Int, scale: Int = 1) {
        for row in 0..<min(image.height * scale, height - y) {
            for column in 0..<min(image.width * scale, width - x) {
                for channel in 0..<channels {
                    let source = (row / scale * image.width + column / scale) * image.channels
                    pixels[((y + row) * width + x + column) * channels + channel] =
                        image.pixels[source + min(channel, image.channels - 1)]
                }
            }
        }
    }

    /// The image as a PNG file, written by libpng; nil for an image without pixels or where memory runs out.
    var png: [UInt8]? {
        guard width > 0, height > 0, pixels.count == width * height * channels else { return nil }
        var header = png_image()
        header.version = UInt32(PNG_IMAGE_VERSION)
        header.width = UInt32(width)
        header.height = UInt32(height)
        header.format = channels == 3 ? UInt32(PNG_FORMAT_FLAG_COLOR) : 0
        defer { png_image_free(&header) }
        var size: png_alloc_size_t = 0
        guard png_image_write_to_memory(&header, nil, &size, 0, pixels, 0, nil) != 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        guard png_image_write_to_memory(&header, &bytes, &size, 0, pixels, 0, nil) != 0 else { return nil }
        return Array(bytes.prefix(Int(size)))
    }
}
