import Foundation
import Studies
import TestSupport
import Testing

/// `coppice run` with a user's own autoencoder.
@Suite struct OwnEmbeddingCommandTests {
    private static let model = """
        name: mine
        layers: [flatten, linear: 12, tanh, linear: 5, linear: inputs]

        """
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
            embedding: [pca, models/mine.yaml]
            selection_strategies: [closest, furthest]

        """

    /// A study with its model and data in a folder.
    private func made() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        _ = try folder.file("study.yaml", Array(Self.yaml.utf8))
        _ = try folder.file("models/mine.yaml", Array(Self.model.utf8))
        try SyntheticData(train: 120, test: 30).write(to: folder / "data")
        return folder
    }

    private func run(_ folder: TemporaryFolder, out: String, _ more: String...) throws -> Outcome {
        try coppice(
            ["run", folder / "study.yaml", "--data", folder / "data", "--out", folder / out, "--device", "cpu"] + more)
    }

    private func rows(_ directory: String) throws -> [[Int]] {
        try StoredStudy(reading: directory).results.records.map { [$0.experimentID, $0.runID, $0.kept, $0.correct] }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    @Test func shardsAndResumingComeToTheSame() throws {
        let folder = try made()
        let dry = try run(folder, out: "out", "--dry-run", "--json")
        #expect(dry.status == 0, "\(dry.stderr)")
        let cases = try #require(try dry.json()["experiments"] as? [[String: Any]])
        #expect(cases.map { $0["embedding"] as? String } == ["pca", "mine", "pca", "mine"])
        #expect(cases.map { $0["name"] as? String }[1] == "closest, k 3, mine 5 (1 epoch)")
        let whole = try run(folder, out: "out", "--json")
        #expect(whole.status == 0, "\(whole.stderr)")
        let finished = try #require(try whole.json()["cases"] as? [[String: Any]])
        #expect(finished.map { $0["embedding"] as? String } == ["pca", "mine", "pca", "mine"])
        for shard in ["1/2", "2/2"] {
            let part = try run(folder, out: "parts", "--shard", shard)
            #expect(part.status == 0, "\(part.stderr)")
        }
        let expected = try rows(folder / "out")
        #expect(expected.count == 8)
        #expect(try rows(folder / "parts") == expected)
        let table = try String(contentsOfFile: folder / "out/results.csv", encoding: .utf8)
        #expect(table.split(separator: "\n").count { $0.contains(",mine,5,1,") } == 4, "\(table)")
        let page = try String(contentsOfFile: folder / "out/report.html", encoding: .utf8)
        #expect(page.contains("Reconstructions by mine 5 (1 epoch)"))
        #expect(try folder.names(in: "out/plots").contains("embedding-shapes-mine-5-1-epoch.png"))
        // A run that is lost comes out the same, by the embeddings that are kept.
        let log = folder / "out/runs.jsonl"
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        try Data((lines.dropLast(3).joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: log))
        let again = try run(folder, out: "out")
        #expect(again.status == 0 && !again.stderr.contains("fits the embedding"), "\(again.stderr)")
        #expect(try rows(folder / "out") == expected)
        // Other layers under the same name are another study.
        _ = try folder.file("models/mine.yaml", Array(Self.model.replacing("12", with: "13").utf8))
        let other = try run(folder, out: "out")
        #expect(other.status == 73 && other.stderr.contains("embedding is [pca, {name: mine"), "\(other.stderr)")
        #expect(try rows(folder / "out") == expected)
    }

    @Test(arguments: [
        ("linear: inputs", "linear: classes", "study.yaml:12:22: embedding: mine is a classifier"),
        (
            "linear: 12, tanh, linear: 5", "linear: 785",
            "embedding: the code of mine has 785 values, and its input only 784"
        ),
        ("name: mine", "name: pca", "study.yaml:12:22: the name of the model pca is that of the embedding pca"),
        ("flatten, ", "", "embedding: mine: layer 1 (linear) takes a vector, not 1x28x28"),
    ])
    func aModelThatCannotEmbedIsBadData(from: String, to: String, message: String) throws {
        let folder = try made()
        _ = try folder.file("models/mine.yaml", Array(Self.model.replacing(from, with: to).utf8))
        let outcome = try run(folder, out: "out", "--dry-run")
        #expect(outcome.status == 65, "\(outcome.stderr)")
        let complaint = outcome.complaints.last ?? ""
        #expect(complaint.contains(message) && complaint.contains("study.yaml:12:"), "\(outcome.stderr)")
        #expect(!FileManager.default.fileExists(atPath: folder / "out"))
    }
}
