import Datasets
import Foundation
import Pruning
import Studies

/// The sheets of one clustering of a data set, or why there are none.
struct ClusterSection: Sendable {
    /// A sheet as a file.
    struct Sheet: Sendable {
        /// The file's name without its ending.
        let name: String
        let sheet: ClusterSheet
        let png: [UInt8]
    }

    let dataset: String
    let key: ClusteringKey
    /// How many runs of the study select by the clustering.
    let uses: Int
    let sheets: [Sheet]
    /// Why there is no sheet, as a sentence without its full stop.
    let missing: String?

    /// A section for each data set that the study clusters, as many as a page holds.
    static func all(_ stored: StoredStudy, images: @Sendable (String) -> Dataset?) -> [ClusterSection] {
        stored.study.datasets.filter { name in stored.results.plan.clusteringUses.keys.contains { $0.dataset == name } }
            .prefix(StudyReport.Limits.datasets).compactMap { make($0, stored, images) }
    }

    private static func make(
        _ dataset: String, _ stored: StoredStudy, _ images: (String) -> Dataset?
    ) -> ClusterSection? {
        // The clustering that most runs use; of several the one with the fewest clusters, which are the easiest to look at.
        let keys = stored.results.plan.clusteringUses.filter { $0.key.dataset == dataset }
            .sorted { ($1.value, $0.key.k, $0.key.fileName) < ($0.value, $1.key.k, $1.key.fileName) }
        guard let first = keys.first else { return nil }
        func without(_ reason: String) -> ClusterSection {
            ClusterSection(
                dataset: dataset, key: first.key, uses: first.value, sheets: [],
                missing: "the clusters of \(dataset) are not pictured: \(reason)")
        }
        // In an unfinished study not all are fitted; a few tries find what there is without reading hundreds.
        let tries = keys.prefix(64).lazy.compactMap { use in
            stored.clustering(use.key).map { (key: use.key, uses: use.value, assignment: $0) }
        }
        guard let (key, uses, assignment) = tries.first else { return without("no clustering is stored yet") }
        guard let data = images(dataset) else {
            return without("its images are not at hand (coppice report --data DIR names their folder)")
        }
        guard let known = stored.environment.datasets[dataset], BackendExecutor.isSource(data, of: known) else {
            return without("the images at hand are not those that the study was run on")
        }
        guard let images = try? key.trainingSet.samples(of: data), images.count == assignment.labels.count else {
            return without("the clustering is not of these images")
        }
        let classes = ClassLabels(labels: images.labels, count: data.classCount)
        let sheets = ClusterSheet.choose(assignment, classes: classes).compactMap { choice -> Sheet? in
            guard let sheet = ClusterSheet(choice, of: assignment, images: images) else { return nil }
            return sheet.image.png.map {
                Sheet(name: "cluster-\(Wording.slug(dataset))-k\(key.k)-\(choice.cluster)", sheet: sheet, png: $0)
            }
        }
        return ClusterSection(dataset: dataset, key: key, uses: uses, sheets: sheets, missing: nil)
    }

    /// What the page says above the sheets.
    var text: String {
        if let missing { return Wording.sentence(missing) + "." }
        return "One of the study's clusterings (k \(key.k), "
            + (key.pcaComponents.map { "PCA to \($0) components" } ?? "on pixels")
            + ", \(key.kmeans) k-means, clustering \(key.index + 1)), by which"
            + " \(Wording.counted(uses, "run")) \(uses == 1 ? "selects" : "select"). In each sheet: the mean of the members, large; in the upper"
            + " row the members closest to the centroid, in the lower row those furthest from it, the extremes first."
    }

    /// The sheets as the page has them, numbered from `number`.
    func pageSheets(from number: Int) -> [PageContents.Sheet] {
        sheets.enumerated().map { index, entry in
            let choice = entry.sheet.choice
            let members = Wording.counted(choice.count, "member")
            let spread = Number.grouped(choice.spread)
            return PageContents.Sheet(
                number: number + index,
                title: "Cluster \(choice.cluster), \(Wording.list(choice.reasons))",
                caption: "\(members); mean squared distance \(spread); classes \(entry.sheet.classes).",
                alt:
                    "Cluster \(choice.cluster): the mean image of its \(members), the \(min(choice.count, ClusterSheet.columns))"
                    + " closest to the centroid and the furthest. Classes: \(entry.sheet.classes).",
                source: "data:image/png;base64," + Data(entry.png).base64EncodedString(),
                width: entry.sheet.image.width,
                height: entry.sheet.image.height)
        }
    }
}
