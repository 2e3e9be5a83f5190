/// Tables of what was kept that several sections have alike, as those of several models do unless the model has a say in
/// the selection: the first section has them, and the others say where they are.
enum SharedTables {
    /// The sections without the tables, and the rows of class counts, that an earlier section of the same training set
    /// and seed has as well.
    static func printedOnce(
        _ pages: [PageContents.Section], of sections: [ReportSection]
    ) -> [PageContents.Section] {
        var shown = pages
        for index in pages.indices {
            let own = sections[index].key
            let earlier = pages.indices.prefix(index).filter {
                sections[$0].key.recipe.trainingSet == own.recipe.trainingSet && sections[$0].key.seed == own.seed
            }
            for place in earlier {
                let name = name(of: place, seenFrom: index, sections)
                shareOverlaps(&shown[index], with: pages[place], name)
                shareClasses(&shown[index], with: pages[place], name)
            }
        }
        return shown
    }

    /// The model of a section where that alone tells it from the other, else its title.
    private static func name(of place: Int, seenFrom index: Int, _ sections: [ReportSection]) -> String {
        let (one, other) = (sections[place].key, sections[index].key)
        return one.besideModel == other.besideModel ? one.recipe.model.name : sections[place].title
    }

    private static func shareOverlaps(
        _ section: inout PageContents.Section, with earlier: PageContents.Section, _ name: String
    ) {
        guard let own = section.overlaps, let known = earlier.overlaps else { return }
        let same = own.sizes.filter(known.sizes.contains)
        guard !same.isEmpty else { return }
        let left = own.sizes.filter { !known.sizes.contains($0) }
        section.overlaps?.sizes = left
        if left.isEmpty { section.overlaps = nil }
        section.shared.append(
            "Overlap of selections\(left.isEmpty ? "" : " of \(Wording.list(same.map(\.label)))"): the same as in the section"
                + " \u{201C}\(name)\u{201D}.")
    }

    private static func shareClasses(
        _ section: inout PageContents.Section, with earlier: PageContents.Section, _ name: String
    ) {
        guard let own = section.classes, let known = earlier.classes, own.classes == known.classes else { return }
        let left = own.rows.filter { !known.rows.contains($0) }
        let same = own.rows.filter(known.rows.contains)
        // A note on cases that are left out would not fit a part of the rows.
        guard left.count < own.rows.count, left.isEmpty || own.leftOut == nil else { return }
        section.classes?.rows = left
        if left.isEmpty { section.classes = nil }
        section.shared.append(
            "Classes kept\(left.isEmpty ? "" : " by \(Wording.list(same.map { "\u{201C}\($0.label)\u{201D}" }))"): the same as in the section"
                + " \u{201C}\(name)\u{201D}.")
    }
}
