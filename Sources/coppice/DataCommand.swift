import ArgumentParser
import Datasets
import Foundation
import Synchronization

/// `coppice data`
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Lists, fetches and describes data sets.",
        discussion: """
            A data set is a folder with IDX files or with the binary files of CIFAR-10 or CIFAR-100. IDX files have MNIST's \
            names, each with or without .gz; something may stand before each name (emnist-letters-train-images-idx3-ubyte), \
            and test files may begin with test instead of t10k. Where a folder holds several data sets, --dataset takes one \
            (emnist-letters). Labels are bytes and need not start at 0. --transposed turns EMNIST's images upright. CIFAR's \
            files lie in the folder, or in the one that its archive makes there.
            """,
        subcommands: [DataListCommand.self, DataFetchCommand.self, DataInfoCommand.self])
}

/// `coppice data list`
struct DataListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the data sets that are known and those that are found.",
        discussion: "Looked at are $COPPICE_DATA, the user's cache and /usr/share/datasets, in this order.")

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Report: Encodable {
        var datasets: [DatasetListing]
    }

    func run() throws {
        let listings = DatasetListing.all()
        if json { return try printJSON(Report(datasets: listings)) }
        for listing in listings {
            let place = listing.directory.map { "in \($0)" } ?? "not found: \(listing.remedy ?? "")"
            print("\(listing.name)\(listing.summary.isEmpty ? "" : " (\(listing.summary))"): \(place)")
        }
    }
}

/// `coppice data fetch`
struct DataFetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch", abstract: "Downloads a known data set into the user's cache.",
        discussion: """
            Every file is checked by the SHA-256 of its uncompressed contents before it gets its name; CIFAR's archives \
            are checked by their own, unpacked, and removed. What an interrupted fetch has received is kept, and the next \
            one goes on from there.
            """)

    @Argument(
        help: ArgumentHelp("Its name: \(KnownDataset.all.map(\.name).joined(separator: ", ")).", valueName: "name"))
    var name: String
    @Option(
        help: ArgumentHelp(
            "A web folder with the files as NAME.gz, or the archive, in place of the known mirrors; may be given several times.",
            valueName: "url"))
    var mirror: [String] = []
    @Flag(help: "Print one JSON object.")
    var json = false
    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    private struct Report: Encodable {
        var name: String
        var directory: String
        var files: [String]
    }

    func run() async throws {
        let progress = FetchBar(quiet: quiet)
        let (name, mirrors) = (name, mirror)
        let task = Task { () async throws -> DatasetLocation in
            let locator = DatasetLocator()
            guard !mirrors.isEmpty else { return try await DatasetFetcher.fetch(name, progress: progress.show) }
            guard let dataset = KnownDataset.named(name) else {
                throw DatasetError.unknownName(name: name, known: KnownDataset.all.map(\.name))
            }
            let directory = "\(locator.cacheDirectory)/\(name)"
            return try await DatasetFetcher(dataset, directory: directory, mirrors: mirrors).fetch(progress.show)
        }
        let interrupt = Interrupt { task.cancel() }
        defer { withExtendedLifetime(interrupt) { progress.finish() } }
        let location = try await task.value
        if json {
            try printJSON(Report(name: location.name, directory: location.directory, files: location.files))
        } else {
            print("\(location.name) is in \(location.directory)")
        }
    }
}

/// The progress of a fetch: a bar for each file.
private final class FetchBar: Sendable {
    private let quiet: Bool
    private let current = Mutex<(file: Int, bar: ProgressBar)?>(nil)

    init(quiet: Bool) { self.quiet = quiet }

    /// Called from the download's own thread.
    @Sendable func show(_ progress: FetchProgress) {
        let quiet = quiet
        current.withLock { current in
            if current?.file != progress.fileIndex {
                current?.bar.finish()
                let title = "\(progress.file) (\(progress.fileIndex + 1) of \(progress.fileCount))"
                Terminal.note("fetching \(title) from \(progress.address)", quiet: quiet)
                current = (progress.fileIndex, ProgressBar(title, unit: "bytes", quiet: quiet))
            }
            if let total = progress.total { current?.bar.update(Double(progress.received), of: Double(total)) }
        }
    }

    func finish() { current.withLock { $0?.bar.finish() } }
}

/// `coppice data info`
struct DataInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Reads and checks a data set, and says what is in it.")

    @Argument(
        help: ArgumentHelp(
            "A folder of four IDX files, of CIFAR's binary files or of class folders of images, or a data set's name.",
            valueName: "path"))
    var path: String
    @Option(help: "The data set's name, where the folder holds several.")
    var dataset: String?
    @OptionGroup var orientation: TransposedOption
    @OptionGroup var images: ImageFileOptions
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let location = try location()
        let dataset = try images.load(location, transposed: orientation.transposed, quiet: false)
        let info = try DatasetInfo(dataset, from: location)
        if json { return try printJSON(info, keys: .asWritten) }
        print("\(info.name) in \(info.directory)" + (info.knownAs.map { ", exactly the known \($0)" } ?? ""))
        for (title, images) in [("training", info.train), ("test", info.test)] {
            print(
                "  \(title): \(images.count) images of \(images.channels)x\(images.height)x\(images.width), "
                    + "per class: \(describeClasses(images.perClass, names: dataset.classNames))")
        }
        print(
            "  \(info.classCount) classes; training pixels have mean \(list(info.mean)) "
                + "and standard deviation \(list(info.std))")
        if let note = info.note { print("  \(note)") }
        for file in info.files {
            print(
                "  \(file.path): \(file.uncompressedBytes) bytes uncompressed, SHA-256 \(file.sha256)"
                    + (file.knownAs.map { " (\($0))" } ?? ""))
        }
    }

    private func list(_ numbers: PerChannel) -> String { numbers.values.map { fixed($0, 6) }.joined(separator: ", ") }

    private func location() throws -> DatasetLocation {
        // A name without a slash that is no folder here is looked for where all data sets are.
        let isName = !path.contains("/") && !FileManager.default.fileExists(atPath: path)
        if isName, dataset != nil {
            throw Failure("\(path) is a data set's name; --dataset takes one from a folder", exitCode: 64)
        }
        return isName
            ? try DatasetLocator().find(path) : try DatasetLocator().find(dataset, dataDirectory: path)
    }
}
