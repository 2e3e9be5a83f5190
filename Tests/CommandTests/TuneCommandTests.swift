import Foundation
import Testing
import TestSupport

@Suite struct TuneCommandTests {
    private func isTuned(_ environment: [String: String]) throws -> Bool {
        let platforms = try #require(
            try coppice("devices", "--json", environment: environment).json()["platforms"] as? [[String: Any]])
        let devices = platforms.flatMap { $0["devices"] as? [[String: Any]] ?? [] }
        return devices.contains { $0["tuned"] as? Bool == true }
    }

    @Test func thereIsNothingToTuneWithoutADevice() throws {
        expectComplaint(
            try coppice("tune", "--device", "cpu", "--quiet"), code: 69, mentions: ["no OpenCL device to tune"])
    }

    /// Tuned sizes are kept, used, said, and forgotten again.
    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func whatIsTunedIsKeptAndForgotten() throws {
        let folder = try TemporaryFolder()
        let environment = ["COPPICE_CACHE": folder / "cache"]
        #expect(try !isTuned(environment))
        let report = try coppice("tune", "--quiet", "--json", environment: environment).json()
        let trials = try #require(report["trials"] as? [[String: Any]])
        let verdicts = trials.compactMap { $0["verdict"] as? String }
        #expect(
            trials.filter { $0["verdict"] as? String == "default" }.compactMap { $0["tunable"] as? String } == [
                "point_block", "projected_columns", "covariance_block", "forward_channels", "backward_block",
                "weight_gradient_channels", "classifier_block", "gradient_rows", "convolution_block",
                "kernel_gradient_block",
            ])
        // The order of no sum changes, so that nothing may be rejected.
        #expect(!verdicts.contains("rejected") && !verdicts.contains("failed"), "\(trials)")
        let tuned = try #require(report["tuned"] as? [String: [Int]])
        for trial in trials where trial["verdict"] as? String == "kept" {
            #expect(tuned[trial["tunable"] as? String ?? ""] == trial["sizes"] as? [Int])
        }
        #expect(tuned.count == verdicts.count { $0 == "kept" })
        #expect(try isTuned(environment))
        #expect(
            try coppice("devices", environment: environment).stdout.contains("with the block sizes of `coppice tune`"))
        let verified = try coppice("verify", "--kernel", "kmeans_assign", "--tiny", "--quiet", environment: environment)
        #expect(verified.status == 0, "\(verified.stdout)")
        #expect(try coppice("tune", "--forget", "--quiet", environment: environment).stdout.hasPrefix("forgotten"))
        #expect(try !isTuned(environment))
        #expect(
            try coppice("tune", "--forget", "--quiet", environment: environment).stdout.hasPrefix("nothing was kept"))
    }

    /// A kernel that looks at all panels ten times where R is the default's, and elsewhere at the first one only: far
    /// faster with every other R, and wrong where there are more panels.
    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func whatGivesOtherBitsIsRejected() throws {
        let folder = try TemporaryFolder()
        let kernels = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Kernels").standardizedFileURL
        try FileManager.default.copyItem(atPath: kernels.path, toPath: folder / "Kernels")
        let file = URL(fileURLWithPath: folder / "Kernels/kmeans_assign.cl")
        let text = try String(contentsOf: file, encoding: .utf8)
        let loop = "for (; panel < panel_count; panel++) {"
        #expect(text.contains(loop))
        let again = "for (int again = 0; again < (R == 10 ? 10 : 1); again++) "
        let first = "for (panel = 0; panel < (R == 10 ? panel_count : 1); panel++) {"
        // The coarse search, where there is one, would leave that loop to few work-items.
        let search = "#ifdef SEARCHES_COARSELY"
        #expect(text.contains(search))
        try text.replacing(loop, with: again + first).replacing(search, with: "#if 0")
            .write(to: file, atomically: true, encoding: .utf8)
        let environment = [
            "COPPICE_CACHE": folder / "cache", "COPPICE_KERNELS": folder / "Kernels", "COPPICE_PROFILE": "cpu16",
        ]
        let report = try coppice("tune", "--quiet", "--json", environment: environment).json()
        let trials = try #require(report["trials"] as? [[String: Any]]).filter {
            $0["tunable"] as? String == "point_block"
        }
        let others = trials.filter { ($0["sizes"] as? [Int])?.last != 10 }
        #expect(others.count >= 4)
        let rejected = others.filter { $0["verdict"] as? String == "rejected" }
        #expect(!rejected.isEmpty && others.allSatisfy { ["slower", "rejected"].contains($0["verdict"] as? String) })
        for trial in rejected { #expect((trial["reason"] as? String)?.hasPrefix("kmeans_assign, ") == true) }
        let kept = (report["tuned"] as? [String: [Int]])?["point_block"]
        #expect(kept == nil || kept?.last == 10)
        // What was found with these kernels is not for others.
        #expect(try !isTuned(["COPPICE_CACHE": folder / "cache"]))
    }
}
