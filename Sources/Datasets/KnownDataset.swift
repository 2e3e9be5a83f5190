import Foundation

/// A file whose contents are known.
package struct KnownFile: Sendable, Equatable {
    /// The uncompressed file's name.
    package let name: String
    /// Bytes of the uncompressed file.
    package let byteCount: Int
    /// SHA-256 of the uncompressed file, in lower-case hexadecimal.
    package let sha256: String
    /// SHA-256 of its first ``startByteCount`` bytes, where they are told: only a file with these is hashed whole.
    package let startSHA256: String?

    /// How many bytes a file is told apart by at first.
    static let startByteCount = 1 << 16

    /// Describes a file.
    package init(name: String, byteCount: Int, sha256: String, startSHA256: String? = nil) {
        self.name = name
        self.byteCount = byteCount
        self.sha256 = sha256
        self.startSHA256 = startSHA256
    }
}

/// An archive, NAME.tar.gz, that holds the files of a data set.
package struct KnownArchive: Sendable, Equatable {
    /// The archive as it is served: its byte count and SHA-256 are those of the compressed file.
    package let file: KnownFile
    /// The folder that its files are in.
    package let folder: String
    /// The files that are taken out of it: names in the folder, and bytes.
    package let members: [Member]

    /// A file in an archive.
    package struct Member: Sendable, Equatable {
        package let name: String
        package let byteCount: Int

        /// Describes a file.
        package init(name: String, byteCount: Int) {
            self.name = name
            self.byteCount = byteCount
        }
    }

    /// Describes an archive.
    package init(file: KnownFile, folder: String, members: [Member]) {
        self.file = file
        self.folder = folder
        self.members = members
    }
}

