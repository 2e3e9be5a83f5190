import Foundation
import Mustache
import Studies

/// A picture as the page has it.
struct PageFigure: Sendable {
    let number: Int
    let title: String
    let caption: String
    let svg: String
}

/// What the template fills in; its names are the template's.
struct PageContents {
    struct Progress {
        let done: Int
        let total: Int
        let text: String
    }

    struct Group {
        let heading: String
        let figures: [PageFigure]
        let note: String?
    }

    struct Classes {
        let title: String
        let classes: [String]
        var rows: [ClassCounts.Row]
        let leftOut: String?
    }

    struct Overlaps {
        struct Size: Equatable {
            let caption: String
            /// The size, for those who hear the page.
            let label: String
            let columns: [String]
            let rows: String
        }

        let title: String
        let note: String?
        var sizes: [Size]
    }

    struct Sensitivity {
        struct Table {
            let label: String
            /// What was left out for want of room; not a caption, which the section has too.
            let leftOut: String?
            let ownColumns: Int
            let groups: [Comparisons]
            let columns: [String]
            let rows: String
        }

        let sentences: [String]
        let figures: [PageFigure]
        let tables: [Table]
    }

    /// The comparison of a study's models.
    struct Models {
        let id: String
        let title: String
        let sentences: [String]
        let hasSentences: Bool
        let figures: [PageFigure]
        let note: String?
        /// The table, as text for screen readers.
        let label: String
        let caption: String
        let columns: [String]
        let rows: String
    }

    struct Comparisons {
        let name: String
        let span: Int
    }

    struct Section {
        let id: String
        let title: String
        let lead: String?
        let sentences: [String]
        let hasSentences: Bool
        let groups: [Group]
        let sensitivity: Sensitivity?
        var overlaps: Overlaps?
        var classes: Classes?
        /// Sentences that say which other section has the tables that this one shares.
        var shared: [String] = []
        let hasCases: Bool
        let caption: String
        let ownColumns: Int
        let moreColumns: Int
        let comparisons: [Comparisons]
        let columns: [String]
        let rows: String
    }

    struct Sheet {
        let number: Int
        let title: String
        let caption: String
        let picture: Picture?
        let ids: IDs?
    }

    struct Picture {
        let alt: String
        let source: String
        let width: Int
        let height: Int
        let style: String
    }

    /// The members of a cluster by their ids.
    struct IDs {
        struct Row {
            let rank: Int
            let closest: String
            let closestClass: String
            let furthest: String
            let furthestClass: String
        }

        /// Whether they are seen without a click.
        let isOpen: Bool
        let rows: [Row]

        /// - Returns: nil for a sheet without ids.
        init?(_ sheet: ClusterSheet, isOpen: Bool) {
            guard !sheet.closest.isEmpty else { return nil }
            self.isOpen = isOpen
            // As many of both: those of all members, where there are few.
            rows = zip(sheet.closest, sheet.furthest).enumerated().map { rank, pair in
                Row(
                    rank: rank + 1, closest: pair.0.text, closestClass: pair.0.category, furthest: pair.1.text,
                    furthestClass: pair.1.category)
            }
        }
    }

    struct Clusters {
        let id: String
        let title: String
        let text: String
        let sheets: [Sheet]
        let hasSheets: Bool
    }

    let study: String
    let headline: String
    let summary: String
    let progress: Progress?
    let notes: [String]
    let hasNotes: Bool
    let models: [Models]
    let sections: [Section]
    let clusters: [Clusters]
    let scree: [PageFigure]
    let screeText: String?
    let margin: String
    let runs: String
    let seeds: String
    let data: [String]
    let machines: [Provenance.Machine]
    let commands: [String]
    /// What to do before the command of ``repeat``.
    let preparation: String
    let `repeat`: String
    let files: String
    let yaml: String
    private(set) var style = String(decoding: PackageResources.report_css, as: UTF8.self)
    private(set) var script = String(decoding: PackageResources.report_js, as: UTF8.self)

    /// The whole page.
    func rendered() throws -> String {
        try MustacheTemplate(string: String(decoding: PackageResources.report_mustache, as: UTF8.self)).render(self)
    }
}
