import Foundation
import Testing

@testable import Reports
@testable import Studies

/// Comparisons of a study's embeddings with each other.
@Suite struct EmbeddingTableTests {
    private static let yaml = """
        runs: 12
        pca_components: 4
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: 20}
          - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: [closest, furthest],
             embedding: [pixels, pca, autoencoder, lenet5]}
        """

    private func tables(_ results: StudyResults) -> [EmbeddingTable] {
        EmbeddingTable.all(ReportSection.sections(of: results))
    }

    /// Experiments 3 to 6 are closest, 7 to 10 furthest, each in the order of the embeddings.
    private static let gains = [3: -50, 5: 30, 6: 200, 10: -40]

    @Test func everyEmbeddingIsHeldAgainstPCA() throws {
        let results = try gaining(Self.yaml, Self.gains)
        let found = tables(results)
        let table = try #require(found.first)
        #expect(found.count == 1 && table.title == nil && table.shortage == nil)
        let rows = [
            ["Case", "Size", "Embedding", "Against", "Difference", "p (Holm)", "Verdict"],
            ["closest, k 3", "20", "pixels", "PCA 4", "-0.50 [-0.50, -0.50]", "0.00293", "worse"],
            ["closest, k 3", "20", "autoencoder 4", "PCA 4", "+0.30 [+0.30, +0.30]", "0.00293", "better"],
            ["closest, k 3", "20", "lenet5 84", "PCA 4", "+2.00 [+2.00, +2.00]", "0.00293", "better"],
            ["furthest, k 3", "20", "pixels", "PCA 4", "0.00 [0.00, 0.00]", "1", "equal"],
            ["furthest, k 3", "20", "autoencoder 4", "PCA 4", "0.00 [0.00, 0.00]", "1", "equal"],
            ["furthest, k 3", "20", "lenet5 84", "PCA 4", "-0.40 [-0.40, -0.40]", "0.00293", "worse"],
        ]
        #expect([table.columns] + table.fields(StudyText.difference) == rows)
        #expect(
            table.sentences == [
                "Of 6 comparisons between cases that differ in the embedding alone: 2 better, 2 worse and 2 equal."
            ])
        let markdown = StudyText.markdown(results)
        #expect(markdown.contains("\n\(EmbeddingTable.heading):\n\n| \(rows[0].joined(separator: " | ")) |\n"))
        #expect(rows.dropFirst().allSatisfy { markdown.contains("| \($0.joined(separator: " | ")) |\n") })
        #expect(StudyText.summary(results).contains("\n\(EmbeddingTable.heading):\nCase           Size  Embedding"))
    }

    @Test func theTableIsAFile() throws {
        let csv = try Table(try #require(EmbeddingTable.csv(gaining(Self.yaml, Self.gains))))
        #expect(
            csv.names == [
                "experiment_id", "reference_id", "dataset", "model", "pruning_method", "selection_strategy", "k",
                "requested", "seed", "embedding", "embedding_size", "embedding_epochs", "reference", "reference_size",
                "reference_epochs", "diff", "diff_low", "diff_high", "p", "p_holm", "verdict", "pairs",
            ])
        #expect(csv.column("experiment_id") == ["3", "5", "6", "7", "9", "10"])
        #expect(csv.column("reference_id") == ["4", "4", "4", "8", "8", "8"])
        #expect(csv.column("embedding") == ["pixels", "autoencoder", "lenet5", "pixels", "autoencoder", "lenet5"])
        #expect(csv.column("embedding_epochs") == ["", "10", "10", "", "10", "10"])
        #expect(Set(csv.column("reference")) == ["pca"] && Set(csv.column("reference_size")) == ["4"])
        #expect(csv.column("diff") == ["-0.5", "0.3", "2", "0", "0", "-0.4"])
        #expect(csv.column("p").first == "0.00048828125" && csv.column("p_holm").first == "0.0029296875")
        #expect(csv.column("verdict") == ["worse", "better", "better", "equal", "equal", "worse"])
        #expect(Set(csv.column("pairs")) == ["12"])
    }

    @Test func withoutPCATheFirstOfTheListIsTheReference() throws {
        let text = Self.yaml.replacing("[pixels, pca, autoencoder, lenet5]", with: "[autoencoder, lenet5]")
        let table = try #require(tables(gaining(text)).first)
        #expect(
            table.fields { _, _ in "" }.map { "\($0[2]) against \($0[3])" } == [
                "lenet5 84 against autoencoder 4", "lenet5 84 against autoencoder 4",
            ])
    }

    /// Two sizes of one method are compared by the sensitivity to d, as pixels and PCA are.
    @Test(arguments: ["[pixels, pca]", "autoencoder", "lenet5"])
    func othersHaveNoSuchTable(embedding: String) throws {
        let entry =
            "  - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: EMBEDDING}"
        let text =
            "runs: 3\npca_components: 4\nexperiments:\n" + entry.replacing("EMBEDDING", with: embedding) + "\n"
            + entry.replacing("EMBEDDING", with: "\(embedding), embedding_epochs: 2")
        let results = try gaining(text)
        #expect(tables(results).isEmpty && EmbeddingTable.csv(results) == nil)
        #expect(!StudyText.summary(results).contains("Embeddings compared"))
    }

    @Test func everyModelHasItsRowsAndTooFewRunsAreSaid() throws {
        let text = """
            runs: 3
            pca_components: 4
            model: [lenet5, mlp]
            experiments:
              - {pruning_method: score, sizes: 20, scores: k-center, embedding: [autoencoder, pca]}
            """
        let results = try gaining(text)
        let table = try #require(tables(results).first)
        #expect(
            table.fields { _, _ in "x" } == [
                ["k-center", "20", "lenet5", "autoencoder 4", "PCA 4", "x", "1", "not decided"],
                ["k-center", "20", "mlp", "autoencoder 4", "PCA 4", "x", "1", "not decided"],
            ])
        let shortage =
            "3 runs cannot call any embedding better or worse than another, nor equal to it; 7 runs could."
        #expect(table.sentences.last == shortage)
        #expect(StudyText.summary(results).contains("\nnote: \(shortage)\n"))
        #expect(StudyText.markdown(results).contains("\n\n\(shortage)\n"))
    }

    @Test func casesWithRunsThatDivergedAreMarked() throws {
        let found = try tables(gaining(Self.yaml, Self.gains, diverged: [5, 8]))
        let table = try #require(found.first)
        #expect(
            table.fields { _, _ in "x" }.map { $0[6] } == [
                "worse", "diverged", "better", "diverged", "diverged", "diverged",
            ])
        #expect(table.rows.map { $0.contrast?.pairs } == [12, 11, 12, 11, 11, 11])
    }

    @Test func thePageAndTheDirectoryHaveIt() async throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let page = try await toy.report(gnuplot: false).page
        #expect(page.contains("<h2 id=\"embeddings-1\">Embeddings compared</h2>"))
        #expect(page.contains("<tr><th scope=\"row\">closest, k 3</th><td>20</td><td>pixels</td><td>PCA 4</td><td>"))
        #expect(page.contains("embedding-differences.csv (one row per comparison of two embeddings)"))
        try StudyTables.write(toy.stored().results, to: toy.directory)
        #expect(try Table(toy.text("embedding-differences.csv")).column("k") == [String](repeating: "3", count: 6))
    }
}

/// Results in which every run of an experiment gains as much as `gains` says, of 10,000, and the first run of those in
/// `diverged` has diverged.
private func gaining(_ text: String, _ gains: [Int: Int] = [:], diverged: Set<Int> = []) throws -> StudyResults {
    try results(text, diverged: { experiment, run in diverged.contains(experiment) && run == 0 ? 3 : nil }) {
        experiment, run in 9000 + 100 * (run % 2) + (gains[experiment] ?? 0)
    }
}
