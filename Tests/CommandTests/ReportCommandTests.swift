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
