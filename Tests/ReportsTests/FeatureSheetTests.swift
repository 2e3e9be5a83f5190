import Datasets
import Foundation
import Pruning
import Support
import TestSupport
import Testing

@testable import Reports

/// Cluster sheets of samples that are no images.
@Suite struct FeatureSheetTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// 200 rows of 30 numbers, as those of ``ToyExecutor/images(_:first:)``, in classes with names.
    private func rows(_ ids: [String]? = nil) throws -> Dataset {
        let count = 200
        let pixels = (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: 30) }
        let labels = (0..<count).map { UInt8($0 % 2) }
        var dataset = try Dataset(
            name: "mnist", train: SampleSet(pixels: pixels, labels: labels, height: 1, width: 30),
            test: SampleSet(pixels: Array(pixels.prefix(300)), labels: Array(labels.prefix(10)), height: 1, width: 30),
            isOfImages: false)
        dataset.classNames = ["cat", "<dog>"]
        if let ids {
            let file = try folder.file("ids/lines", Array(ids.map { $0 + "\n" }.joined().utf8))
            dataset.identifiers = try Identifiers(file)
        }
        return dataset
    }

    private static let study = """
        runs: 1
        epochs: 1
        experiments:
          - {pruning_method: cluster, sizes: 20, ks: 5, selection_strategies: furthest}
        """

    private func report(_ dataset: Dataset) async throws -> (page: String, notices: [String], study: ToyStudy) {
        let study = try ToyStudy(Self.study, images: dataset) { _ in 9000 }
        let (page, notices) = try await study.report(gnuplot: false)
        return (page, notices.filter { !$0.contains("gnuplot") }, study)
    }

    /// Sample i is in cluster i modulo 5, at the squared distance i.
    @Test(arguments: [(0.13437, "0.134"), (7.2551, "7.26"), (0, "0"), (1_234.6, "1,235"), (123.4, "123")])
    func distancesOfEverySizeHaveDigits(_ value: Double, _ text: String) { #expect(Number.significant(value) == text) }

    @Test func idsAreInTablesAndFiles() async throws {
        let long = String(repeating: "x", count: 300)
        let (page, notices, study) = try await report(
            rows((0..<200).map { $0 == 0 ? "<b>&\"\(long)" : "note \($0)\u{1B}[1m, \"q\"" }))
        #expect(notices.isEmpty, "\(notices)")
        #expect(!page.contains("<img ") && page.contains("Clusters of mnist"))
        #expect(page.contains("on the features") && page.contains("the ids of the members closest"))
        #expect(page.contains("&lt;b&gt;&amp;&quot;xx") && !page.contains("<b>&\"x") && !page.contains(long))
        #expect(page.contains("note 5\\u{1B}[1m, &quot;q&quot;") && !page.contains("\u{1B}"))
        // The names of classes are in captions, in the tables, and over the counts of classes.
        #expect(page.contains("classes &lt;dog&gt; (50%)") || page.contains("classes cat (50%), &lt;dog&gt; (50%)"))
        #expect(page.contains("<th scope=\"col\">cat</th><th scope=\"col\">&lt;dog&gt;</th>"))
        let names = try study.names("plots")
        #expect(names == ["cluster-mnist-k5-0.csv", "cluster-mnist-k5-4.csv"])
        let lines = try study.text("plots/cluster-mnist-k5-0.csv").split(separator: "\n")
        #expect(lines.count == 17 && lines[0] == "end,rank,index,id,class,squared_distance")
        #expect(lines[1] == "closest,0,0,\"<b>&\"\"\(long)\",cat,0.0")
        #expect(lines[2] == "closest,1,5,\"note 5\\u{1B}[1m, \"\"q\"\"\",<dog>,5.0")
        #expect(lines[9].hasPrefix("furthest,0,195,") && lines[16].hasPrefix("furthest,7,160,"))
        // A report without the data leaves none of its files.
        _ = try await study.report(gnuplot: false, images: try ToyExecutor.images(first: 3))
        #expect(try study.names("plots").isEmpty)
    }

    @Test func withoutIdsRowsHaveNumbers() async throws {
        let (page, notices, study) = try await report(rows())
        #expect(notices.isEmpty)
        #expect(page.contains("<bdi>row 195</bdi>") && page.contains("the numbers (from 0) of the members"))
        #expect(try study.text("plots/cluster-mnist-k5-0.csv").contains("closest,1,5,,<dog>,5.0\n"))
    }

    @Test func fieldsOfJSONLAreShown() async throws {
        let lines = (0..<200).map { index in
            switch index {
            case 0: "{\"title\": \"T\", \"id\": 17}"
            case 5: "{\"title\": \"caf\\u00e9\"}"
            case 10: "{\"other\": 1}"
            default: "{\"path\": \"\(index).md\", \"id\": 3}"
            }
        }
        let (page, notices, _) = try await report(rows(lines))
        #expect(notices.isEmpty, "\(notices)")
        for text in ["17", "café", "{&quot;other&quot;: 1}", "195.md"] {
            #expect(page.contains("<bdi>\(text)</bdi>"), "\(text)")
        }
    }

    @Test func picturesThatIdsNameAreDrawn() async throws {
        let paths = (0..<200).map { "p/\($0).png" }
        for (index, path) in paths.enumerated() where index != 5 && index != 195 {
            // Twice as wide as high, and all of one value.
            let file = MadePNG.file(width: 4, height: 2, pixels: [UInt8](repeating: UInt8(index), count: 8))
            _ = try folder.file("ids/\(path)", file)
        }
        _ = try folder.file("ids/p/195.png", Array("no image".utf8))
        let (page, notices, study) = try await report(rows(paths))
        #expect(notices.count == 1)
        #expect(
            notices.first?.hasPrefix("2 of the pictures that the ids of mnist name cannot be shown") == true
                && notices.first?.contains("p/5.png") == true, "\(notices)")
        #expect(page.contains("<img class=\"photos\"") && page.contains("<bdi>p/195.png</bdi>"))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: study.directory + "/plots/cluster-mnist-k5-0.png"))
        let image = try decoded([UInt8](bytes), channels: 3)
        #expect(image.width == 8 * 64 + 7 * 2 && image.height == 2 * 64 + 2)
        func pixel(_ column: Int, _ row: Int, x: Int, y: Int) -> [UInt8] {
            let start = ((row * 66 + y) * image.width + column * 66 + x) * 3
            return Array(image.pixels[start..<start + 3])
        }
        // Closest 0, 5, 10, …; furthest 195, 190, …; those that are missing are left grey.
        #expect(pixel(0, 0, x: 32, y: 32) == [0, 0, 0] && pixel(2, 0, x: 0, y: 16) == [10, 10, 10])
        #expect(pixel(2, 0, x: 32, y: 15) == [128, 128, 128] && pixel(2, 0, x: 63, y: 47) == [10, 10, 10])
        #expect(pixel(1, 0, x: 32, y: 32) == [128, 128, 128] && pixel(0, 1, x: 32, y: 32) == [128, 128, 128])
        #expect(pixel(1, 1, x: 32, y: 32) == [190, 190, 190])
        // From another folder, where there are none.
        let stored = try study.stored()
        let dataset = try rows(paths)
        let others = try await StudyReport.write(
            stored, pictureFolder: folder.path, images: { _ in dataset }, gnuplot: nil)
        #expect(others.contains { $0.contains("coppice report --data DIR names another folder") }, "\(others)")
        #expect(try study.names("plots") == ["cluster-mnist-k5-0.csv", "cluster-mnist-k5-4.csv"])
    }

    @Test func aPictureIsDecodedOnce() throws {
        // Of 200 rows, ten pictures, one of which cannot be read.
        let decoded = Locked<[String: Int]>([:])
        let ids = ClusterIDs(try rows((0..<200).map { "\($0 % 10).png" }), origins: nil, pictureFolder: nil) {
            (path, side) throws(DatasetError) in
            let name = String(decoding: path, as: UTF8.self)
            decoded.withLock { $0[name, default: 0] += 1 }
            if name.hasSuffix("/3.png") { throw DatasetError.malformed(file: name, reason: "made") }
            return (SampleShape(channels: 1, height: side, width: side), [UInt8](repeating: 9, count: side * side))
        }
        for index in 0..<200 {
            switch ids.picture(ids.member(index, squaredDistance: 0)) {
            case .tile(let tile): #expect(index % 10 != 3 && tile.pixels.allSatisfy { $0 == 9 })
            case .fault(let reason): #expect(index % 10 == 3 && reason.contains("made"))
            case nil: Issue.record("row \(index) has no picture")
            }
        }
        let counts = decoded.withLock { $0 }
        #expect(counts.count == 10 && counts.values.allSatisfy { $0 == 1 }, "\(counts)")
    }

    @Test func imagesOfAFolderHaveTheNamesOfTheirClasses() throws {
        let assignment = ClusterAssignment(labels: [0, 0, 0], squaredDistances: [1, 2, 3], k: 1)
        let images = try SampleSet(pixels: [1, 2, 3, 4, 5, 6], labels: [0, 1, 1], height: 2, width: 1)
        let choice = try #require(ClusterSheet.choose(assignment, classes: nil).first)
        var sheet = try #require(ClusterSheet(choice, of: assignment, images: images))
        sheet.classNames = ["ant"]
        #expect(sheet.classes == "1 (67%), ant (33%)")
    }
}
