import CPNG
import Datasets
import Pruning
import Testing

@testable import Reports

/// Decodes a PNG with libpng's own reader.
func decoded(_ png: [UInt8], channels: Int) throws -> (width: Int, height: Int, pixels: [UInt8]) {
    var header = png_image()
    header.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&header) }
    try #require(png_image_begin_read_from_memory(&header, png, png.count) != 0)
    #expect(header.format == (channels == 3 ? UInt32(PNG_FORMAT_FLAG_COLOR) : 0))
    var pixels = [UInt8](repeating: 0, count: Int(header.width * header.height) * channels)
    try #require(png_image_finish_read(&header, nil, &pixels, 0, nil) != 0)
    return (Int(header.width), Int(header.height), pixels)
}

@Suite struct ClusterSheetTests {
    /// Cluster 0: six samples near; 1: two samples, the furthest out; 2: empty; 3: three samples, all at the centroid, of
    /// classes 0, 1, 2; 4: one sample.
    private let assignment = ClusterAssignment(
        labels: [0, 0, 0, 0, 0, 0, 1, 1, 3, 3, 3, 4], squaredDistances: [1, 2, 3, 1, 2, 3, 50, 70, 0, 0, 0, 99], k: 5)
    private let classes = ClassLabels(labels: [0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 2, 2], count: 3)

    @Test func theClustersOfEachKindAreChosenOnce() {
        let choices = ClusterSheet.choose(assignment, classes: classes)
        #expect(choices.map(\.cluster) == [0, 4, 1, 3])
        #expect(
            choices.map(\.reasons) == [
                ["largest"], ["smallest"], ["most spread"], ["least spread", "most mixed classes"],
            ])
        #expect(choices.map(\.count) == [6, 1, 2, 3])
        #expect(choices.map(\.spread) == [2, 99, 60, 0])
    }

    @Test func withoutClassesNothingIsSaidOfThem() {
        #expect(!ClusterSheet.choose(assignment, classes: nil).flatMap(\.reasons).contains("most mixed classes"))
    }

    @Test func aSheetHasTheMeanTheClosestAndTheFurthest() throws {
        // Twelve images of one pixel row each, [10 i, 10 i + 1].
        let images = try SampleSet(
            pixels: (0..<12).flatMap { [UInt8(10 * $0), UInt8(10 * $0 + 1)] }, labels: classes.labels, height: 1,
            width: 2)
        let choice = try #require(ClusterSheet.choose(assignment, classes: classes).first)
        let sheet = try #require(ClusterSheet(choice, of: assignment, images: images))
        #expect(sheet.perClass == [5, 1, 0])
        #expect(sheet.classes == "0 (83%), 1 (17%)")
        let image = try #require(sheet.image)
        #expect(image.width == 10 * 2 + 10 * 2 && image.height == 4)
        func pixel(_ x: Int, _ y: Int) -> UInt8 { image.pixels[y * image.width + x] }
        // The mean of 0, 10, … 50, each pixel of it two by two.
        #expect([pixel(0, 0), pixel(1, 1), pixel(2, 0), pixel(3, 1)] == [25, 25, 26, 26])
        // Closest first, of equal ones the lower index: 0, 3, 1, 4, 2, 5; furthest: the same from the other end.
        let columns = (0..<8).map { 10 + 4 * $0 }
        #expect(columns.map { pixel($0, 0) } == [0, 30, 10, 40, 20, 50, 128, 128])
        #expect(columns.map { pixel($0, 3) } == [50, 20, 40, 10, 30, 0, 128, 128])
    }

    @Test(arguments: [1, 3])
    func aPNGReadsBackAsItWas(channels: Int) throws {
        var image = RasterImage(width: 7, height: 3, channels: channels, value: 0)
        for index in image.pixels.indices { image.pixels[index] = UInt8(index * 11 % 256) }
        let png = try #require(image.png)
        let back = try decoded(png, channels: channels)
        #expect(back.width == 7 && back.height == 3 && back.pixels == image.pixels)
        #expect(RasterImage(width: 0, height: 3, channels: 1, value: 0).png == nil)
    }

    @Test func colourImagesKeepTheirColours() throws {
        let images = try SampleSet(pixels: [10, 20, 30, 40, 50, 60], labels: [0], channels: 3, height: 1, width: 2)
        let single = ClusterAssignment(labels: [0], squaredDistances: [0], k: 1)
        let choice = try #require(ClusterSheet.choose(single, classes: nil).first)
        let sheet = try #require(ClusterSheet(choice, of: single, images: images))
        let image = try #require(sheet.image)
        #expect(image.channels == 3)
        // Planes of red, green and blue become pixels.
        #expect(Array(image.pixels[0..<3]) == [10, 30, 50])
        #expect(Array(image.pixels[6..<9]) == [20, 40, 60])
        #expect(sheet.csv == nil)
    }
}

@Suite struct InlineSVGTests {
    private let svg = """
        <?xml version="1.0"?>
        <svg width="5" viewBox="0 0 5 5" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
        <title>t</title><rect x="0" y="0" width="5" height="5" fill="#ffffff"/>
        <defs><circle id='p' r='1' stroke='currentColor'/></defs>
        <g fill="none" color="black"><g></g></g>
        <g color="black" font-family="X"><use xlink:href='#p' color='rgb(  0, 114, 178)'/><text fill="black">a &lt; b</text></g>
        </svg>
        """

    @Test func idsAreItsOwnAndColoursThePages() throws {
        let element = try #require(InlineSVG.element(svg, prefix: "one", label: "A \"<b>\""))
        #expect(
            element
                == "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 5 5\" aria-label=\"A &quot;&lt;b&gt;&quot;\">"
                + "<defs><circle id=\"one-p\" r=\"1\" stroke=\"currentColor\"></circle></defs>"
                + "<g><use color=\"var(--blue)\" href=\"#one-p\"></use><text fill=\"currentColor\">a &lt; b</text></g></svg>"
        )
    }

    @Test(arguments: [
        "", "text", "<svg><g></svg>", "<svg>", "</svg>", "<svg/><svg/>", "<svg/>text", "<svg a=1/>",
        "<svg a='1'b='2'/>",
        "<svg a='1' a='2'/>", "<svg a='<'/>", "<svg a='1/>", "<svg>&nbsp;</svg>", "<svg>&#0;</svg>",
        "<svg>&#xD800;</svg>",
        "<svg>a & b</svg>", "<svg><!-- </svg>", "<svg><![CDATA[ </svg>", "< svg/>", "<svg", "<1/>", "<?xml <svg/>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", "<![CDATA[a]]><svg/>", "<svg></svg >x",
    ]) func whatIsNoXMLIsNoPicture(text: String) {
        #expect(InlineSVG.element(text, prefix: "a", label: "") == nil)
        #expect(XMLScanner.events(of: text) == nil)
    }

    @Test func readsWhatDrawingProgramsWrite() {
        let text = """
            \u{FEFF}<?xml version="1.0"?>
            <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">
            <!-- a > b --><a:b x-1 = 'a"b\n\tc' y="'&#8722;&#x2212;&quot;"
            ><c/>1 &lt;&amp;&gt; <![CDATA[<2>]]>−<?pi x?></a:b >
            <!-- end -->
            """
        #expect(
            XMLScanner.events(of: text) == [
                .start(name: "a:b", attributes: ["x-1": "a\"b  c", "y": "'−−\""]), .start(name: "c", attributes: [:]),
                .end(name: "c"), .text("1 <&> <2>−"), .end(name: "a:b"),
            ])
    }
}
