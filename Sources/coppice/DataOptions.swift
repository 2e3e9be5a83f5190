import ArgumentParser
import Datasets

/// A data set named on the command line.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A data set's folder (four IDX files, gzipped or not, or CIFAR's binary files), or a folder that holds data sets by name.",
            valueName: "dir"))
    var data: String?

    @Option(help: "A data set's name: looked for in --data, $COPPICE_DATA, the user's cache and /usr/share/datasets.")
    var dataset: String?

    @OptionGroup var orientation: TransposedOption

    /// The files of the data set; empty where it is not found, which reading it will report.
    var files: [NamedFile?] {
        let location = try? DatasetLocator().find(data == nil ? dataset ?? "mnist" : dataset, dataDirectory: data)
        return (location?.files ?? []).map { NamedFile("the data set", $0) }
    }

    /// Finds and reads the data set.
    func load(quiet: Bool) throws(DatasetError) -> Dataset {
        let location = try DatasetLocator().find(data == nil ? dataset ?? "mnist" : dataset, dataDirectory: data)
        let dataset = try Dataset.load(location, transposed: orientation.transposed)
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
