import Datasets
import Foundation
import Testing
import TestSupport

@Suite struct ReportCommandTests {
    /// A finished study on synthetic images.
    private struct Place {
        let folder: TemporaryFolder
        let data: String
        let out: String

        init() throws {
            folder = try TemporaryFolder()
            data = folder / "data"
            out = folder / "out"
            try SyntheticData().write(to: data)
            let study = """
                dataset: shapes
                runs: 2
                epochs: 1
                pca_components: 4
                experiments:
                  - pruning_method: none
                  - {pruning_method: random, sizes: 60}
                  - {pruning_method: cluster, sizes: 60, ks: 5, use_pca: true, selection_strategies: furthest}
                """
            try study.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
            let outcome = try coppice(
                "run", folder / "study.yaml", "--data", data, "--out", out, "--device", "cpu", "--quiet")
            try #require(outcome.status == 0, "\(outcome.stderr)")
        }

        func page() throws -> String { try String(contentsOfFile: out + "/report.html", encoding: .utf8) }
    }

    @Test func aReportIsMadeAgain() throws {
        let place = try Place()
        try? FileManager.default.removeItem(atPath: place.out + "/results.csv")
        let outcome = try coppice("report", place.out, "--data", place.data)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout == place.out + "/report.html\n")
        let page = try place.page()
        #expect(page.contains("Clusters of shapes") && page.contains("<img "))
        #expect(try place.folder.names(in: "out").contains("results.csv"))
        #expect(outcome.stderr.isEmpty || outcome.stderr.contains("gnuplot"), "\(outcome.stderr)")
    }

    @Test func aFolderWithoutTheImagesIsRefused() throws {
        let place = try Place()
        let before = try place.page()
        for (folder, words) in [("none", "no such folder"), ("study.yaml", "no such folder"), ("out", "out")] {
            let outcome = try coppice("report", place.out, "--data", place.folder / folder, "--quiet")
            expectComplaint(outcome, code: 66, mentions: [place.folder / folder, words])
        }
        #expect(try place.page() == before)
    }

    @Test func withoutGnuplotOrImagesThePageSaysWhatIsMissing() throws {
        let place = try Place()
        let outcome = try coppice("report", place.out, environment: ["PATH": place.folder.path])
        #expect(outcome.status == 0)
        #expect(outcome.complaints.count { $0.contains("gnuplot-nox") } == 1, "\(outcome.stderr)")
        #expect(outcome.complaints.count { $0.contains("coppice report --data DIR") } == 1, "\(outcome.stderr)")
        let page = try place.page()
        #expect(!page.contains("<svg") && !page.contains("<img ") && page.contains("All cases"))
        let quiet = try coppice("report", place.out, "--quiet", environment: ["PATH": place.folder.path])
        #expect(quiet.status == 0 && quiet.stderr.isEmpty)
    }

    /// Rows of features whose ids name pictures, by a report that is told where these are.
    @Test func sheetsOfFeaturesShowWhatTheIdsName() throws {
        let folder = try TemporaryFolder()
        let count = 40
        try NumPy.write((0..<count * 3).map { Float($0 * $0 % 23) }, shape: [count, 3], to: folder / "x.npy")
        let words = (0..<count).map { $0 % 2 == 0 ? "even" : "odd" }.joined(separator: "\n")
        _ = try folder.file("y.txt", Array(words.utf8))
        let lines = (0..<count).map { "{\"path\": \"p/\($0).png\"}\n" }.joined()
        _ = try folder.file("ids.jsonl", Array(lines.utf8))
        for index in 0..<count {
            let pixels = [UInt8](repeating: UInt8(index), count: 4)
            _ = try folder.file("pictures/p/\(index).png", MadePNG.file(width: 2, height: 2, pixels: pixels))
        }
        let study = """
            dataset: {name: rows, features: x.npy, labels: y.txt, test_features: x.npy, test_labels: y.txt, ids: ids.jsonl}
            model: linear
            runs: 1
            epochs: 1
            experiments:
              - {pruning_method: cluster, sizes: 10, ks: 2, selection_strategies: furthest}
            """
        _ = try folder.file("study.yaml", Array(study.utf8))
        let out = folder / "out"
        let ran = try coppice("run", folder / "study.yaml", "--out", out, "--device", "cpu")
        #expect(ran.status == 0, "\(ran.stderr)")
        #expect(ran.complaints.count { $0.contains("ids of rows name cannot be shown") } == 1)
        func page() throws -> String { try String(contentsOfFile: out + "/report.html", encoding: .utf8) }
        let first = try page()
        #expect(first.contains("Clusters of rows") && !first.contains("<img ") && first.contains(".png</bdi>"))
        // Words of the labels are the names of classes.
        #expect(first.contains("<th scope=\"col\">even</th><th scope=\"col\">odd</th>"))
        let outcome = try coppice("report", out, "--data", folder / "pictures")
        #expect(outcome.status == 0 && !outcome.stderr.contains("pictures"), "\(outcome.stderr)")
        #expect(try page().contains("<img class=\"photos\""))
        let names = try folder.names(in: "out/plots").filter { $0.hasPrefix("cluster-rows-k2-") }
        #expect(!names.isEmpty && names.count { $0.hasSuffix(".csv") } == names.count { $0.hasSuffix(".png") })
    }

    @Test func whatIsNoStudyIsRefused() throws {
        let folder = try TemporaryFolder()
        expectComplaint(try coppice("report", folder / "none"), code: 66, mentions: [folder / "none"])
        expectComplaint(try coppice("report", folder.path), code: 66, mentions: ["study.yaml"])
    }

    @Test func aPlaceThatCannotBeWrittenIsNamed() throws {
        let place = try Place()
        try? FileManager.default.removeItem(atPath: place.out + "/plots")
        try "a file".write(toFile: place.out + "/plots", atomically: true, encoding: .utf8)
        expectComplaint(try coppice("report", place.out, "--quiet"), code: 73, mentions: ["plots"])
    }
}
