import Foundation
import Testing
import TestSupport

@Suite struct DeviceCommandTests {
    /// A folder without implementations: the loader finds no platform.
    private func withoutPlatforms(_ folder: TemporaryFolder) -> [String: String] { ["OCL_ICD_VENDORS": folder.path] }

    @Test func devicesListsWhatAutoTakes() throws {
        let outcome = try coppice("devices", "--json")
        #expect(outcome.status == 0)
        let report = try outcome.json()
        let automatic = try #require(report["automatic"] as? [String: Any])
        #expect((automatic["reason"] as? String)?.hasPrefix("auto takes") == true)
        let platforms = try #require(report["platforms"] as? [[String: Any]])
        let devices = platforms.flatMap { $0["devices"] as? [[String: Any]] ?? [] }
        let chosen = devices.filter { $0["automatic"] as? Bool == true }
        let builtIn = try #require(report["builtin"] as? [String: Any])
        #expect(chosen.count + (builtIn["automatic"] as? Bool == true ? 1 : 0) == 1)
        if let device = chosen.first { #expect(device["name"] as? String == automatic["name"] as? String) }
        #expect(try coppice("devices").stdout.contains(try #require(automatic["name"] as? String)))
    }

    @Test func devicesSaysWhyThereAreNone() throws {
        let hidden = try coppice("devices", environment: ["COPPICE_OPENCL_LIBRARY": "none"])
        #expect(hidden.status == 0)
        #expect(hidden.stdout.contains("COPPICE_OPENCL_LIBRARY=none"))
        #expect(hidden.stdout.contains("* built-in CPU path"))
        let folder = try TemporaryFolder()
        let none = try coppice("devices", "--json", environment: withoutPlatforms(folder)).json()
        #expect((none["problem"] as? String)?.isEmpty == false)
        #expect((none["builtin"] as? [String: Any])?["automatic"] as? Bool == true)
    }

    @Test func autoTakesTheBuiltInPathWithoutOpenCLAndSaysSo() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 16, test: 8).write(to: folder / "data")
        let empty = try TemporaryFolder()
        for environment in [["COPPICE_OPENCL_LIBRARY": "none"], withoutPlatforms(empty)] {
            let outcome = try coppice(
                "train", "--data", folder / "data", "--epochs", "1", "--json", environment: environment)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(outcome.complaints.filter { $0.contains("built-in CPU path: auto takes") }.count == 1)
            let device = try #require(try outcome.json()["device"] as? [String: Any])
            #expect(device["backend"] as? String == "cpu")
        }
    }

    @Test(arguments: [
        ("nonsense", "no device or platform has 'nonsense'"), ("gpu", "there is no GPU"),
        ("opencl-cpu", "there is no OpenCL CPU"), ("", "the name of the device is empty"),
    ])
    func refusesADeviceThatIsNotThere(spec: String, words: String) throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 16, test: 8).write(to: folder / "data")
        let arguments = ["train", "--data", folder / "data", "--epochs", "1", "--quiet", "--device", spec]
        let hidden = try coppice(arguments, environment: ["COPPICE_OPENCL_LIBRARY": "none"])
        expectComplaint(hidden, code: 69, mentions: [words])
        let empty = try TemporaryFolder()
        expectComplaint(
            try coppice(arguments, environment: withoutPlatforms(empty)), code: 69,
            mentions: [words])
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func benchTimesAgainstTheDevicesLimits() throws {
        let outcome = try coppice("bench", "--kernel", "classifier_step", "--quiet", "--json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try outcome.json()
        let limits = try #require(report["limits"] as? [String: Any])
        let (gflops, gbs) = (
            try #require(limits["gflops"] as? Double), try #require(limits["gbs"] as? Double)
        )
        #expect(gflops > 0 && gbs > 0)
        let launch = try #require(limits["launch_us"] as? Double)
        let roundTrip = try #require(limits["round_trip_us"] as? Double)
        #expect(launch > 0 && launch < 10_000 && roundTrip > 0 && roundTrip < 100_000)
        let cases = try #require(report["cases"] as? [[String: Any]])
        // LeNet-5, lenet5-wide4 and, last, LeNet-5 with sample weights.
        #expect(cases.count == 4)
        for entry in cases {
            #expect(
                Set(entry.keys) == ["kernel", "case", "launches", "seconds", "gflops", "gbs", "share", "replicas"])
            #expect(entry["replicas"] as? Int == 5)
            #expect(entry["launches"] as? Int == 1)
            let share = try #require(entry["share"] as? Double)
            let mine = max(
                try #require(entry["gflops"] as? Double) / gflops, try #require(entry["gbs"] as? Double) / gbs)
            #expect(share > 0 && abs(share - mine) < 1e-9)
        }
        // Two passes over 58,920 weights and 2,060 operations more, for 5 networks and 64 samples.
        let seconds = try #require(cases[0]["seconds"] as? Double)
        #expect(abs(try #require(cases[0]["gflops"] as? Double) * seconds * 1e9 - 76_076_800) < 1)
        let text = try coppice("bench", "--kernel", "classifier_step", "--quiet").stdout
        #expect(text.hasPrefix("limits: ") && text.contains("\nlaunch: "), "\(text)")
        #expect(text.contains("loss and gradients, 5 networks"))
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func benchRunsEveryKernelAndStage() throws {
        let outcome = try coppice("bench", "--quiet", "--json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try outcome.json()
        let cases = try #require(report["cases"] as? [[String: Any]])
        #expect(Set(cases.compactMap { $0["kernel"] as? String }).count >= 15)
        // Ten of LeNet-5, 21 of layered networks, one of SGD and two of sample statistics; six of lenet5-wide4, nine of
        // other layers and two of weighted losses; each with as many networks as the stage.
        #expect(cases.compactMap { $0["replicas"] as? Int } == Array(repeating: 5, count: 51))
        let stages = try #require(report["stages"] as? [[String: Any]])
        #expect(Set(stages.compactMap { $0["stage"] as? String }).count == 6)
        for stage in stages { #expect(try #require(stage["seconds"] as? Double) > 0) }
        // A step and an epoch, of one network and of as many as suit the device.
        let training = stages.filter { $0["stage"] as? String == "training" }
        #expect(training.compactMap { $0["replicas"] as? Int } == [1, 1, 5, 5])
    }

    @Test func benchNamesTheNearestKernel() throws {
        expectComplaint(
            try coppice("bench", "--quiet", "--kernel", "classifier_steps"), code: 64,
            mentions: ["the nearest is classifier_step"])
    }
}

/// Whether `auto` finds an OpenCL device here.
let hasOpenCL: Bool = {
    guard let outcome = try? coppice("devices", "--json"), let report = try? outcome.json() else { return false }
    return (report["builtin"] as? [String: Any])?["automatic"] as? Bool == false
}()

/// Whether PoCL is among the platforms.
let hasPoCL: Bool = (try? coppice("devices"))?.stdout.contains("Portable Computing Language") ?? false
