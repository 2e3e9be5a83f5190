import Foundation
import Testing
import TestSupport

/// MNIST's folder, where $COPPICE_DATA has it.
private let mnist: String? = ProcessInfo.processInfo.environment["COPPICE_DATA"].map { $0 + "/mnist" }
    .flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }

/// The article's figures on its own data, through the program.
@Suite(.serialized, .enabled(if: mnist != nil, "needs MNIST in $COPPICE_DATA")) struct MNISTTests {
    private func run(_ study: String, _ more: String...) throws -> [[String: Any]] {
        let folder = try TemporaryFolder()
        try study.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let outcome = try coppice(
            ["run", folder / "study.yaml", "--data", try #require(mnist), "--out", folder / "out", "--quiet", "--json"]
                + more, limit: 1200)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        return try #require(try outcome.json()["cases"] as? [[String: Any]])
    }

    private func number(_ entry: [String: Any], _ key: String) throws -> Double {
        try #require(entry[key] as? Double ?? (entry[key] as? Int).map(Double.init))
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func halfByFurthestIsAsGoodAsTheWhole() throws {
        let cases = try run(
            """
            experiments:
              - pruning_method: none
              - pruning_method: cluster
                sizes: 30000
                ks: 50
                use_pca: true
                selection_strategies: furthest
            """)
        let whole = try number(cases[0], "median_accuracy")
        #expect(whole >= 98.5 && whole <= 99.2, "the median of five runs on the whole set is \(whole)")
        let half = try number(cases[1], "median_accuracy")
        #expect(abs(half - whole) <= 0.25, "furthest k 50 at 30,000 is at \(half), the whole set at \(whole)")
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func openCLAndTheBuiltInPathAgree() throws {
        let study = """
            runs: 3
            experiments:
              - pruning_method: cluster
                sizes: 6000
                ks: 50
                use_pca: true
                kmeans: lloyd
                selection_strategies: [random, furthest]
            """
        let builtIn = try run(study, "--device", "cpu")
        let openCL = try run(study, "--device", "opencl-cpu")
        for (ours, theirs) in zip(builtIn, openCL) {
            let difference = try number(ours, "mean") - number(theirs, "mean")
            #expect(abs(difference) <= 0.3, "\(ours["name"] ?? ""): the paths are \(difference) points apart")
        }
    }
}
