import ArgumentParser
import Datasets
import Foundation
import Reports
import Studies

/// `coppice report`
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes the tables, plots and page of a study's results again, finished or not.",
        discussion: """
            DIR is what coppice run --out named: results/STUDY unless it was given. Written there: report.html (one \
            file that needs no other), plots/ (the same plots as SVG and PNG), results.csv, summary.csv and, where two \
            cases keep as many samples, overlaps.csv. Plots are drawn by gnuplot (Debian's gnuplot-nox). Pictures of \
            clusters need the study's data, which are looked for as coppice run does. Of features the sheets show the \
            ids of the closest and furthest rows, and the pictures that these name.
            """)

    @Argument(help: "A study's directory.")
    var dir: String
    @Option(
        help: ArgumentHelp(
            "The data set's folder, or a folder that holds data sets by name. For features: the folder that relative paths of images start from which ids name; otherwise that of the ids.",
            valueName: "dir"))
    var data: String?
    @OptionGroup var orientation: TransposedOption
    @Flag(help: "Print the results as a Markdown table instead, for a page or an issue, and write nothing.")
    var markdown = false
    @Flag(help: "No notes on stderr.")
    var quiet = false

    func run() async throws {
        let stored = try StoredStudy(reading: dir)
        for notice in Wording.bounded(stored.notices) { Terminal.note(notice, quiet: quiet) }
        if let data { try check(data, of: stored) }
        if markdown { return print(StudyText.markdown(stored.results), terminator: "") }
        try StudyTables.write(stored.results, to: dir)
        do {
            try await Self.write(stored, data: data, transposed: orientation.transposed, quiet: quiet)
        } catch is CancellationError {
            throw Failure("interrupted; an older report.html is unchanged", exitCode: 130)
        }
        print("\(dir)/report.html")
    }

    /// Refuses a folder that is missing, or that lacks the images of the study.
    /// - Throws: ``Failure`` with exit code 66, `DatasetError`.
    private func check(_ data: String, of stored: StoredStudy) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: data, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure("--data \(data): there is no such folder", exitCode: 66)
        }
        for description in stored.study.datasetDescriptions where !description.isOfFeatures {
            _ = try DatasetLocator().find(description.name, dataDirectory: data)
        }
    }

    /// Writes a study's page and plots, its images looked for as `coppice run` does, and transposed where they are asked to
    /// be or its latest session had them so.
    /// - Throws: `CancellationError` at Ctrl-C, once the programs that draw have ended.
    static func write(_ stored: StoredStudy, data: String?, transposed: Bool, quiet: Bool) async throws {
        let locator = DatasetLocator()
        let transposed = transposed || stored.environment.isTransposed
        let descriptions = stored.study.datasetDescriptions
        let writing = Task {
            try await StudyReport.write(stored, pictureFolder: data) { name in
                let description = descriptions.first { $0.name == name }
                if let description, case .features(let files) = description.source {
                    do { return try loadFeatures(name, files, description.scaling, quiet: true) } catch {
                        Terminal.note("note: the features of \(name) cannot be shown: \(error)", quiet: quiet)
                        return nil
                    }
                }
                // What the study left out is left out here: it would not have run otherwise.
                return (try? locator.find(name, dataDirectory: data ?? description?.folder)).flatMap {
                    try? loadDataset($0, transposed: transposed, skipsBadFiles: true, quiet: true)
                }
            }
        }
        let interrupt = Interrupt { writing.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let notices = try await writing.value
        for notice in notices { Terminal.note(notice, quiet: quiet) }
    }
}
