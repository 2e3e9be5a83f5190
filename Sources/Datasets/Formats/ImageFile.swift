import CPicture
import Foundation
import Support

/// Why an image file is not read. Each description is a part of a sentence that begins with the file.
enum ImageFault: Error, Equatable, Sendable {
    /// Neither PNG nor JPEG, but this, as far as the first bytes tell.
    case foreign(kind: String?)
    case empty
    case truncated
    /// The contents go against the format, in the library's words.
    case damaged(String)
    case tooLarge(width: Int, height: Int)
    case animated
    case cmyk
    /// A well-formed file of a kind that is not read.
    case unsupported(String)
    /// The system does not give its bytes.
    case unreadable(String)
    /// It is not what it was when its folder was listed.
    case changed
    /// It needs this many bytes of memory, more than is available.
    case noMemory(Int)

    /// Whether the same file gives it again, whatever the state of the system.
    var isLasting: Bool {
        switch self {
        case .unreadable, .changed, .noMemory: false
        default: true
        }
    }

    var description: String {
        switch self {
        case .foreign(let kind): "is neither PNG nor JPEG" + (kind.map { ", but \($0)" } ?? "")
        case .empty: "is empty"
        case .truncated: "is truncated"
        case .damaged(let words): "is damaged: \(words)"
        case .tooLarge(let width, let height):
            "has \(width)x\(height) pixels, more than the \(ImageFile.mostPixels) that are accepted"
        case .animated: "is an animated PNG"
        case .cmyk: "is a JPEG in CMYK; convert it to RGB"
        case .unsupported(let words): "is of a kind that is not read: \(words)"
        case .unreadable(let reason): "cannot be read: \(reason)"
        case .changed: "changed while it was read"
        case .noMemory(let bytes): "needs \(bytes >> 20) MiB of memory, more than is available"
        }
    }
}

/// What the header of an image file says.
struct ImageHeader: Equatable, Sendable {
    /// Columns and rows.
    let width: Int
    let height: Int
    /// 1 for grey, 3 for red, green and blue.
    let channels: Int
    /// Whether it has transparency, which is dropped.
    let hasAlpha: Bool
    /// Whether samples have 16 bits, of which the upper 8 are kept.
    let isDeep: Bool
    /// Whether EXIF says that it is to be turned or mirrored, which is ignored.
    let isTurned: Bool

    fileprivate let info: cpicture_info

    fileprivate init(_ info: cpicture_info) {
        self.info = info
        width = Int(info.width)
        height = Int(info.height)
        channels = Int(info.channels)
        hasAlpha = info.has_alpha != 0
        isDeep = info.is_deep != 0
        isTurned = info.orientation != 1
    }

    static func == (left: ImageHeader, right: ImageHeader) -> Bool {
        (left.width, left.height, left.channels) == (right.width, right.height, right.channels)
            && (left.hasAlpha, left.isDeep, left.isTurned) == (right.hasAlpha, right.isDeep, right.isTurned)
    }

    /// Bytes of the decoded image.
    var byteCount: Int { width * height * channels }
}

