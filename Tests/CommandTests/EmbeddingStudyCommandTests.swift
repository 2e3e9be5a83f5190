import Compute
import Datasets
import Foundation
import Studies
import TestSupport
import Testing

/// `coppice run` with samples that networks embed.
@Suite struct EmbeddingStudyCommandTests {
    private static let yaml = """
        dataset: shapes
        runs: 2
        steps: 2
        batch_size: 20
        model: linear
        pca_components: 6
        embedding_epochs: 1
        experiments:
          - pruning_method: cluster
            sizes: 60
            ks: 3
            embedding: [pca, autoencoder, lenet5]
            selection_strategies: [closest, furthest]
        """

    @Test func embedsClustersTrainsAndGoesOn() throws {
        let folder = try TemporaryFolder()
        let (file, data, out) = (folder / "study.yaml", folder / "data", folder / "out")
        try Self.yaml.write(toFile: file, atomically: true, encoding: .utf8)
        try SyntheticData().write(to: data)
        func run(_ more: String...) throws -> Outcome {
            try coppice(["run", file, "--data", data, "--out", out, "--device", "cpu"] + more)
        }
        let dry = try run("--dry-run")
        #expect(dry.status == 0, "\(dry.stderr)")
        #expect(dry.stdout.contains("and 1,200 for embeddings") && dry.stdout.contains("embeddings "), "\(dry.stdout)")
        let whole = try run()
        #expect(whole.status == 0, "\(whole.stderr)")
        let stored = try StoredStudy(reading: out)
        #expect(stored.results.records.count == 12)
        #expect(try folder.names(in: "out/embeddings").count == 4)
        #expect(try folder.names(in: "out/plots").contains("embedding-shapes-autoencoder-6-1-epoch.png"))
        let page = try String(contentsOfFile: out + "/report.html", encoding: .utf8)
        #expect(page.contains("Reconstructions by autoencoder 6 (1 epoch)"))
        // A run that is lost comes out the same, by the embeddings that are kept.
        let log = out + "/runs.jsonl"
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        try Data((lines.dropLast().joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: log))
        let again = try run()
        #expect(again.status == 0 && !again.stderr.contains("fits the embedding"))
        func rows(_ study: StoredStudy) -> [[Int]] {
            study.results.records.map { [$0.experimentID, $0.runID, $0.kept, $0.correct] }.sorted {
                $0.lexicographicallyPrecedes($1)
            }
        }
        #expect(try rows(StoredStudy(reading: out)) == rows(stored))
        #expect(try coppice("status", out).status == 0)
        // A part of the report that is gone is missed, and no more.
        let gone = out + "/embeddings/shapes-autoencoder6-epochs1-seed1-0/originals.npy"
        try FileManager.default.removeItem(atPath: gone)
        let report = try coppice("report", out, "--data", data)
        #expect(report.status == 0 && report.stderr.contains("\(gone) is gone"), "\(report.stderr)")
    }

    @Test(arguments: [
        ("[autoencoder, lenet5]", "pca_components: 785", "an autoencoder's code has from 1 to 255"),
        ("lenet5", "embedding_size: 64", "embedding_size is 64, and lenet5 gives 84 values"),
    ])
    func whatCannotBeEmbeddedIsBadData(embedding: String, line: String, message: String) throws {
        let folder = try TemporaryFolder()
        let yaml = Self.yaml.replacing("pca_components: 6", with: line)
            .replacing("[pca, autoencoder, lenet5]", with: embedding)
        try yaml.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        try SyntheticData().write(to: folder / "data")
        let outcome = try coppice(
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", "cpu")
        #expect(outcome.status == 65, "\(outcome.stderr)")
        #expect(outcome.complaints.last?.contains(message) == true, "\(outcome.stderr)")
        #expect(!FileManager.default.fileExists(atPath: folder / "out"))
    }
}
