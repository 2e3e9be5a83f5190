import Foundation
import Support

/// A folder of class folders of PNG and JPEG files, in `train/` and `test/` or without them.
///
/// Classes are numbered in the order of the bytes of their folders' names, those of both parts together. In place of
/// `test/`, `val/` or `valid/` is taken; without any of them a seeded share of each class is set aside. Images of one size
/// keep it, others are resized to 32x32. They are grey where all are, else RGB.
struct ImageFolder: FolderFormat {
    /// The side that images of several sizes are resized to: what the LeNets take.
    static let commonSide = 32
    /// Of the images of a class, one in so many is for testing where the folder does not say: as in MNIST.
    static let testShare = 7
    /// The seed of that choice.
    static let splitSeed: UInt64 = 0

    var accepted: String {
        "a folder of class folders of PNG and JPEG files, or train/ and test/ with such class folders"
    }

    func look(in directory: String) -> FolderContents {
        ImageFolderListing.isRecognised(directory) ? .complete(files: [directory]) : .foreign
    }

    func read(_ location: DatasetLocation) throws(DatasetError) -> (train: SampleSet, test: SampleSet) {
        let samples = try read(location, DatasetReading())
        return (samples.train, samples.test)
    }

    /// - Throws: ``DatasetError``: `.malformed` with the files that cannot be read, unless they are to be skipped, and for
    ///   folders whose names differ by case alone; `.unsupported` for more than 256 classes; `.outOfMemory`;
    ///   `.readingCancelled`; `.file`.
    func read(_ location: DatasetLocation, _ reading: DatasetReading) throws(DatasetError) -> FolderSamples {
        let listing = try ImageFolderListing(location.directory)
        for note in listing.notes { reading.note(note) }
        if KnownDataset.named(location.name) != nil {
            reading.note(
                "the images of \(FileName(location.directory).shown) are taken for \(location.name); --dataset gives them"
                    + " another name")
        }
        let cache = reading.cacheFolder.map { ImageFolderCache(folder: $0, listing: listing) }
        let images: DecodedImages
        if let cached = try cache?.read(reading) {
            images = cached
        } else {
            images = try ImageFolderDecoder(listing, reading).decode()
            cache?.write(images, reading)
        }
        try report(images, of: listing, reading)
        for note in images.notes { reading.note(note) }
        return try samples(images, of: listing, reading)
    }

    /// Names the files that are not read.
    private func report(
        _ images: DecodedImages, of listing: ImageFolderListing, _ reading: DatasetReading
    ) throws(DatasetError) {
        guard !images.faults.isEmpty else { return }
        var lines = images.faults.prefix(20).map { fault in
            "  \((FileName(listing.directory) / listing.files[fault.file].path).shown) \(fault.text)"
        }
        let more = images.faults.count - lines.count
        if more > 0 { lines.append("  and \(more) more") }
        let count = images.faults.count
        let cannot =
            "\(count) of \(listing.files.count) files \(count == 1 ? "is not an image that" : "are not images that") can be read"
        guard reading.skipsBadFiles else {
            throw .malformed(
                file: FileName(listing.directory).shown,
                reason: "\(cannot); remove \(count == 1 ? "it" : "them"), or leave \(count == 1 ? "it" : "them") out by"
                    + " --skip-bad:\n" + lines.joined(separator: "\n"))
        }
        reading.note("\(cannot), and \(count == 1 ? "is" : "are") left out:\n" + lines.joined(separator: "\n"))
    }

    /// Divides the images into training and test set.
    private func samples(
        _ images: DecodedImages, of listing: ImageFolderListing, _ reading: DatasetReading
    ) throws(DatasetError) -> FolderSamples {
        let faulty = Set(images.faults.map(\.file))
        let files = listing.files.indices.filter { !faulty.contains($0) }
        let shown = FileName(listing.directory).shown
        guard !files.isEmpty else { throw .empty(file: shown) }
        let left = Set(files.map { listing.files[$0].label })
        for label in Set(listing.files.map(\.label)).subtracting(left).sorted() {
            reading.note(
                "\(shown): no image of class \(label) \(listing.classes[Int(label)].shown) can be read; nothing is trained or tested of it"
            )
        }
        let all = try SampleSet(
            pixels: images.pixels, labels: files.map { listing.files[$0].label }, channels: images.shape.channels,
            height: images.shape.height, width: images.shape.width, origin: shown)
        var train: [Int] = []
        var test: [Int] = []
        if listing.hasTestPart {
            for (index, file) in files.enumerated() {
                if listing.files[file].isTest { test.append(index) } else { train.append(index) }
            }
        } else {
            (train, test) = Self.split(all.labels)
            reading.note(
                "\(shown) has no test/: of each class 1 in \(Self.testShare) images, chosen by the seed"
                    + " \(Self.splitSeed), is for testing (\(test.count)), the others for training (\(train.count))")
        }
        guard !train.isEmpty, !test.isEmpty else {
            let lacking = train.isEmpty ? "training" : "testing"
            throw .malformed(
                file: shown,
                reason: listing.hasTestPart
                    ? "no image is left for \(lacking)"
                    : "no class has two images, of which one could be for testing; add images, or a folder test/")
        }
        return FolderSamples(
            train: try all.subset(train), test: try all.subset(test),
            trainFiles: SampleFiles(
                directory: listing.directory, paths: train.map { listing.files[files[$0]].path.bytes },
                classes: train.map { listing.classes[Int(listing.files[files[$0]].label)].bytes }),
            classNames: listing.classes.map(\.shown))
    }

    /// Sets images of each class aside for testing: a seventh, rounded, and at least one of two or more.
    /// - Parameter labels: [image].
    /// - Returns: the indices of both parts, ascending.
    static func split(_ labels: [UInt8]) -> (train: [Int], test: [Int]) {
        var isTest = [Bool](repeating: false, count: labels.count)
        var members = [[Int]](repeating: [], count: 256)
        for (index, label) in labels.enumerated() { members[Int(label)].append(index) }
        for label in members.indices where members[label].count > 1 {
            var order = members[label]
            var random = RandomStream(seed: splitSeed, run: label, purpose: .testSplit)
            random.shuffle(&order)
            for index in order.prefix(max(1, (order.count + testShare / 2) / testShare)) { isTest[index] = true }
        }
        return (labels.indices.filter { !isTest[$0] }, labels.indices.filter { isTest[$0] })
    }
}
