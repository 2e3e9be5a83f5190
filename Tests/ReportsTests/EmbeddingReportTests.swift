import Foundation
import Testing

@testable import Reports
@testable import Studies

@Suite struct EmbeddingReportTests {
    private static let yaml = """
        runs: 12
        pca_components: 4
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: 20}
          - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: [closest, furthest],
             embedding: [pixels, pca, autoencoder, lenet5]}
        """

    private static let first = "embedding-mnist-autoencoder-4"

    @Test func thePageShowsWhatAnAutoencoderGivesBack() async throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let (page, notices) = try await toy.report(gnuplot: false)
        #expect(page.contains("<h2 id=\"\(Self.first)\">Embedding of mnist: autoencoder 4</h2>"))
        #expect(
            page.contains(
                "An autoencoder with a code of 4 values, trained for 10 epochs (one of 12)."
                    + " 91.2% of the variance of the training set is kept (mean squared error 0.0123 per value). A PCA to 4"
                    + " components: 83.4% of the variance of the training set is kept (mean squared error 0.0234 per value)."
                    + " Upper row: samples of the test set. Lower row: their reconstructions."))
        #expect(page.contains("Reconstructions by autoencoder 4"))
        #expect(!page.contains("Embedding of mnist: lenet5") && !notices.contains { $0.contains("mbedding") })
        #expect(page.contains("the reconstructions by autoencoders as PNG"))
        #expect(try toy.names("plots").contains(Self.first + ".png"))
        for name in ["closest, k 3, autoencoder 4", "furthest, k 3, lenet5 84", "furthest, k 3, pixels"] {
            #expect(page.contains(name), "\(name)")
        }
        // If a study no longer has an embedding, its picture is removed.
        #expect(ReportPlan.kinds.contains { Self.first.hasPrefix($0) })
    }

    /// Reconstructions that were made and are gone or damaged are missed by name.
    @Test(
        arguments: [
            ("embedding.json", nil, "/embedding.json is gone"), ("originals.npy", nil, "/originals.npy is gone"),
            ("embedding.json", "{}", "/embedding.json was changed or damaged"),
            ("errors.npy", "not an array", "/errors.npy is damaged"),
            (
                "reconstructions.npy", "",
                "one of points.npy, originals.npy, reconstructions.npy, errors.npy in FOLDER is"
                    + " damaged: its checksum differs from that in embedding.json"
            ),
        ] as [(String, String?, String)])
    func damagedReconstructionsAreNamed(file: String, contents: String?, reason: String) async throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let folder = toy.directory + "/embeddings/mnist-autoencoder4-epochs10-seed1-0"
        let path = URL(fileURLWithPath: "\(folder)/\(file)")
        if contents == "" {
            var bytes = try Data(contentsOf: path)
            bytes[bytes.count - 4] ^= 1
            try bytes.write(to: path)
        } else if let contents {
            try Data(contents.utf8).write(to: path)
        } else {
            try FileManager.default.removeItem(at: path)
        }
        let (page, notices) = try await toy.report(gnuplot: false)
        let sentence =
            "The reconstructions by autoencoder 4 of mnist are not shown: "
            + (reason.hasPrefix("/") ? folder + reason : reason.replacing("FOLDER", with: folder))
            + "; restore the file from a backup"
        #expect(notices.contains(sentence), "\(notices)")
        #expect(page.contains("<p>\(sentence).</p>"))
        #expect(!page.contains("Reconstructions by autoencoder 4"))
    }

    @Test func reconstructionsThatAreNotMadeYetAreNotMissed() async throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        for name in ["runs.jsonl", "embeddings"] {
            try FileManager.default.removeItem(atPath: "\(toy.directory)/\(name)")
        }
        let (page, notices) = try await toy.report(gnuplot: false)
        #expect(page.contains("is not stored yet.") && !notices.contains { $0.contains("econstruction") })
    }

    /// Entries may have seeds of their own: each has a section and a picture, and is counted on its own.
    @Test func seedsAreToldApart() throws {
        let toy = try ToyStudy(
            """
            runs: 3
            pca_components: 4
            experiments:
              - {pruning_method: random, sizes: 20}
              - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: autoencoder}
              - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: autoencoder,
                 seed: 2, runs: 2}
            """, correct: ToyStudy.plausible)
        let sections = try EmbeddingSection.all(toy.stored())
        #expect(
            sections.map(\.name) == [
                "embedding-mnist-autoencoder-4-seed-1", "embedding-mnist-autoencoder-4-seed-2",
            ])
        #expect(sections.map(\.count) == [3, 2])
        #expect(sections.map { $0.contents(number: 1).title }.last == "Embedding of mnist: autoencoder 4, seed 2")
        #expect(sections[1].text.contains("trained for 10 epochs (one of 2). "))
    }

    /// Three images of 6 by 5 pixels, drawn nine times as large, above their reconstructions.
    @Test func thePictureHasOriginalsAboveReconstructions() throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let section = try #require(EmbeddingSection.all(toy.stored()).first)
        let image = try #require(section.image)
        #expect(image.width == 3 * (5 * 9 + 2) - 2 && image.height == 2 * (6 * 9 + 2) - 2 && image.channels == 1)
        func pixel(_ x: Int, _ y: Int) -> UInt8 { image.pixels[y * image.width + x] }
        #expect(
            [0, 47, 94].map { pixel($0, 0) } == [0, 64, 128] && [0, 47, 94].map { pixel($0, 56) } == [64, 64, 64])
        #expect(pixel(45, 0) == ClusterSheet.background && pixel(0, 54) == ClusterSheet.background)
    }

    @Test func tablesTellEmbeddingsApartWhereNetworksMakeThem() throws {
        let toy = try ToyStudy(Self.yaml, correct: ToyStudy.plausible)
        let table = try Table(StudyTables.summaryCSV(toy.stored().results))
        #expect(
            table.column("embedding") == ["", ""] + [
                "pixels", "pca", "autoencoder", "lenet5", "pixels", "pca", "autoencoder", "lenet5",
            ])
        #expect(table.column("embedding_size") == ["", ""] + ["", "4", "4", "84", "", "4", "4", "84"])
        #expect(table.column("embedding_epochs") == ["", ""] + ["", "", "10", "10", "", "", "10", "10"])
        #expect(
            table.column("apply_pca") == ["", ""] + [
                "False", "True", "False", "False", "False", "True", "False", "False",
            ])
        let plain = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        #expect(!StudyTables.summaryCSV(try plain.stored().results).contains("embedding"))
        #expect(!StudyTables.resultsCSV(try plain.stored().results).contains("embedding"))
    }

    @Test func dimensionsOfAnAutoencoderAreComparedAmongThemselves() throws {
        let results = try results(
            """
            runs: 12
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: 20}
              - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: autoencoder,
                 embedding_size: 2}
              - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: autoencoder,
                 embedding_size: 8}
              - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: [lenet5, pixels]}
              - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: pca,
                 embedding_size: 4}
            """
        ) { experiment, run in 9000 + run * 3 % 7 + (experiment == 4 ? 50 : 0) }
        let section = try #require(ReportSection.sections(of: results).first)
        let all = Sensitivity.all(section)
        #expect(all.map(\.setting) == [.d])
        #expect(all[0].series.map(\.name) == ["closest, autoencoder, 10 epochs", "closest"])
        #expect(all[0].series.map { $0.points.map(\.value.text) } == [["2", "8"], ["no PCA", "4"]])
        #expect(
            all[0].sentences.first?.contains("depends on the dimensions d of the embedding: of 2 comparisons") == true)
    }

    @Test func epochsThatAreNotTheUsualOnesAreTold() throws {
        let plan = try StudyPlan(
            StudyReader(file: "test.yaml").read(
                """
                experiments:
                  - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: lenet5}
                  - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: closest, embedding: lenet5,
                     embedding_epochs: 1}
                """), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        let names = CaseNames(plan)
        #expect(
            plan.experiments.map(names.name) == ["closest, k 3, lenet5 84", "closest, k 3, lenet5 84 (1 epoch)"])
    }
}
