import Foundation
import Studies
import Testing

@testable import Reports

@Suite struct SampleBitsTests {
    @Test(arguments: [1, 7, 63, 64, 65, 127, 1009])
    func jaccardIsThatOfSets(total: Int) throws {
        for step in [1, 2, 3, 5] {
            let one = Set(stride(from: 0, to: total, by: step))
            let other = Set(stride(from: 0, to: total, by: 3)).union([total - 1])
            let bits = try [one, other].map { set in try #require(SampleBits(Array(set), of: total)) }
            let expected = Double(one.intersection(other).count) / Double(one.union(other).count)
            #expect(bits[0].jaccard(bits[1]) == expected && bits[1].jaccard(bits[0]) == expected)
            #expect(bits[0].jaccard(bits[0]) == 1 && bits[0].count == one.count)
        }
    }

    @Test func whatIsNoSetOfSamplesIsRefused() {
        #expect(SampleBits([0, 64], of: 65) != nil)
        for indices: [Int] in [[65], [-1], [3, 64, 3], [.max], [.min]] { #expect(SampleBits(indices, of: 65) == nil) }
    }
}

@Suite struct SelectionOverlapTests {
    private static let yaml = """
        runs: 3
        pca_components: 4
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: [20, 50]}
          - {pruning_method: score, sizes: [20, 50], scores: [k-center, herding], use_pca: true}
          - {pruning_method: cluster, sizes: 20, ks: 4, use_pca: false, selection_strategies: closest}
        """

    /// The mean over runs, from the files as indices.
    private func mean(_ stored: StoredStudy, _ one: Int, _ other: Int) throws -> Double {
        let values = try (0..<3).map { run in
            let sets = try [one, other].map { id in
                let planned = stored.results.plan.runs.first { $0.experimentID == id && $0.run == run }
                return Set(try #require(planned.flatMap(stored.selection)))
            }
            return Double(sets[0].intersection(sets[1]).count) / Double(sets[0].union(sets[1]).count)
        }
        return values.reduce(0, +) / 3
    }

    @Test func theTableHasEveryPairOfOneSize() async throws {
        let study = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let (page, _) = try await study.report(gnuplot: false)
        let stored = try study.stored()
        let table = try Table(study.text("overlaps.csv"))
        #expect(
            table.names == [
                "dataset", "seed", "requested", "experiment_id_a", "experiment_id_b", "case_a", "case_b", "jaccard",
                "count_runs",
            ])
        // Four cases of 20 images and three of 50; the whole set is none of them.
        #expect(table.column("requested") == [String](repeating: "20", count: 6) + [String](repeating: "50", count: 3))
        #expect(table.column("count_runs").allSatisfy { $0 == "3" } && !table.column("case_a").contains("whole set"))
        let pairs = zip(table.column("experiment_id_a"), table.column("experiment_id_b")).map { [Int($0), Int($1)] }
        for (pair, text) in zip(pairs, table.column("jaccard")) {
            let (one, other) = (try #require(pair[0]), try #require(pair[1]))
            #expect(one < other)
            let expected = try mean(stored, one, other)
            #expect(abs(try #require(Double(text)) - expected) < 1e-6, "\(pair)")
        }
        #expect(Set(table.column("jaccard")).count > 4)
        #expect(page.contains("Overlap of selections") && page.contains("overlaps.csv (one row per pair"))
        // 20 / (2 x 200 - 20) and 50 / (2 x 200 - 50).
        #expect(page.contains("20 images per case; two random sets overlap by 0.05."))
        #expect(page.contains("50 images per case; two random sets overlap by 0.14."))
        #expect(page.contains("<th scope=\"row\">1 random</th><td></td><td"))
    }

    @Test func selectionsThatAreGoneOrDamagedAreLeftOut() async throws {
        let study = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let before = try Table(reportedOverlaps(study))
        let file = study.directory + "/selections/experiment2-run2.npy"
        try Data("not an array".utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.removeItem(atPath: study.directory + "/selections/experiment3-run1.npy")
        let after = try Table(reportedOverlaps(study))
        #expect(before.rows.count == after.rows.count)
        #expect(after.rows.filter { $0[3] == "2" }.allSatisfy { $0[8] == ($0[4] == "3" ? "1" : "2") })
        // Without any there is no table, and none of an earlier report.
        try FileManager.default.removeItem(atPath: study.directory + "/selections")
        let (page, _) = try await study.report(gnuplot: false)
        #expect(!page.contains("Overlap of selections") && !page.contains("overlaps.csv"))
        #expect(!FileManager.default.fileExists(atPath: study.directory + "/overlaps.csv"))
    }

    private func reportedOverlaps(_ study: ToyStudy) throws -> String {
        let stored = try study.stored()
        return SelectionOverlaps.csv(SelectionOverlaps.all(stored), names: CaseNames(stored.results.plan))
    }

    @Test func casesOfDifferentSeedsOrRecipesAreNotCompared() throws {
        let entries = ["seed: 1", "seed: 2", "steps: 7"].map {
            "{pruning_method: random, sizes: [20, 30], \($0)}, {pruning_method: random, sizes: 20, balance: class, \($0)}"
        }
        let study = try ToyStudy(
            "{runs: 2, experiments: [\(entries.joined(separator: ", "))]}", correct: ToyStudy.plausible)
        let table = try Table(reportedOverlaps(study))
        #expect(
            table.column("experiment_id_a") == ["1", "4", "7"] && table.column("experiment_id_b") == ["3", "6", "9"])
        #expect(table.column("seed") == ["1", "2", "1"] && table.column("dataset") == ["mnist", "mnist", "mnist"])
    }

    @Test func ofManyCasesThePageShowsTheMostAccurateAndSaysSo() throws {
        let ks = (2...26).map(String.init).joined(separator: ", ")
        let results = try results(
            """
            runs: 2
            experiments:
              - pruning_method: none
              - {pruning_method: cluster, sizes: [20], use_pca: false, ks: [\(ks)], selection_strategies: closest}
            """
        ) { experiment, run in 9000 + experiment }
        let section = try #require(ReportSection.sections(of: results).first)
        let cases = section.cases.filter { !$0.isWhole }
        let same = SampleBits([1, 2], of: 200)
        let overlaps = SelectionOverlaps(section, size: 20, of: cases) { run in
            // Run 2 of the first case is not there, and the last case has nothing in common with the others.
            run.experimentID == 2 && run.run == 1 ? nil : run.experimentID == 26 ? SampleBits([7], of: 200) : same
        }
        #expect(overlaps[0, 1]?.runs == 1 && overlaps[2, 1]?.runs == 2 && overlaps[1, 1] == nil)
        #expect(overlaps[1, 2]?.mean == 1 && overlaps[24, 2]?.mean == 0)
        let contents = try #require(OverlapTable.contents([overlaps]))
        #expect(contents.sizes.count == 1 && contents.sizes[0].columns.count == 20 && contents.note == nil)
        #expect(
            contents.sizes[0].caption.contains(
                "The 20 most accurate of 25 cases are shown; overlaps.csv has all."))
        let rows = contents.sizes[0].rows.split(separator: "\n")
        #expect(
            rows.count == 20
                && rows[0].hasPrefix("<tr><th scope=\"row\">1 closest, k 7</th><td></td><td class=\"overlap4\">1.00"))
        #expect(rows[19].hasPrefix("<tr><th scope=\"row\">20 closest, k 26</th><td>0.00</td>"))
        let many = OverlapTable.contents([SelectionOverlaps](repeating: overlaps, count: 11))
        #expect(many?.sizes.count == 8 && many?.note?.contains("8 of 11 sizes are shown") == true)
    }
}
