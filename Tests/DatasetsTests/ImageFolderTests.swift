import Foundation
import Support
import Testing

@testable import Datasets
import TestSupport

@Suite struct ImageFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A grey image of 2x3, all of one value but for the first pixel.
    private func image(_ value: UInt8) -> [UInt8] {
        MadePNG.file(width: 3, height: 2, pixels: [0] + [UInt8](repeating: value, count: 5))
    }

    /// Puts images there, each with its index among them for a value.
    private func put(_ paths: String...) throws {
        for (index, path) in paths.enumerated() { _ = try folder.file(path, image(UInt8(index + 1))) }
    }

    /// What is told while reading.
    private final class Notes: Sendable {
        private let texts = Locked<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        @Sendable func add(_ text: String) { texts.withLock { $0.append(text) } }
        func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }
    }

    private func read(
        _ notes: Notes = Notes(), skipsBad: Bool = false, rechecks: Bool = false, cache: String? = nil
    ) throws -> Dataset {
        let location = try DatasetLocator.location(directory: folder / "data", name: nil)
        return try Dataset.load(
            location,
            DatasetReading(
                skipsBadFiles: skipsBad, rechecksContents: rechecks, cacheFolder: cache, note: notes.add))
    }

    /// The values of the images, by their second pixel.
    private func values(_ set: SampleSet) -> [UInt8] {
        (0..<set.count).map { (set.pixels ?? [])[$0 * set.shape.featureCount + 1] }
    }

    @Test func readsTrainAndTest() throws {
        try put(
            "data/train/b/1.png", "data/train/B2/x.PNG", "data/train/b/0.png", "data/train/b/deep/er/2.png",
            "data/test/b/9.png", "data/test/only here/1.png", "data/train/b/.hidden.png", "data/train/.git/a.png",
            "data/extra/c/1.png")
        _ = try folder.file("data/train/README", Array("about".utf8))
        let notes = Notes()
        let dataset = try read(notes)
        // Classes by the bytes of their names: B2, b, only here.
        #expect(values(dataset.train) == [2, 3, 1, 4])
        #expect(dataset.train.labels == [0, 1, 1, 1])
        #expect(values(dataset.test) == [5, 6])
        #expect(dataset.test.labels == [1, 2])
        #expect(dataset.train.shape == SampleShape(height: 2, width: 3) && dataset.name == "data")
        #expect(dataset.classNames == ["B2", "b", "only here"])
        // A folder in a class's folder is of the class.
        let classes = try #require(dataset.trainFiles).classes.map { String(decoding: $0, as: UTF8.self) }
        #expect(classes == ["B2", "b", "b", "b"])
        let location = try DatasetLocator.location(directory: folder / "data", name: nil)
        #expect(try DatasetInfo(dataset, from: location).knownAs == nil)
        let paths = try #require(dataset.trainFiles).paths.map { String(decoding: $0, as: UTF8.self) }
        #expect(paths == ["train/B2/x.PNG", "train/b/0.png", "train/b/1.png", "train/b/deep/er/2.png"])
        #expect(notes.contains("classes are 0 B2, 1 b, 2 only here") && notes.contains("extra/ is not used"))
    }

    /// What no class has is counted, and the first few are named.
    @Test func whatNoClassHasIsMentioned() throws {
        try put("data/train/b/1.png", "data/test/b/1.png", "data/extra/c/1.png", "data/extra/x.png")
        _ = try folder.file("data/train/README", Array("about".utf8))
        let clean = Notes()
        _ = try read(clean)
        #expect(!clean.contains("ignored "), "\(clean.all)")
        try put(
            "data/top.JPG", "data/train/stray.png", "data/train/b/.h.png", "data/train/.git/a.png", "data/.DS_Store",
            "data/test/b/deep/.x")
        let notes = Notes()
        #expect(values(try read(notes).train) == [1])
        #expect(
            notes.all.filter { $0.contains("ignored ") } == [
                "\(folder / "data"): ignored 2 images outside class folders (top.JPG, train/stray.png) and 4 hidden files and"
                    + " folders (.DS_Store, test/b/deep/.x, train/.git, train/b/.h.png)"
            ])
        // Without parts, and with more than are named.
        try FileManager.default.removeItem(atPath: folder / "data")
        try put("data/a/1.png", "data/a/2.png", "data/3.png")
        let one = Notes()
        _ = try read(one)
        #expect(one.contains("data: ignored 1 image outside class folders (3.png)"), "\(one.all)")
        for index in 4...9 { try put("data/\(index).png") }
        let many = Notes()
        _ = try read(many)
        #expect(many.contains("7 images outside class folders (3.png, 4.png, 5.png, 6.png, 7.png and 2 more)"))
    }

    @Test(arguments: ["val", "valid"]) func takesValidationForTheTest(name: String) throws {
        try put("data/train/a/1.png", "data/\(name)/a/1.png")
        let notes = Notes()
        #expect(values(try read(notes).test) == [2])
        #expect(notes.contains("has no test/: \(name)/ is taken in its place"))
        try put("data/test/a/7.png", "data/test/a/8.png")
        #expect(try read().test.count == 2)
    }

    /// Without a test part a seventh of each class is set aside, always the same.
    @Test func splitsEachClass() throws {
        for (name, count) in [("a", 14), ("b", 1), ("c", 2), ("d", 10)] {
            for index in 0..<count { _ = try folder.file("data/\(name)/\(index).png", image(UInt8(index + 1))) }
        }
        let notes = Notes()
        let dataset = try read(notes)
        #expect(dataset.test.countsPerClass == [2, 0, 1, 1])
        #expect(dataset.train.countsPerClass == [12, 1, 1, 9])
        #expect(notes.contains("1 in 7 images, chosen by the seed 0, is for testing (4), the others for training (23)"))
        let again = try read()
        #expect(again.test.pixels == dataset.test.pixels && again.train.labels == dataset.train.labels)
        // Each sample is of the file that is listed for it.
        let files = try #require(dataset.trainFiles)
        #expect(files.paths.count == 23)
        for (index, path) in files.paths.enumerated() {
            let name = String(decoding: path, as: UTF8.self)
            #expect(name.hasSuffix("/\(values(dataset.train)[index] - 1).png"), "\(name)")
            #expect(name.hasPrefix(["a", "b", "c", "d"][Int(dataset.train.labels[index])] + "/"), "\(name)")
        }
        // The same split whatever else there is: each class draws for itself.
        let (train, test) = ImageFolder.split([UInt8](repeating: 3, count: 14))
        #expect(train.count == 12 && test.count == 2)
        #expect((train + test).sorted() == Array(0..<14))
    }

    @Test func noTestImageIsAnError() throws {
        try put("data/a/1.png", "data/b/1.png")
        let error = #expect(throws: DatasetError.self) { try read() }
        #expect(error?.description.contains("no class has two images") == true && error?.category == .badData)
    }

    @Test func oneColourImageMakesAllRGBAndSizesAreMadeOne() throws {
        try put("data/train/a/1.png", "data/test/a/1.png")
        let rgb = MadePNG.file(width: 3, height: 2, channels: 4, pixels: (0..<24).map { UInt8($0) })
        _ = try folder.file("data/train/a/2.png", rgb)
        let notes = Notes()
        let dataset = try read(notes)
        #expect(dataset.train.shape == SampleShape(channels: 3, height: 2, width: 3))
        let colours = (0..<3).flatMap { channel in (0..<6).map { UInt8(4 * $0 + channel) } }
        let pixels = try #require(dataset.train.pixels)
        #expect(Array(pixels.suffix(18)) == colours)
        let grey: [UInt8] = [0, 2, 2, 2, 2, 2]
        #expect(dataset.test.pixels == grey + grey + grey)
        #expect(notes.contains("1 image has transparency, which is dropped"))
        _ = try folder.file("data/train/a/3.png", MadePNG.file(width: 1, height: 1, pixels: [7]))
        let mixed = Notes()
        let resized = try read(mixed)
        #expect(resized.train.shape == SampleShape(channels: 3, height: 32, width: 32))
        let last = try #require(resized.train.pixels).suffix(3 * 1024)
        #expect(last.allSatisfy { $0 == 7 })
        #expect(mixed.contains("images differ in size (1 to 3 columns, 1 to 2 rows), and all are resized to 32x32"))
    }

    /// Everything that is no image is named; without it the others are read.
    @Test func namesWhatIsNoImage() throws {
        try put("data/train/a/1.png", "data/train/b/1.png", "data/test/a/1.png")
        _ = try folder.file("data/train/a/empty.png", [])
        _ = try folder.file("data/train/a/notes.txt", Array("text".utf8))
        _ = try folder.file("data/train/a/cut.png", Array(image(1).dropLast(3)))
        _ = try folder.file("data/train/b/\u{1B}[2J\n.png", Array("BM".utf8))
        for name in ["cmyk.jpg", "animated.png", "gif.png"] {
            _ = try folder.file("data/test/a/\(name)", try bytes(of: Fixtures.path("images/\(name)")))
        }
        #expect(symlink("nowhere", folder / "data/test/a/dangling.png") == 0)
        #expect(mkfifo(folder / "data/test/a/pipe.png", 0o600) == 0)
        let error = try #require(throws: DatasetError.self) { try read() }
        #expect(error.category == .badData)
        let text = error.description
        #expect(text.contains("9 of 12 files are not images that can be read") && text.contains("--skip-bad"))
        for line in [
            "train/a/empty.png is empty", "notes.txt is neither PNG nor JPEG", "cut.png is truncated", "but BMP",
            "cmyk.jpg is a JPEG in CMYK", "animated.png is an animated PNG", "gif.png is neither PNG nor JPEG, but GIF",
            "dangling.png cannot be read: No such file", "pipe.png cannot be read: it is not a regular file",
        ] { #expect(text.contains(line), "\(line)") }
        #expect(!text.contains("\u{1B}"))
        let notes = Notes()
        let dataset = try read(notes, skipsBad: true)
        #expect(values(dataset.train) == [1, 2])
        #expect(dataset.train.labels == [0, 1])
        #expect(values(dataset.test) == [3])
        #expect(notes.contains("9 of 12 files are not images that can be read, and are left out:"))
    }

    @Test func saysWhichClassHasNoImageLeft() throws {
        try put("data/a/1.png", "data/a/2.png", "data/c/1.png", "data/c/2.png")
        _ = try folder.file("data/b/1.png", [])
        _ = try folder.file("data/b/2.png", [1])
        let notes = Notes()
        let dataset = try read(notes, skipsBad: true)
        #expect(dataset.train.count + dataset.test.count == 4 && dataset.train.labels == [0, 2])
        #expect(notes.all.filter { $0.contains("no image of class") }.count == 1)
        #expect(notes.contains("no image of class 1 b can be read"))
    }

    @Test func namesTwentyAtMost() throws {
        try put("data/train/a/1.png", "data/test/a/1.png")
        for index in 0..<30 { _ = try folder.file("data/train/a/x\(index)", [1, 2, 3]) }
        let text = try #require(throws: DatasetError.self) { try read() }.description
        #expect(text.split(separator: "\n").count == 22 && text.hasSuffix("  and 10 more"))
    }

    @Test func refusesClassesThatCannotBeTold() throws {
        try put("data/train/Cat/1.png", "data/train/dog/1.png", "data/test/cat/1.png")
        let error = try #require(throws: DatasetError.self) { try read() }
        #expect(error.description.contains("Cat and cat differ by case alone") && error.category == .badData)
        let other = try TemporaryFolder()
        for index in 0...256 { _ = try other.file("\(index)/1.png", image(1)) }
        let many = try #require(throws: DatasetError.self) { try Dataset.load(directory: other.path) }
        #expect(many.description.contains("257 class folders are too many; at most 256"))
    }

    @Test func followsLinksButNoLoops() throws {
        try put("data/train/a/1.png", "data/test/a/1.png", "elsewhere/2.png")
        #expect(symlink(folder / "elsewhere", folder / "data/train/b") == 0)
        #expect(symlink("..", folder / "data/train/a/up") == 0)
        #expect(symlink(".", folder / "data/train/a/here") == 0)
        let notes = Notes()
        let dataset = try read(notes)
        #expect(values(dataset.train) == [1, 3])
        #expect(dataset.train.labels == [0, 1])
        #expect(notes.all.count { $0.contains("is a link to a folder that it is in") } == 2)
    }

    @Test func namesNeedNotBeText() throws {
        try put("data/train/a/1.png", "data/test/a/1.png")
        let name = FileName(Array("\(folder.path)/data/train/a/".utf8) + [0xFF, 0x0A, 0xC3])
        let file = name.withCString { open($0, O_WRONLY | O_CREAT, 0o600) }
        try #require(file >= 0)
        close(file)
        let error = try #require(throws: DatasetError.self) { try read() }
        #expect(error.description.contains("/train/a/\\xff\\x0a\\xc3 is empty"))
    }

    /// A folder that is none, or that holds data sets, is not taken for one.
    @Test func recognisesItsOwnAlone() throws {
        try put("data/mnist/1.png", "data/other/1.png", "flat/1.png", "deep/a/b/1.png")
        _ = try folder.file("plain/a/b.txt", Array("text".utf8))
        for name in ["data", "flat", "deep", "plain", "none"] {
            #expect(Formats.look(in: folder / name) == nil, "\(name)")
        }
        try writeDataset(in: folder, prefix: "sets/letters/")
        try put("sets/preview/1.png")
        #expect(Formats.look(in: folder / "sets") == nil)
        try put("no endings/a/1", "no endings/a/2")
        #expect(Formats.look(in: folder / "no endings")?.contents == .complete(files: [folder / "no endings"]))
        #expect(Formats.acceptedFolders.contains("class folders of PNG and JPEG files"))
        try put("halves/test/a/1.png", "halves/training/a/1.png")
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder / "halves") }
        #expect(error.description.contains("a folder test/ with class folders, and none named train/"))
    }

    @Test func readingCanBeInterrupted() throws {
        try put("data/train/a/1.png", "data/test/a/1.png")
        let location = try DatasetLocator.location(directory: folder / "data", name: nil)
        let error = try #require(throws: DatasetError.self) {
            try Dataset.load(location, DatasetReading(isCancelled: { true }))
        }
        #expect(error.category == .cancelled)
    }

    @Test func keepsWhatItHasDecoded() throws {
        try put("data/train/a/1.png", "data/train/b/2.png", "data/test/a/1.png")
        _ = try folder.file("data/test/a/bad.png", Array(image(1).dropLast(3)))
        let cache = folder / "cache/images"
        let stages = Locked<Set<String>>([])
        func read(skipsBad: Bool = true, rechecks: Bool = false) throws -> (Dataset, stages: Set<String>) {
            stages.withLock { $0 = [] }
            let location = try DatasetLocator.location(directory: folder / "data", name: nil)
            let dataset = try Dataset.load(
                location,
                DatasetReading(
                    skipsBadFiles: skipsBad, rechecksContents: rechecks, cacheFolder: cache,
                    progress: { stage, _, _ in stages.withLock { _ = $0.insert(stage) } }))
            return (dataset, stages.withLock { $0 })
        }
        let decoding: Set = ["reading headers", "decoding"]
        let first = try read()
        #expect(first.stages == decoding)
        let second = try read()
        #expect(second.stages == [] && second.0.train.pixels == first.0.train.pixels)
        #expect(second.0.test.pixels == first.0.test.pixels && second.0.train.labels == first.0.train.labels)
        #expect(throws: DatasetError.self) { try read(skipsBad: false) }
        #expect(try read(rechecks: true).stages == ["comparing contents"])

        // Other contents of the same size, and the old time: only the contents tell, or the time of the change itself.
        let path = folder / "data/train/b/2.png"
        let time = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
        _ = try folder.file("data/train/b/2.png", image(99))
        try FileManager.default.setAttributes([.modificationDate: try #require(time)], ofItemAtPath: path)
        #expect(try read(rechecks: true).stages.isSuperset(of: decoding))
        #expect(values(try read().0.train) == [1, 99])

        // A damaged cache counts for nothing, whatever is damaged, and is made good again.
        let file = folder / "cache/images/\(try #require(try folder.names(in: "cache/images").first))"
        let good = try bytes(of: file)
        for index in [0, 64, 70, 200, good.count - 1] {
            var damaged = good
            damaged[index] ^= 1
            try Data(damaged).write(to: URL(fileURLWithPath: file))
            let again = try read()
            #expect(again.stages == decoding, "byte \(index)")
            #expect(values(again.0.train) == [1, 99], "byte \(index)")
        }
        for length in [0, 10, 65, 300, good.count - 1] {
            try Data(good[..<length]).write(to: URL(fileURLWithPath: file))
            #expect(try read().stages == decoding, "\(length) bytes")
        }
        // A new file, and one that is gone.
        _ = try folder.file("data/train/b/3.png", image(5))
        #expect(try read().stages == decoding)
        try FileManager.default.removeItem(atPath: path)
        #expect(values(try read().0.train) == [1, 5])
        #expect(try folder.names(in: "cache/images").count == 1)
    }

    @Test func aFullCacheFolderIsNoFailure() throws {
        try put("data/train/a/1.png", "data/test/a/1.png")
        let notes = Notes()
        let file = try folder.file("a file", [1])
        #expect(try read(notes, cache: file + "/images").train.count == 1)
        #expect(notes.contains("the decoded images are not kept for the next command"))
    }
}
