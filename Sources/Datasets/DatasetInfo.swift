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

        init(_ images: ImageSet) {
            count = images.count
            channels = images.channels
            height = images.height
            width = images.width
            perClass = images.countsPerClass
        }
    }

    /// The data set's name.
    package let name: String
    /// Its folder.
    package let directory: String
    /// The known data set whose four files these are; nil when any of them is unknown.
    package let knownAs: String?
    /// The largest label plus one.
    package let classCount: Int
    /// Mean of all training pixels, where 255 counts as 1.
    package let mean: Double
    /// Standard deviation of all training pixels, in the same units.
    package let std: Double
    /// The training set.
    package let train: Images
    /// The test set.
    package let test: Images
    /// Its files, training set first, images before labels.
    package let files: [File]
    /// Classes that only the test set has, as a sentence; nil, and not in the JSON, where there are none.
    package let note: String?

    /// Reads everything and checks it as ``Dataset/load(_:)`` does.
    /// - Throws: ``DatasetError``, the same faults.
    package init(_ location: DatasetLocation) throws(DatasetError) {
        let trainImages = try location.read(.trainImages)
        let trainLabels = try location.read(.trainLabels)
        let testImages = try location.read(.testImages)
        let testLabels = try location.read(.testLabels)
        let train = try ImageSet.make(
            images: trainImages, from: location.trainImages, labels: trainLabels, from: location.trainLabels)
        let test = try ImageSet.make(
            images: testImages, from: location.testImages, labels: testLabels, from: location.testLabels)
        let dataset = try Dataset(name: location.name, train: train, test: test)
        var files: [File] = []
        for (path, contents) in zip(location.files, [trainImages, trainLabels, testImages, testLabels]) {
            let sha256 = contents.sha256
            let known = KnownDataset.all.first { $0.files.contains { $0.sha256 == sha256 } }
            files.append(
                File(
                    path: path, bytes: try ByteReader(path: path).fileSize,
                    uncompressedBytes: contents.uncompressedSize, sha256: sha256, knownAs: known?.name))
        }
        let known = KnownDataset.all.first { $0.files.map(\.sha256) == files.map(\.sha256) }
        name = location.name
        directory = location.directory
        knownAs = known?.name
        classCount = dataset.classCount
        mean = dataset.mean
        std = dataset.std
        self.train = Images(train)
        self.test = Images(test)
        self.files = files
        note = dataset.untrainedClassesNote()
    }
}

/// One line of `data list`. Encodes to JSON with these names.
package struct DatasetListing: Sendable, Encodable {
    /// The data set's name.
    package let name: String
    /// What it is; empty for a folder that only its owner knows.
    package let summary: String
    /// Where it was found, nil when it is missing.
    package let directory: String?
    /// How to come by a missing one, as part of a sentence.
    package let remedy: String?

    /// The known data sets, found or not, and then every other one in the folders that `locator` searches.
    package static func all(_ locator: DatasetLocator = DatasetLocator()) -> [DatasetListing] {
        let found = locator.all()
        let known = KnownDataset.all.map { dataset in
            let directory = found.first { $0.name == dataset.name }?.directory
            return DatasetListing(
                name: dataset.name, summary: dataset.summary, directory: directory,
                remedy: directory == nil ? dataset.remedy : nil)
        }
        let others = found.filter { KnownDataset.named($0.name) == nil }.map { location in
            DatasetListing(name: location.name, summary: "", directory: location.directory, remedy: nil)
        }
        return known + others
    }
}
