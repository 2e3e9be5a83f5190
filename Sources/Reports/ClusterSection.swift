import Datasets
import Foundation
import Pruning
import Studies

/// The sheets of one clustering of a data set, or why there are none.
struct ClusterSection: Sendable {
    /// A sheet as files.
    struct Sheet: Sendable {
        /// The files' name without its ending.
        let name: String
        let sheet: ClusterSheet
        /// Nil where it has no picture.
        let png: [UInt8]?

        /// The names of its files.
        var files: [String] { (png == nil ? [] : [name + ".png"]) + (sheet.csv == nil ? [] : [name + ".csv"]) }
    }

    /// What the sheets show of the members.
    enum Kind: Sendable {
        /// The samples, which are images.
        case images
        /// Ids, or the numbers of the rows where there are none.
        case ids(isNamed: Bool)
        /// The pictures that ids name.
        case pictures
    }

    let dataset: String
    let key: ClusteringKey
    /// How many runs of the study select by the clustering.
    let uses: Int
    let kind: Kind
    let sheets: [Sheet]
    /// Why there is no sheet, as a sentence without its full stop.
    let missing: String?
    /// What sheets lack, as a sentence without its full stop.
    private(set) var note: String?

    /// A section for each data set that the study clusters, as many as a page holds.
    static func all(_ stored: StoredStudy, data: ReportData) -> [ClusterSection] {
        stored.study.datasets.filter { name in stored.results.plan.clusteringUses.keys.contains { $0.dataset == name } }
            .prefix(StudyReport.Limits.datasets).compactMap { make($0, stored, data) }
    }

    private static func make(_ dataset: String, _ stored: StoredStudy, _ data: ReportData) -> ClusterSection? {
        // The clustering that most runs use; of several the one with the fewest clusters, which are the easiest to look at.
        let keys = stored.results.plan.clusteringUses.filter { $0.key.dataset == dataset }
            .sorted { ($1.value, $0.key.k, $0.key.fileName) < ($0.value, $1.key.k, $1.key.fileName) }
        guard let first = keys.first else { return nil }
        func without(_ reason: String) -> ClusterSection {
            ClusterSection(
                dataset: dataset, key: first.key, uses: first.value, kind: .images, sheets: [],
                missing: "the clusters of \(dataset) are not pictured: \(reason)")
        }
        // In an unfinished study not all are fitted; a few tries find what there is without reading hundreds.
        let tries = keys.prefix(64).lazy.compactMap { use in
            stored.clustering(use.key).map { (key: use.key, uses: use.value, assignment: $0) }
        }
        guard let (key, uses, assignment) = tries.first else { return without("no clustering is stored yet") }
        let found: Dataset
        switch data.dataset(dataset) {
        case .found(let data): found = data
        case .missing:
            return without("its data are not at hand (for images, coppice report --data DIR names their folder)")
        case .other: return without("the data at hand are not those that the study was run on")
        }
        guard let samples = try? key.trainingSet.samples(of: found), samples.count == assignment.labels.count else {
            return without("the clustering is not of these data")
        }
        let classes =
            samples.labels.isEmpty ? nil : ClassLabels(labels: samples.labels, count: found.classCount)
        let isImages = found.isOfImages && samples.pixels != nil
        let ids = ClusterIDs(
            found, origins: key.trainingSet.indices(in: found), pictureFolder: data.pictureFolder)
        let sheets = ClusterSheet.choose(assignment, classes: classes).compactMap { choice -> Sheet? in
            let made =
                isImages
                ? ClusterSheet(choice, of: assignment, images: samples)
                : ClusterSheet(choice, of: assignment, samples: samples, ids: ids)
            guard var sheet = made else { return nil }
            sheet.classNames = found.classNames
            return Sheet(
                name: "cluster-\(Wording.slug(dataset))-k\(key.k)-\(choice.cluster)", sheet: sheet,
                png: sheet.image.flatMap(\.png))
        }
        let hasPictures = sheets.contains { $0.png != nil }
        var section = ClusterSection(
            dataset: dataset, key: key, uses: uses,
            kind: isImages ? .images : hasPictures ? .pictures : .ids(isNamed: ids.isNamed), sheets: sheets,
            missing: nil)
        section.note = section.note(of: sheets.flatMap(\.sheet.faults), root: ids.root, hasPictures)
        return section
    }

    /// What is wrong with pictures that ids name.
    private func note(of faults: [String], root: String?, _ hasPictures: Bool) -> String? {
        guard let first = faults.first else { return nil }
        let which =
            hasPictures ? "\(faults.count) of the pictures that" : "the pictures that"
        return
            "\(which) the ids of \(dataset) name cannot be shown, and their ids are in their place; the first: \(first)"
            + (hasPictures
                ? ""
                : "; relative paths start from \(root ?? ""), unless coppice report --data DIR names another folder")
    }

    /// What the page says above the sheets.
    var text: String {
        if let missing { return Wording.sentence(missing) + "." }
        let ends =
            "the members closest to the centroid, in the lower row those furthest from it, the extremes first."
        let shown =
            switch kind {
            case .images: "In each sheet: the mean of the members, large; in the upper row " + ends
            case .pictures: "In each sheet: in the upper row " + ends + " Below it, their ids."
            case .ids(let isNamed):
                "For each cluster: the \(isNamed ? "ids" : "numbers (from 0)") of the members closest to the centroid and"
                    + " of those furthest from it, the extremes first."
            }
        var space = "on the features"
        if case .images = kind { space = "on pixels" }
        if let embedding = key.embedding { space = "on the embedding by \(embedding.words)" }
        return "One of the study's clusterings (k \(key.k), "
            + (key.pcaComponents.map { "PCA to \($0) components" } ?? space)
            + ", \(key.kmeans) k-means, clustering \(key.index + 1)), by which"
            + " \(Wording.counted(uses, "run")) \(uses == 1 ? "selects" : "select"). \(shown)"
            + (note.map { " " + Wording.sentence($0) + "." } ?? "")
    }

    /// The sheets as the page has them, numbered from `number`.
    func pageSheets(from number: Int) -> [PageContents.Sheet] {
        sheets.enumerated().map { index, entry in
            let (choice, sheet) = (entry.sheet.choice, entry.sheet)
            let members = Wording.counted(choice.count, "member")
            let spread = Number.significant(choice.spread)
            let shown = min(choice.count, ClusterSheet.columns)
            let classes = sheet.classes.isEmpty ? nil : sheet.classes
            var start = "Cluster \(choice.cluster): "
            if case .images = kind { start += "the mean image of its \(members), " }
            return PageContents.Sheet(
                number: number + index,
                title: "Cluster \(choice.cluster), \(Wording.list(choice.reasons))",
                caption: "\(members); mean squared distance \(spread)" + (classes.map { "; classes \($0)" } ?? "")
                    + ".",
                picture: entry.png.flatMap { png in
                    sheet.image.map { image in
                        PageContents.Picture(
                            alt: start + "the \(shown) closest to the centroid and the furthest."
                                + (classes.map { " Classes: \($0)." } ?? ""),
                            source: "data:image/png;base64," + Data(png).base64EncodedString(),
                            width: image.width, height: image.height, style: sheet.closest.isEmpty ? "pixels" : "photos"
                        )
                    }
                },
                ids: PageContents.IDs(sheet, isOpen: entry.png == nil))
        }
    }
}
