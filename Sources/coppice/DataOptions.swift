import ArgumentParser
import Datasets
import Support
import Synchronization

/// A data set named on the command line.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A data set's folder (four IDX files, gzipped or not; CIFAR's binary files; or class folders of PNG and JPEG "
                + "files, in train/ and test/ or without them), or a folder that holds data sets by name.",
            valueName: "dir"))
    var data: String?

    @Option(help: "A data set's name: looked for in --data, $COPPICE_DATA, the user's cache and /usr/share/datasets.")
    var dataset: String?

    @OptionGroup var orientation: TransposedOption
    @OptionGroup var images: ImageFileOptions

    /// Where the data set is.
    /// - Throws: `DatasetError` as ``DatasetLocator/find(_:dataDirectory:)``.
    func location() throws(DatasetError) -> DatasetLocation {
        try DatasetLocator().find(data == nil ? dataset ?? "mnist" : dataset, dataDirectory: data)
    }

    /// The files of the data set; empty where it is not found, which reading it will report.
    var files: [NamedFile?] { ((try? location())?.files ?? []).map { NamedFile("the data set", $0) } }

    /// Finds and reads the data set.
    func load(quiet: Bool) throws(DatasetError) -> Dataset {
        let location = try location()
        let dataset = try images.load(location, transposed: orientation.transposed, quiet: quiet)
        Terminal.note("data: \(dataset.name) in \(location.directory)", quiet: quiet)
        if let note = dataset.emptyClassesNote { Terminal.note("note: \(note)", quiet: quiet) }
        return dataset
    }
}

/// `--transposed`
struct TransposedOption: ParsableArguments {
    @Flag(help: "Exchange rows and columns of the data set's images: EMNIST's files have them the other way round.")
    var transposed = false
}

/// How folders of image files are read.
struct ImageFileOptions: ParsableArguments {
    @Flag(help: "Leave out image files that cannot be read, and name them; otherwise the command ends with code 65.")
    var skipBad = false
    @Flag(help: "Compare the contents of image files with those decoded before; otherwise their sizes and times.")
    var recheck = false

    /// Refuses these options where no image files are read.
    /// - Parameter reason: why there are none, as part of a sentence.
    /// - Throws: ``Failure`` with the option.
    func refuse(because reason: String) throws {
        for (name, isGiven) in [("--skip-bad", skipBad), ("--recheck", recheck)] where isGiven {
            throw Failure("\(name) is for image files, and \(reason)", exitCode: 64)
        }
    }

    /// Reads a data set as ``loadDataset(_:skipsBadFiles:rechecksContents:quiet:isCancelled:)`` does.
    func load(
        _ location: DatasetLocation, transposed: Bool = false, quiet: Bool,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(DatasetError) -> Dataset {
        try loadDataset(
            location, transposed: transposed, skipsBadFiles: skipBad, rechecksContents: recheck, quiet: quiet,
            isCancelled: isCancelled)
    }
}

/// Reads a data set, with a progress bar and notes on stderr.
/// - Parameters:
///   - transposed: whether rows and columns of its images are exchanged.
///   - skipsBadFiles: whether image files that cannot be read are left out.
///   - rechecksContents: whether decoded images that were kept are held against the contents of their files.
///   - isCancelled: asked between files whether to stop.
func loadDataset(
    _ location: DatasetLocation, transposed: Bool = false, skipsBadFiles: Bool, rechecksContents: Bool = false,
    quiet: Bool, isCancelled: @escaping @Sendable () -> Bool = { false }
) throws(DatasetError) -> Dataset {
    let progress = ReadingBar(quiet: quiet)
    defer { progress.finish() }
    return try Dataset.load(
        location,
        DatasetReading(
            skipsBadFiles: skipsBadFiles, rechecksContents: rechecksContents,
            cacheFolder: EnvironmentVariables.process.cacheFolder + "/coppice/images",
            note: { note in
                progress.finish()
                Terminal.note("note: \(note)", quiet: quiet)
            }, progress: progress.show, isCancelled: isCancelled),
        transposed: transposed)
}

/// The progress of reading files: a bar for each stage.
private final class ReadingBar: Sendable {
    private let quiet: Bool
    private let current = Mutex<(stage: String, done: Int, bar: ProgressBar)?>(nil)

    init(quiet: Bool) { self.quiet = quiet }

    /// Called from any thread, and so not always in order.
    @Sendable func show(_ stage: String, _ done: Int, _ total: Int) {
        let quiet = quiet
        current.withLock { current in
            if current?.stage != stage {
                current?.bar.finish()
                current = (stage, 0, ProgressBar(stage, unit: "files", quiet: quiet))
            }
            guard done > current?.done ?? 0 else { return }
            current?.done = done
            current?.bar.update(Double(done), of: Double(total))
        }
    }

    func finish() { current.withLock { $0?.bar.finish() } }
}
