/// What `data info` says about a data set. Encodes to JSON with these names.
package struct DatasetInfo: Sendable, Encodable {
    /// One file of it.
    package struct File: Sendable, Encodable {
        /// Where it lies.
        package let path: String
        /// Bytes on disk.
        package let bytes: Int
        /// Bytes of the uncompressed contents.
        package let uncompressedBytes: Int
        /// SHA-256 of the uncompressed contents, in lower-case hexadecimal.
        package let sha256: String
        /// The known data set that has exactly this file; nil when the contents are unknown.
        package let knownAs: String?
    }

    /// One set of images.
    package struct Images: Sendable, Encodable {
        /// How many.
        package let count: Int
        /// Planes, rows and columns of each.
        package let channels: Int
        package let height: Int
        package let width: Int
        /// Images a class: [class].
        package let perClass: [Int]

        init(_ images: SampleSet) {
            count = images.count
            channels = images.shape.channels
            height = images.shape.height
            width = images.shape.width
            perClass = images.countsPerClass
        }
    }

    /// The data set's name.
    package let name: String
    /// Its folder.
    package let directory: String
    /// The known data set whose files these are; nil when any of them is unknown.
    package let knownAs: String?
    /// The largest label plus one.
    package let classCount: Int
    /// Mean of the training pixels of each channel, where 255 counts as 1.
    package let mean: PerChannel
    /// Standard deviation of the training pixels of each channel, in the same units.
    package let std: PerChannel
    /// The training set.
    package let train: Images
    /// The test set.
    package let test: Images
    /// Its files, training set first, images before labels; none of a folder of image files.
    package let files: [File]
    /// Classes that only the test set has, as a sentence; nil, and not in the JSON, where there are none.
    package let note: String?

    /// Describes `dataset`, which was read from `location`.
    /// - Throws: ``DatasetError`` where the files cannot be read once more, for their checksums.
    package init(_ dataset: Dataset, from location: DatasetLocation) throws(DatasetError) {
        var files: [File] = []
        // A folder of image files is no file with a checksum.
        for path in location.files where !(FileStatus(FileName(path))?.isFolder ?? false) {
            let contents = try FileContents(of: path)
            let known = KnownDataset.all.first { $0.files.contains { $0.sha256 == contents.sha256 } }
            files.append(
                File(
                    path: path, bytes: contents.fileSize, uncompressedBytes: contents.byteCount,
                    sha256: contents.sha256, knownAs: known?.name))
        }
        // Neither a folder of images nor a data set whose files' checksums are not known has any to compare.
        let known = KnownDataset.all.first { !files.isEmpty && $0.files.map(\.sha256) == files.map(\.sha256) }
        name = location.name
        directory = location.directory
        knownAs = known?.name
        classCount = dataset.classCount
        mean = PerChannel(dataset.channels.map(\.mean))
        std = PerChannel(dataset.channels.map(\.std))
        train = Images(dataset.train)
        test = Images(dataset.test)
        self.files = files
        note = dataset.untrainedClassesNote()
    }
}
