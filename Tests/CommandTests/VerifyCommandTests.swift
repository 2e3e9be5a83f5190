import Compute
import Foundation
import Testing
import TestSupport

@Suite struct VerifyCommandTests {
    @Test func verifyRefusesTheBuiltInPath() throws {
        expectComplaint(try coppice("verify", "--device", "cpu", "--quiet"), code: 69, mentions: ["no OpenCL device"])
        expectComplaint(
            try coppice("verify", "--quiet", environment: ["COPPICE_OPENCL_LIBRARY": "none"]), code: 69,
            mentions: ["no OpenCL device"])
    }

    @Test func verifyNamesTheNearestKernel() throws {
        expectComplaint(
            try coppice("verify", "--quiet", "--kernel", "fil"), code: 64, mentions: ["fil", "the nearest is fill"])
    }

    @Test func verifyNamesTheNearestCaseAndTheProfiles() throws {
        expectComplaint(
            try coppice("verify", "--quiet", "--kernel", "fill", "--case", "Float x 3"), code: 64,
            mentions: ["'Float x 3'", "the nearest is Float x "])
        expectComplaint(
            try coppice("verify", "--quiet", "--profile", "tpu"), code: 64,
            mentions: ["--profile is 'tpu'", "cpu16, cpu8, cpu4, gpu"])
        expectComplaint(
            try coppice("verify", "--quiet", environment: ["COPPICE_PROFILE": "tpu"]), code: 64,
            mentions: ["COPPICE_PROFILE is 'tpu'"])
        let both = try coppice("verify", "--quick", "--tiny")
        #expect(both.status == 64 && both.stderr.contains("--quick and --tiny exclude each other"))
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func aLineForEveryCaseAndOneForEveryKernelAndProfile() throws {
        let text = try coppice("verify", "--kernel", "fill", "--quiet", "--verbose")
        #expect(text.status == 0, "\(text.stderr)")
        let lines = text.stdout.split(separator: "\n").map(String.init)
        // A device's own profile is none of the twins, which take the quick cases.
        let twins = [["cpu16", "cpu8"], ["gpu", "gpu64"]]
        var counts: [String: Int] = [:]
        for profile in DeviceProfile.all.map(\.name) {
            let count = lines.filter { $0.hasPrefix("right  fill as \(profile): ") }.count
            let summary = lines.filter { $0.hasPrefix("right  fill  ") && $0.contains("  \(profile) ") }
            #expect(summary.count == 1 && summary[0].contains("\(count) cases, largest error 0.0e+00, its bound"))
            counts[profile] = count
        }
        #expect(counts["cpu4"] == 25, "\(counts)")
        for pair in twins { #expect(pair.compactMap { counts[$0] }.sorted() == [10, 25], "\(counts)") }
        #expect(lines.last == "95 of 95 cases are right")
        #expect(try coppice("verify", "--kernel", "fill", "--quiet").stdout.split(separator: "\n").count == 6)
        let two = try coppice("verify", "--kernel", "fill", "--kernel", "copy", "--quiet", "--quick")
        #expect(two.stdout.split(separator: "\n").count == 2 * 3 + 1, "\(two.stdout)")
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func anEntryForEveryCaseInTheProfilesThatWereNamed() throws {
        let report = try coppice(
            "verify", "--kernel", "fill", "--quiet", "--json", "--profile", "gpu", "--profile", "cpu4", "--tiny"
        ).json()
        #expect(report["profiles"] as? [String] == ["gpu", "cpu4"])
        let cases = try #require(report["cases"] as? [[String: Any]])
        #expect(cases.count == 2 * 3)
        for entry in cases {
            #expect(Set(entry.keys) == ["kernel", "profile", "case", "error", "bound", "verdict", "message"])
        }
        let kernels = try #require(report["kernels"] as? [[String: Any]])
        #expect(kernels.map { $0["profile"] as? String } == ["gpu", "cpu4"])
        #expect(kernels.allSatisfy { $0["verdict"] as? String == "right" && $0["cases"] as? Int == 3 })
        #expect((report["device"] as? [String: Any])?["backend"] as? String == "opencl")
        let forced = try coppice(
            "verify", "--kernel", "fill", "--quiet", "--json", "--quick", environment: ["COPPICE_PROFILE": "cpu8"]
        ).json()
        #expect(forced["profiles"] as? [String] == ["cpu8"])
    }

    /// A kernel that is changed by one sign, in a copy of the folder: verify says so, and what it says runs the case.
    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func aWrongCaseIsSaidWithTheCommandThatRepeatsIt() throws {
        let folder = try TemporaryFolder()
        let kernels = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Kernels").standardizedFileURL
        try FileManager.default.copyItem(atPath: kernels.path, toPath: folder / "Kernels")
        let changed = URL(fileURLWithPath: folder / "Kernels/adam_step.cl")
        let text = try String(contentsOf: changed, encoding: .utf8)
        #expect(text.contains("(gradient - m)"))
        try text.replacing("(gradient - m)", with: "(gradient + m)").write(
            to: changed, atomically: true, encoding: .utf8)
        let environment = ["COPPICE_KERNELS": folder / "Kernels"]
        let outcome = try coppice(
            "verify", "--kernel", "adam_step", "--quiet", "--profile", "gpu", "--fail-fast", environment: environment)
        #expect(outcome.status == 1)
        let lines = outcome.stdout.split(separator: "\n").map(String.init)
        #expect(lines.first?.hasPrefix("wrong  adam_step as gpu: ") == true)
        let marker = "  alone: coppice "
        let alone = try #require(lines.first { $0.hasPrefix(marker) }).dropFirst(marker.count)
        let words = try shellWords(String(alone))
        #expect(words.contains("--case"))
        let again = try coppice(words + ["--quiet", "--json"], environment: environment)
        #expect(again.status == 1)
        let cases = try #require(try again.json()["cases"] as? [[String: Any]])
        #expect(cases.count == 1 && cases[0]["verdict"] as? String == "wrong")
        #expect(lines[0].contains(try #require(cases[0]["case"] as? String)))
        // Without the change it is right.
        #expect(try coppice(words + ["--quiet"]).status == 0)
    }

    /// Whoever gave it only so much time learns what was found in it.
    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"), arguments: endingSignals)
    func anInterruptedVerifySaysWhatItFound(signal: Int32) throws {
        // The first line of progress comes after five seconds.
        let outcome = try coppice(["verify", "--json"], interrupting: "verifying", by: signal)
        #expect(outcome.status == 130 && outcome.stderr.contains("interrupted after"), "\(outcome.stderr)")
        let cases = try #require(try outcome.json()["cases"] as? [[String: Any]])
        #expect(!cases.isEmpty && cases.allSatisfy { $0["verdict"] as? String == "right" })
    }

    /// `line` as a shell takes it apart.
    private func shellWords(_ line: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "printf '%s\\n' \(line)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
