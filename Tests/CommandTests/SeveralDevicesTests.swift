import Foundation
import TestSupport
import Testing

/// Studies on two devices at once: a processor that PoCL shows twice.
@Suite(.enabled(if: hasTwoDevices, "PoCL does not show two devices here")) struct SeveralDevicesTests {
    private static let twice = ["POCL_DEVICES": "pthread pthread", "COPPICE_PROFILE": "cpu16"]

    /// The environment in which the OpenCL library misbehaves as `faults` says.
    private static func faulty(_ faults: String, stall: Double? = nil) -> [String: String] {
        let library = program.deletingLastPathComponent().appendingPathComponent("libFaultyOpenCL.so").path
        var environment = twice.merging(["COPPICE_OPENCL_LIBRARY": library, "FAULTY_OPENCL": faults]) { $1 }
        if let stall { environment["COPPICE_STALL_SECONDS"] = "\(stall)" }
        return environment
    }

    private struct Place {
        let folder: TemporaryFolder
        var out: String { folder / "out" }

        init() throws {
            folder = try TemporaryFolder()
            try """
            dataset: shapes
            runs: 5
            epochs: 2
            batch_size: 8
            pca_components: 4
            experiments:
              - {pruning_method: none}
              - {pruning_method: random, sizes: [8, 16]}
              - {pruning_method: cluster, sizes: 24, ks: 2, selection_strategies: [closest, furthest]}
            """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
            try SyntheticData(train: 40, test: 20, height: 8, width: 16).write(to: folder / "data")
        }

        func run(
            _ environment: [String: String] = SeveralDevicesTests.twice, device: String = "opencl-cpu",
            _ more: [String] = ["--devices", "2"], interrupting: String? = nil
        ) throws -> Outcome {
            try coppice(
                ["run", folder / "study.yaml", "--data", folder / "data", "--out", out, "--device", device] + more,
                environment: environment, interrupting: interrupting, limit: 120)
        }

        /// The rows of results.csv without times and replicas.
        func rows() throws -> [[String]] {
            try rowsWithoutTimes(of: text("results.csv"))
        }

        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: out + "/" + name)), as: UTF8.self)
        }
    }

    /// The rows of one device.
    private static func alone() throws -> [[String]] {
        let place = try Place()
        #expect(try place.run(twice, ["--quiet", "--no-report"]).status == 0)
        return try place.rows()
    }

    @Test(arguments: ["opencl-cpu", "opencl-cpu:all", "opencl-cpu:1,0"])
    func twoDevicesGiveTheRowsOfOne(device: String) throws {
        let place = try Place()
        let count = device.contains(":") ? [] : ["--devices", "2"]
        let outcome = try place.run(Self.twice, device: device, count + ["--replicas", "2"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try place.rows() == Self.alone())
        for words in ["device 1: ", "device 2: ", ", device 1", ", device 2"] {
            #expect(outcome.stderr.contains(words), "\(words): \(outcome.stderr)")
        }
        let status = try coppice("status", place.out)
        #expect(status.stdout.contains("\ndevice 1: ") && status.stdout.contains("\ndevice 2: "), "\(status.stdout)")
        let json = try coppice("status", place.out, "--json").json()
        let devices = try #require(json["devices"] as? [[String: Any]])
        #expect(devices.compactMap { $0["number"] as? Int } == [1, 2])
        #expect(devices.compactMap { $0["runs"] as? Int }.reduce(0, +) == 25)
        let page = try place.text("report.html")
        #expect(page.contains("2 x ") && page.contains("device 2, "))
        #expect(try place.text("environment.json").contains("\"devices\" : \"2\""))
    }

    @Test func theRunsOfADeviceThatIsLostGoToTheOther() throws {
        let place = try Place()
        let outcome = try place.run(Self.faulty("quit=300:-36"), ["--devices", "2", "--quiet", "--no-report"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.complaints.count == 1, "\(outcome.stderr)")
        let warning = try #require(outcome.complaints.first)
        #expect(
            warning.hasPrefix("warning: device ") && warning.hasSuffix("its runs go to the other device"), "\(warning)")
        #expect(try place.rows() == Self.alone())
    }

    /// After the last device is lost, the study ends as it does with one device, and can be continued.
    @Test func theLastLostDeviceEndsTheStudy() throws {
        let place = try Place()
        let outcome = try place.run(Self.faulty("lose=1500:-36"), ["--devices", "2", "--quiet", "--no-report"])
        #expect(outcome.status == 75, "\(outcome.stderr)")
        #expect(outcome.complaints.last?.contains("the device is lost") == true, "\(outcome.stderr)")
        #expect(try place.run(Self.twice, ["--devices", "2", "--quiet", "--no-report"]).status == 0)
        #expect(try place.rows() == Self.alone())
    }

    @Test func theRunsOfADeviceThatHangsGoToTheOther() throws {
        let place = try Place()
        // A device is given up after ten times as long.
        let outcome = try place.run(
            Self.faulty("hang=300;alone=1", stall: 0.5), ["--devices", "2", "--quiet", "--no-report"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(
            outcome.complaints.contains { $0.contains("no progress: the device has not ended") }, "\(outcome.stderr)")
        #expect(outcome.complaints.contains { $0.hasPrefix("warning: device ") && $0.contains("it did not end") })
        #expect(try place.rows() == Self.alone())
    }

    @Test func theLastHungDeviceEndsTheProgram() throws {
        let place = try Place()
        let outcome = try place.run(
            Self.faulty("hang=300", stall: 0.5), ["--devices", "2", "--quiet", "--no-report"])
        #expect(outcome.status == 75, "\(outcome.stderr)")
        #expect(outcome.complaints.last?.contains("gave up") == true, "\(outcome.stderr)")
    }

    @Test func anInterruptKeepsWhatIsFinished() throws {
        let place = try Place()
        let outcome = try place.run(Self.twice, ["--devices", "2", "--replicas", "1"], interrupting: "\n[3/")
        #expect(outcome.status == 130, "\(outcome.stderr)")
        #expect(try place.text("runs.jsonl").split(separator: "\n").count >= 3)
        #expect(try place.run().status == 0)
        #expect(try place.rows() == Self.alone())
    }

    @Test func aPlanCountsTheDevices() throws {
        let place = try Place()
        let outcome = try place.run(Self.twice, ["--devices", "2", "--dry-run"])
        #expect(outcome.status == 0 && outcome.stdout.contains("on 2 that are as fast, about "), "\(outcome.stdout)")
        let json = try place.run(Self.twice, ["--devices", "2", "--dry-run", "--json"]).json()
        #expect(json["devices"] as? Int == 2)
    }

    @Test func requestsThatCannotBeMetAreRefused() throws {
        let place = try Place()
        expectComplaint(
            try place.run(Self.twice, ["--devices", "3", "--quiet"]), code: 69, mentions: ["--devices 3 are too many"])
        expectComplaint(
            try place.run(Self.twice, device: "opencl-cpu:0,7", ["--quiet"]), code: 69,
            mentions: ["there is no number 7"])
        for (device, options) in [
            ("gpu", ["--devices", "0"]), ("gpu:x", []), ("cpu", ["--devices", "2"]), ("gpu", ["--mix-devices"]),
        ] {
            let outcome = try place.run(Self.twice, device: device, options)
            #expect(outcome.status == 64, "\(device) \(options): \(outcome.stderr)")
        }
        #expect(!FileManager.default.fileExists(atPath: place.out))
    }
}

/// True if PoCL shows its processor twice when asked to.
private let hasTwoDevices: Bool = {
    let environment = ["POCL_DEVICES": "pthread pthread"]
    guard let report = try? coppice("devices", "--json", environment: environment).json() else { return false }
    let platforms = report["platforms"] as? [[String: Any]] ?? []
    return platforms.flatMap { $0["devices"] as? [[String: Any]] ?? [] }.count { $0["kind"] as? String == "cpu" } == 2
}()
