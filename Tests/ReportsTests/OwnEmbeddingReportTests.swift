import Foundation
import Testing

@testable import Reports
@testable import Studies

/// Users' own autoencoders in reports.
@Suite struct OwnEmbeddingReportTests {
    private static let mine = "{name: mine, layers: [flatten, linear: 4, linear: inputs]}"
    private static let sided = "{name: my_ae, side: 8, layers: [flatten, linear: 4, linear: inputs]}"
    private static let yaml = """
        runs: 12
        pca_components: 4
        embedding: [autoencoder, \(mine), \(sided)]
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: 20}
          - {pruning_method: cluster, sizes: 20, ks: [3, 7], selection_strategies: closest}
        """

    @Test func thePageAndTheTablesNameTheModel() async throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let (page, notices) = try await toy.report(gnuplot: false)
        #expect(page.contains("<h2 id=\"embedding-mnist-mine-4\">Embedding of mnist: mine 4</h2>"))
        #expect(page.contains("Reconstructions by mine 4") && page.contains("Reconstructions by my_ae 4"))
        #expect(page.contains("closest, k 3, mine 4") && page.contains("closest, k 7, my_ae 4"))
        #expect(page.contains("The images are resized to 8x8 for it. Upper row"))
        #expect(!notices.contains { $0.contains("mbedding") })
        let pictures = try toy.names("plots").filter { $0.hasPrefix("embedding-") }
        #expect(pictures.count == 3 && pictures.contains("embedding-mnist-mine-4.png"), "\(pictures)")
        let table = try Table(StudyTables.summaryCSV(toy.stored().results))
        let names = ["", "", "autoencoder", "mine", "my_ae", "autoencoder", "mine", "my_ae"]
        #expect(table.column("embedding") == names)
        #expect(table.column("embedding_size") == names.map { $0.isEmpty ? "" : "4" })
        #expect(table.column("apply_pca") == names.map { $0.isEmpty ? "" : "False" })
    }

    /// The picture has the side that the model takes.
    @Test func picturesHaveTheSizeOfTheModel() throws {
        let other = "{name: other, layers: [flatten, linear: 4, linear: inputs]}"
        let toy = try ToyStudy(Self.yaml.replacing("[autoencoder,", with: "[\(other),"), correct: ToyStudy.plausible)
        let sections = try EmbeddingSection.all(toy.stored())
        #expect(sections.count == 3 && Set(sections.map(\.name)).count == 3, "\(sections.map(\.name))")
        for section in sections {
            let image = try #require(section.image)
            // 8 by 8 pixels, drawn seven times as large, and 6 by 5, nine times.
            let isResized = section.key.method == "my_ae"
            #expect(image.width == (isResized ? 172 : 139) && image.height == (isResized ? 114 : 110))
            #expect(image.pixels.first == 0 && image.pixels.last == 64)
        }
    }

    /// Each model is a space of its own: cases with the same k compare among themselves, and no two models over d.
    @Test func sensitivityComparesWithinAModel() throws {
        let yaml =
            Self.yaml.replacing("autoencoder, ", with: "")
            + "\n  - {pruning_method: score, scores: prototypes, sizes: 20, ks: [3, 7]}"
        let results = try results(yaml) { experiment, run in 9000 + run * 3 % 7 }
        let section = try #require(ReportSection.sections(of: results).first)
        let all = Sensitivity.all(section)
        #expect(all.map(\.setting) == [.k])
        #expect(
            all[0].series.map(\.name) == [
                "closest, mine, 10 epochs, minibatch", "closest, my_ae, 10 epochs, minibatch",
                "prototypes, mine, 10 epochs", "prototypes, my_ae, 10 epochs",
            ])
    }
}