/// The contents of a PNG or JPEG file, decoded by libpng and libjpeg-turbo.
///
/// Grey stays grey, palettes and YCbCr become RGB. Of 16 bits the upper 8 are kept, fewer than 8 are spread over the whole
/// range. Transparency is dropped: colours are those in the file, on no background, as Pillow's `convert("RGB")` gives
/// them. Colour profiles, gamma and EXIF are ignored.
package enum ImageFile {
    /// Most pixels of an image: what Pillow takes for an attack beyond.
    package static let mostPixels = 89_478_485

    /// The versions of the libraries, which decoded bytes may depend on.
    static var libraries: String { String(cString: cpicture_libraries()) }

    /// Reads the header of a file.
    /// - Parameters:
    ///   - bytes: the file, or its beginning, for which ``ImageFault/truncated`` asks for more.
    ///   - mostPixels: what is refused beyond.
    static func header(
        _ bytes: UnsafeRawBufferPointer, mostPixels: Int = mostPixels
    ) throws(ImageFault) -> ImageHeader {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { throw .empty }
        var info = cpicture_info()
        var message = Message()
        let status = message.withPointer {
            cpicture_inspect(
                start.assumingMemoryBound(to: UInt8.self), bytes.count, UInt64(max(0, mostPixels)), &info, $0)
        }
        if let fault = fault(status, info, message.text, bytes) { throw fault }
        return ImageHeader(info)
    }

    /// Decodes a file.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - header: what ``header(_:mostPixels:)`` said of it.
    ///   - channels: 3, or, for a grey image, 1. A grey image fills all three.
    ///   - planes: [channel][y][x], written whole, or to some part where there is a fault.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, header: ImageHeader, channels: Int,
        into planes: UnsafeMutableBufferPointer<UInt8>
    ) throws(ImageFault) {
        guard let start = bytes.baseAddress, let target = planes.baseAddress,
            planes.count == header.width * header.height * channels
        else { throw .changed }
        var info = header.info
        var message = Message()
        let status = message.withPointer {
            cpicture_decode(
                start.assumingMemoryBound(to: UInt8.self), bytes.count, &info, UInt32(channels), target, $0)
        }
        if let fault = fault(status, info, message.text, bytes) { throw fault }
    }

    /// Decodes a file whole: for checks of one image.
    /// - Returns: the shape and [channel][y][x].
    /// - Throws: ``DatasetError/malformed(file:reason:)`` that says what the file is.
    package static func decode(
        _ bytes: [UInt8], path: String, mostPixels: Int = mostPixels
    ) throws(DatasetError) -> (shape: SampleShape, pixels: [UInt8]) {
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(ImageFault) in
                let header = try header(bytes, mostPixels: mostPixels)
                var pixels = [UInt8](repeating: 0, count: header.byteCount)
                try pixels.withUnsafeMutableBufferPointer { (planes) throws(ImageFault) in
                    try decode(bytes, header: header, channels: header.channels, into: planes)
                }
                return (
                    SampleShape(channels: header.channels, height: header.height, width: header.width), pixels
                )
            }
        }
        switch outcome {
        case .success(let image): return image
        case .failure(let fault): throw .malformed(file: path, reason: fault.description)
        }
    }

    private static func fault(
        _ status: cpicture_status, _ info: cpicture_info, _ message: String, _ bytes: UnsafeRawBufferPointer
    ) -> ImageFault? {
        switch status {
        case CPICTURE_OK: nil
        case CPICTURE_FOREIGN: .foreign(kind: kind(of: bytes))
        case CPICTURE_TRUNCATED: .truncated
        case CPICTURE_TOO_LARGE: .tooLarge(width: Int(info.width), height: Int(info.height))
        case CPICTURE_ANIMATED: .animated
        case CPICTURE_CMYK: .cmyk
        case CPICTURE_UNSUPPORTED: .unsupported(excerpt(message, longest: 120))
        case CPICTURE_CHANGED: .changed
        case CPICTURE_NO_MEMORY: .noMemory(Int(info.width) * Int(info.height) * Int(info.channels))
        default: .damaged(excerpt(message, longest: 120))
        }
    }

    /// What the first bytes tell of a file that is none of ours.
    private static func kind(of bytes: UnsafeRawBufferPointer) -> String? {
        func has(_ text: String, at offset: Int = 0) -> Bool {
            bytes.count >= offset + text.utf8.count && bytes[offset...].starts(with: text.utf8)
        }
        if has("GIF8") { return "GIF" }
        if has("RIFF"), has("WEBP", at: 8) { return "WebP" }
        if has("BM") { return "BMP" }
        if has("II*\0") || has("MM\0*") { return "TIFF" }
        if has("ftyp", at: 4) { return has("avif", at: 8) ? "AVIF" : "a file of the MP4 family, as HEIC is" }
        if has("\0\0\0\u{0C}jP  ") { return "JPEG 2000" }
        if has("P5") || has("P6") { return "PGM or PPM" }
        return nil
    }

    /// Room for what a library says.
    private struct Message {
        private var characters = [CChar](repeating: 0, count: Int(CPICTURE_MESSAGE))

        mutating func withPointer<Result>(_ body: (UnsafeMutablePointer<CChar>?) -> Result) -> Result {
            characters.withUnsafeMutableBufferPointer { body($0.baseAddress) }
        }

        var text: String {
            String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
