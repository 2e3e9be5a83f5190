import Foundation
import Testing

@testable import Datasets
import TestSupport

@Suite struct ImageFileTests {
    /// The lines of a fixture's list, with the images that Pillow made of the files.
    private func cases(_ list: String, _ expected: String) throws -> [(
        name: String, shape: SampleShape, pixels: [UInt8]
    )] {
        let pixels = try #require(try NumPyArray.read(Fixtures.path("images/\(expected)")).bytes)
        var first = 0
        return try String(contentsOfFile: Fixtures.path("images/\(list)"), encoding: .utf8).split(separator: "\n").map {
            let words = $0.split(separator: " ")
            let extents = words.dropFirst().compactMap { Int($0) }
            try #require(extents.count == 3)
            let shape = SampleShape(channels: extents[0], height: extents[1], width: extents[2])
            defer { first += shape.featureCount }
            return (String(words[0]), shape, Array(pixels[first..<first + shape.featureCount]))
        }
    }

    /// Every kind of PNG and JPEG that is read: the bytes of Pillow.
    @Test func decodesAsPillowDoes() throws {
        let cases = try cases("cases.txt", "expected.npy")
        #expect(cases.count > 45)
        for (name, shape, pixels) in cases {
            let image = try ImageFile.decode(try bytes(of: Fixtures.path("images/\(name)")), path: name)
            #expect(image.shape == shape && image.pixels == pixels, "\(name)")
        }
    }

    @Test func headersTellWhatDecodingDrops() throws {
        func header(_ name: String) throws -> ImageHeader {
            try bytes(of: Fixtures.path("images/\(name)")).withUnsafeBytes { try ImageFile.header($0) }
        }
        for (name, isDeep, hasAlpha, isTurned) in [
            ("png-0-8.png", false, false, false), ("png-0-16.png", true, false, false),
            ("png-6-16.png", true, true, false), ("png-4-8.png", false, true, false),
            ("png-palette-trns.png", false, true, false), ("png-turned.png", false, false, true),
            ("jpeg-turned.jpg", false, false, true), ("jpeg-420.jpg", false, false, false),
        ] {
            let found = try header(name)
            #expect(
                found.isDeep == isDeep && found.hasAlpha == hasAlpha && found.isTurned == isTurned, "\(name)")
        }
    }

    @Test func everyCutFileIsTruncated() throws {
        for name in ["png-2-8-interlaced.png", "png-3-4.png", "jpeg-420.jpg", "jpeg-grey-progressive.jpg"] {
            let whole = try bytes(of: Fixtures.path("images/\(name)"))
            for length in 1..<whole.count {
                let error = #expect(throws: DatasetError.self) {
                    try ImageFile.decode(Array(whole[..<length]), path: "x")
                }
                // PNG's signature, and the mark of a JPEG, say what a file is only when they are whole.
                let expected = "x: is truncated"
                #expect(error?.description == expected, "\(name) cut to \(length) bytes")
            }
        }
    }

    @Test func refusesWithAReason() throws {
        func reason(_ bytes: [UInt8]) -> String? {
            #expect(throws: DatasetError.self) { try ImageFile.decode(bytes, path: "x") }?.description
        }
        func fixture(_ name: String) throws -> String? { reason(try bytes(of: Fixtures.path("images/\(name)"))) }
        #expect(try fixture("animated.png") == "x: is an animated PNG")
        #expect(try fixture("cmyk.jpg") == "x: is a JPEG in CMYK; convert it to RGB")
        #expect(try fixture("gif.png") == "x: is neither PNG nor JPEG, but GIF")
        #expect(reason(Array("a text".utf8)) == "x: is neither PNG nor JPEG")
        #expect(reason([]) == "x: is empty")

        var damaged = MadePNG.file(width: 2, height: 2, pixels: [1, 2, 3, 4])
        damaged[damaged.count - 20] ^= 1
        #expect(reason(damaged)?.hasPrefix("x: is damaged: ") == true)
        var jpeg = try bytes(of: Fixtures.path("images/jpeg-restart.jpg"))
        let middle = jpeg.count - 60
        for index in middle..<middle + 20 { jpeg[index] = 0x5A }
        #expect(reason(jpeg)?.hasPrefix("x: is damaged: ") == true)
        // A palette of one colour, and a pixel with the second.
        let beyond = MadePNG.file(width: 1, height: 1, pixels: [1], chunks: [("PLTE", [9, 9, 9])])
        var palette = beyond
        palette.replaceSubrange(8..<33, with: MadePNG.chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0]))
        #expect(reason(palette) == "x: is damaged: a pixel has a colour beyond the palette")
    }

    /// The size is refused before anything is allocated for it.
    @Test func refusesHugeSizesByTheirHeader() throws {
        let side: [UInt8] = [0, 0, 0xEA, 0x60]
        var png = MadePNG.file(width: 1, height: 1, pixels: [0])
        png.replaceSubrange(8..<33, with: MadePNG.chunk("IHDR", side + side + [8, 2, 0, 0, 0]))
        var jpeg = try bytes(of: Fixtures.path("images/jpeg-444.jpg"))
        let frame = try #require(jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xEA, 0x60, 0xEA, 0x60])
        for bytes in [png, jpeg] {
            let error = #expect(throws: DatasetError.self) { try ImageFile.decode(bytes, path: "x") }
            #expect(error?.description.contains("60000x60000 pixels") == true)
            #expect(error?.category == .badData)
        }
    }

    /// An image of another size among others: Pillow's bytes after resizing by a large factor.
    @Test func shrinksAsPillowDoes() throws {
        let folder = try TemporaryFolder()
        for (name, shape, pixels) in try cases("cases-32.txt", "expected-32.npy") {
            for part in ["train", "test"] {
                _ = try folder.file("data/\(part)/a/1.jpg", try bytes(of: Fixtures.path("images/\(name)")))
                _ = try folder.file("data/\(part)/a/2.png", try bytes(of: Fixtures.path("images/png-2-8.png")))
            }
            let dataset = try Dataset.load(directory: folder / "data")
            #expect(dataset.train.shape == shape && dataset.train.count == 2)
            #expect(Array(try #require(dataset.train.pixels).prefix(pixels.count)) == pixels)
        }
    }
}
