import Datasets
import Foundation
import Pruning
import Studies
import Support

/// The report of a study: plots, cluster sheets, and a page that holds them all.
package enum StudyReport {
    /// How many pictures, sections and rows a page holds, whatever the study's size.
    enum Limits {
        /// Sections with pictures, one per model for instance; the others have their table.
        static let sections = 8
        /// Pictures of accuracy against size, and of bubbles, in a section; half as many where there are several sections.
        static let panels = 4
        /// Bars, and rows of dots.
        static let bars = 20
        /// Points of accuracy against seconds.
        static let points = 600
        /// Rows of class counts.
        static let classRows = 12
        /// Cases of a table of overlaps, and such tables of a section.
        static let (overlapCases, overlapSizes) = (20, 8)
        /// Data sets with cluster sheets or a scree plot.
        static let datasets = 4
        /// Autoencoders.
        static let embeddings = 8
    }

    /// Writes `plots/`, `report.html` and, where two cases are of one size, `overlaps.csv` into the study's directory, in
    /// place of older ones.
    ///
    /// Plots are drawn by gnuplot; where it is missing the page is made without them.
    /// - Parameters:
    ///   - images: the data set of a name, for its clusters and the names of its classes; nil where it is not at hand.
    ///   - pictureFolder: where relative paths of images start from that ids of features name; nil for the folder of the ids.
    /// - Returns: what is left out and why, as sentences.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`, which too few file descriptors are as well, and
    ///   `CancellationError` where the task was cancelled; an older page is then unchanged.
    @discardableResult
    package static func write(
        _ stored: StoredStudy, pictureFolder: String? = nil, images: @escaping @Sendable (String) -> Dataset?
    ) async throws -> [String] {
        try await write(stored, pictureFolder: pictureFolder, images: images, gnuplot: await Gnuplot())
    }

    /// The same with the program that draws the plots, or none.
    static func write(
        _ stored: StoredStudy, pictureFolder: String? = nil, images: @escaping @Sendable (String) -> Dataset?,
        gnuplot: Gnuplot?
    ) async throws -> [String] {
        let page = stored.directory + "/report.html"
        let folder = stored.directory + "/plots"
        try OutputFile.writing { () throws(FileError) in try AtomicFile.checkCanWrite(page) }
        if gnuplot != nil, let shortage = descriptorShortage() {
            throw StudyError.writeFailed(path: page, reason: shortage)
        }
        try makeFolder(folder)
        // Reading images takes as long as drawing all plots, so both are done at once.
        let data = ReportData(stored, pictureFolder: pictureFolder, load: images)
        async let sheets = ClusterSection.all(stored, data: data)
        async let compared = SelectionOverlaps.all(stored)
        async let embedded = EmbeddingSection.all(stored)
        let plan = ReportPlan(stored)
        let plots = await draw(plan.charts, by: gnuplot, in: folder)
        let clusters = await sheets
        let overlaps = await compared
        let embeddings = await embedded
        try Task.checkCancellation()
        var notices = plots.notices
        try writeSheets(clusters, embeddings, to: folder)
        removeStale(
            in: folder,
            kept: Set(
                plan.charts.flatMap { ["\($0.name).svg", "\($0.name).png"] }
                    + clusters.flatMap { $0.sheets.flatMap(\.files) }
                    + embeddings.filter { $0.png != nil }.map { "\($0.name).png" }
            ))
        try writeOverlaps(overlaps, names: CaseNames(stored.results.plan), to: stored.directory + "/overlaps.csv")
        let contents = plan.contents(
            stored, svgs: plots.svgs, clusters: clusters, embeddings: embeddings, overlaps: overlaps,
            classNames: data.classNames, hasPlots: plots.hasPlots)
        try OutputFile.write(try contents.rendered(), to: page)
        notices += (clusters.compactMap { $0.missing ?? $0.note } + embeddings.compactMap(\.missing)).map {
            Wording.sentence($0)
        }
        return notices
    }

    /// Why there are too few file descriptors for a report with plots, as a sentence; nil where there are enough.
    /// - Parameter others: what else will be open by then.
    package static func descriptorShortage(others: Int = 0) -> String? {
        FileDescriptors.shortage(of: Gnuplot.fewestDescriptors + others, for: "drawing plots")
    }

    private struct Plots {
        var svgs: [String: String] = [:]
        var notices: [String] = []
        var hasPlots = true
    }

    private static func draw(_ charts: [Chart], by gnuplot: Gnuplot?, in folder: String) async -> Plots {
        var plots = Plots()
        guard !charts.isEmpty else { return plots }
        guard let gnuplot else {
            plots.hasPlots = false
            plots.notices = [
                "the report is made without plots: gnuplot is not on the PATH; Debian's package gnuplot-nox brings it"
            ]
            return plots
        }
        let outcomes = await gnuplot.draw(charts, in: folder)
        for chart in charts {
            switch outcomes[chart.name] {
            case .drawn(let svg):
                plots.svgs[chart.name] = InlineSVG.element(
                    svg, prefix: chart.name, label: "\(chart.title). \(chart.description)")
            case .failed(let reason): plots.notices.append("the plot \(chart.name) is left out: gnuplot: \(reason)")
            case nil: break
            }
        }
        return plots
    }

    private static func writeSheets(
        _ clusters: [ClusterSection], _ embeddings: [EmbeddingSection], to folder: String
    ) throws {
        for embedding in embeddings {
            guard let png = embedding.png else { continue }
            try OutputFile.writing { () throws(FileError) in
                try AtomicFile.write(png, to: "\(folder)/\(embedding.name).png")
            }
        }
        for sheet in clusters.flatMap(\.sheets) {
            try OutputFile.writing { () throws(FileError) in
                if let png = sheet.png { try AtomicFile.write(png, to: "\(folder)/\(sheet.name).png") }
                if let csv = sheet.sheet.csv {
                    try AtomicFile.write(Array(csv.utf8), to: "\(folder)/\(sheet.name).csv")
                }
            }
        }
    }

    private static func writeOverlaps(_ overlaps: [SelectionOverlaps], names: CaseNames, to file: String) throws {
        if overlaps.isEmpty {
            // One of an earlier report would be of other runs.
            unlink(file)
        } else {
            try OutputFile.write(SelectionOverlaps.csv(overlaps, names: names), to: file)
        }
    }

    private static func makeFolder(_ folder: String) throws(StudyError) {
        try OutputFile.writing { () throws(FileError) in try Folder.make(folder) }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw .cannotCreate(path: folder, reason: String(cString: strerror(errno)))
        }
    }

    /// Takes plots away that an earlier report made and this one does not have; nothing else is touched.
    private static func removeStale(in folder: String, kept: Set<String>) {
        for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let name = [".svg", ".png", ".csv"].contains { file.hasSuffix($0) } ? String(file.dropLast(4)) : ""
            guard !name.isEmpty, !kept.contains(file),
                ReportPlan.kinds.contains(where: { name.hasPrefix($0) || name.contains("-\($0)") })
            else { continue }
            unlink("\(folder)/\(file)")
        }
    }
}