/// A data set that the program knows by name: what it is, its checksums, and how to come by it.
package struct KnownDataset: Sendable {
    /// The name on the command line and of its folder.
    package let name: String
    /// One line for people.
    package let summary: String
    /// Its files; none where only their archive is known.
    package let files: [KnownFile]
    /// The archive that its files come in; nil where each is served by itself.
    package let archive: KnownArchive?
    /// Addresses of folders that serve the archive, or each file as NAME.gz; none when the data set is not downloaded.
    package let mirrors: [String]
    /// What a user can do where the data set is missing, as part of a sentence.
    package let remedy: String

    /// Describes a data set.
    package init(
        name: String, summary: String, files: [KnownFile], archive: KnownArchive? = nil, mirrors: [String],
        remedy: String
    ) {
        self.name = name
        self.summary = summary
        self.files = files
        self.archive = archive
        self.mirrors = mirrors
        self.remedy = remedy
    }

    /// The MNIST database of handwritten digits (LeCun, Cortes, Burges), CC BY-SA 3.0.
    package static let mnist = KnownDataset(
        name: "mnist", summary: "handwritten digits, 60,000 + 10,000 images of 28x28",
        files: [
            KnownFile(
                name: "train-images-idx3-ubyte", byteCount: 47_040_016,
                sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                startSHA256: "c4dbee65edd7cf0ad455ee19f7867e83c728c3d919a31f56c4a00ad60b612979"),
            KnownFile(
                name: "train-labels-idx1-ubyte", byteCount: 60_008,
                sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            KnownFile(
                name: "t10k-images-idx3-ubyte", byteCount: 7_840_016,
                sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                startSHA256: "aad20425e9c2d9069b958b0b4d8278e640bd8dee8b08f8d50aefac0f2901f430"),
            KnownFile(
                name: "t10k-labels-idx1-ubyte", byteCount: 10_008,
                sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
        mirrors: [
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ],
        remedy: "`coppice data fetch mnist` downloads it (11 MB)")

    /// Fashion-MNIST (Xiao, Rasul, Vollgraf), MIT licence, as Debian packages it.
    package static let fashionMNIST = KnownDataset(
        name: "fashion-mnist", summary: "articles of clothing, 60,000 + 10,000 images of 28x28",
        files: [
            KnownFile(
                name: "train-images-idx3-ubyte", byteCount: 47_040_016,
                sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                startSHA256: "8d1850e596b060b18c94b28c4d1cac7eb3cafcd4c17f40d227300579673b7f37"),
            KnownFile(
                name: "train-labels-idx1-ubyte", byteCount: 60_008,
                sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            KnownFile(
                name: "t10k-images-idx3-ubyte", byteCount: 7_840_016,
                sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                startSHA256: "ddf024bf27660e6f3ebd6fe689021b99d2cdf287b0480857aad4a478887c9d95"),
            KnownFile(
                name: "t10k-labels-idx1-ubyte", byteCount: 10_008,
                sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
        ],
        mirrors: [], remedy: "`sudo apt install dataset-fashion-mnist` brings it")

    /// CIFAR-10 (Krizhevsky, Nair, Hinton).
    package static let cifar10 = KnownDataset(
        name: "cifar10", summary: "photos of 10 kinds of things, 50,000 + 10,000 colour images of 32x32", files: [],
        archive: KnownArchive(
            file: KnownFile(
                name: "cifar-10-binary.tar.gz", byteCount: 170_052_171,
                sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
            folder: "cifar-10-batches-bin",
            members: ((1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]).map {
                KnownArchive.Member(name: $0, byteCount: 30_730_000)
            }),
        mirrors: ["https://www.cs.toronto.edu/~kriz/"],
        remedy: "`coppice data fetch cifar10` downloads it (170 MB)")

    /// CIFAR-100 (Krizhevsky, Nair, Hinton).
    package static let cifar100 = KnownDataset(
        name: "cifar100", summary: "photos of 100 kinds of things, 50,000 + 10,000 colour images of 32x32", files: [],
        archive: KnownArchive(
            file: KnownFile(
                name: "cifar-100-binary.tar.gz", byteCount: 168_513_733,
                sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
            folder: "cifar-100-binary",
            members: [
                KnownArchive.Member(name: "train.bin", byteCount: 153_700_000),
                KnownArchive.Member(name: "test.bin", byteCount: 30_740_000),
            ]),
        mirrors: ["https://www.cs.toronto.edu/~kriz/"],
        remedy: "`coppice data fetch cifar100` downloads it (169 MB)")

    /// Every data set known by name.
    package static let all = [mnist, fashionMNIST, cifar10, cifar100]

    /// The data set of that name.
    package static func named(_ name: String) -> KnownDataset? { all.first { $0.name == name } }

    /// What to do where `name` is missing, as part of a sentence.
    static func remedy(for name: String) -> String {
        named(name)?.remedy ?? "\(Formats.acceptedFolders), would be accepted"
    }
}

/// The contents of a file, as far as they tell which known file it is.
protocol KnownContents {
    /// Bytes of the uncompressed file.
    var uncompressedSize: Int { get }
    /// SHA-256 of the uncompressed file, in lower-case hexadecimal.
    var sha256: String { get }
    /// SHA-256 of its first ``KnownFile/startByteCount`` bytes.
    var startSHA256: String { get }
}

extension KnownDataset {
    /// Refuses a file of another known data set, or another file of the same, under a known name. An unknown
    /// name is free, since there is nothing to check its files against.
    ///
    /// Only what starts as such a file does is hashed whole, so that right data cost next to nothing.
    /// - Throws: ``DatasetError/malformed(file:reason:)`` that says what the file is.
    static func check(
        _ contents: some KnownContents, at path: String, as fileName: String, of name: String,
        among known: [KnownDataset] = all
    ) throws(DatasetError) {
        guard known.contains(where: { $0.name == name }) else { return }
        let start = contents.startSHA256
        for dataset in known {
            for file in dataset.files where dataset.name != name || file.name != fileName {
                guard file.byteCount == contents.uncompressedSize, file.startSHA256 ?? start == start,
                    file.sha256 == contents.sha256
                else { continue }
                throw .malformed(
                    file: path,
                    reason: "by its checksum this is \(file.name) of \(dataset.name), "
                        + (dataset.name == name
                            ? "in the place of \(fileName)"
                            : "not of \(name); use --dataset \(dataset.name), or put the files of \(name) there"))
            }
        }
    }
}
