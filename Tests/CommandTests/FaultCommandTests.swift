import Datasets
import Foundation
import Testing
import TestSupport

/// Broken drivers, devices and caches through the program itself, by the doubles that stand beside it.
@Suite struct FaultCommandTests {
    private static let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// An environment in which the OpenCL library misbehaves as `faults` says.
    private static func faulty(_ faults: String, stall: Double? = nil, cache: String? = nil) -> [String: String] {
        // The profile fixes how much memory and how many calls there are, whatever the host.
        var environment = [
            "COPPICE_OPENCL_LIBRARY": beside + "/libFaultyOpenCL.so", "FAULTY_OPENCL": faults,
            "COPPICE_PROFILE": "cpu16",
        ]
        if let stall { environment["COPPICE_STALL_SECONDS"] = "\(stall)" }
        if let cache { environment["COPPICE_CACHE"] = cache }
        return environment
    }

    /// A small study, its data, and where its results go.
    private struct Place {
        let folder: TemporaryFolder
        var out: String { folder / "out" }

        init() throws {
            folder = try TemporaryFolder()
            try """
            dataset: shapes
            runs: 2
            steps: 2
            batch_size: 8
            pca_components: 4
            kmeans: lloyd
            experiments:
              - pruning_method: random
                sizes: [8, 16]
              - pruning_method: cluster
                sizes: 24
                ks: 2
                selection_strategies: closest
            """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
            try SyntheticData(train: 40, test: 20, height: 8, width: 16).write(to: folder / "data")
        }

        func run(
            _ environment: [String: String], device: String = "opencl-cpu", _ more: [String] = [],
            interrupting: String? = nil
        ) throws -> Outcome {
            try coppice(
                ["run", folder / "study.yaml", "--data", folder / "data", "--out", out, "--device", device] + more,
                environment: environment, interrupting: interrupting, limit: 120)
        }

        /// Each row's experiment, run and accuracy.
        func rows() throws -> [String] {
            let lines = String(
                decoding: try Data(contentsOf: URL(fileURLWithPath: out + "/results.csv")), as: UTF8.self
            )
            .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            let columns = try ["experiment_id", "run_id", "accuracy"].map { name in
                try #require(lines.first?.firstIndex { $0 == name })
            }
            return lines.dropFirst().map { fields in columns.map { String(fields[$0]) }.joined(separator: ",") }
        }

        func finished() -> Int {
            let log = FileManager.default.contents(atPath: out + "/runs.jsonl") ?? Data()
            return log.count { $0 == UInt8(ascii: "\n") }
        }
    }

    /// The rows of an undisturbed study.
    private static func undisturbed() throws -> [String] {
        let place = try Place()
        #expect(try place.run(faulty(""), ["--quiet"]).status == 0)
        let rows = try place.rows()
        #expect(rows.count == 6)
        return rows
    }

    private func line(_ outcome: Outcome, with words: String) -> [String] {
        outcome.complaints.filter { $0.contains(words) }
    }

    // Hanging.

    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func aHungKernelIsNamedAndGivenUp() throws {
        let place = try Place()
        let outcome = try place.run(Self.faulty("hang=120", stall: 1), ["--quiet"])
        #expect(outcome.status == 75, "\(outcome.stderr)")
        // A busy host may be slow before, which is said too, and taken back.
        let last = outcome.complaints.suffix(2)
        #expect(last.count == 2 && last.allSatisfy { $0.contains("clEnqueueNDRangeKernel") }, "\(outcome.stderr)")
        #expect(last.first?.contains("no progress: the device has not ended") == true, "\(outcome.stderr)")
        #expect(last.last?.contains("gave up") == true, "\(outcome.stderr)")
        #expect(try place.run(Self.faulty(""), ["--quiet"]).status == 0)
        #expect(try place.rows() == Self.undisturbed())
    }

    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func aHungProgramEndsAtTheFirstInterrupt() throws {
        let place = try Place()
        let outcome = try place.run(
            Self.faulty("hang=120", stall: 1), ["--quiet"], interrupting: "no progress")
        #expect(outcome.status == 130, "\(outcome.stderr)")
        #expect(outcome.secondsAfterInterrupt < 3)
        #expect(outcome.complaints.last?.hasPrefix("coppice: interrupted while the device did not answer") == true)
    }

    /// Testing weights asks to hear of no signal: there is nothing to keep.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"), arguments: endingSignals)
    func aCommandThatKeepsNothingEndsWith130(signal: Int32) throws {
        let place = try Place()
        let (data, weights) = (place.folder / "data", place.folder / "w.safetensors")
        #expect(
            try coppice("train", "--data", data, "--device", "cpu", "--epochs", "0", "--save", weights).status == 0)
        let outcome = try coppice(
            ["evaluate", "--data", data, "--weights", weights, "--device", "opencl-cpu"],
            environment: Self.faulty("hang=10", stall: 1), interrupting: "no progress", by: signal, limit: 60)
        #expect(outcome.status == 130, "\(outcome.stderr)")
        #expect(outcome.stdout.isEmpty && outcome.secondsAfterInterrupt < 3)
    }

    /// One command that takes long is said, and said to be over; many commands that take long together are nothing.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func slowIsNotHung() throws {
        let place = try Place()
        // Early enough for the watch to look again before all is done.
        let outcome = try place.run(Self.faulty("slow=70:2500", stall: 1), ["--quiet"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.complaints.count == 2 && outcome.complaints.last?.contains("after all; going on") == true)
        #expect(try place.rows() == Self.undisturbed())
        let steady = try Place()
        let slow = try steady.run(Self.faulty("pace=10", stall: 1), ["--quiet"])
        #expect(slow.status == 0 && slow.stderr.isEmpty, "\(slow.stderr)")
    }

    @Test func refusesAStallTimeThatIsNone() throws {
        for setting in ["soon", "-1", "inf", "nan"] {
            expectComplaint(
                try coppice("devices", environment: ["COPPICE_STALL_SECONDS": setting]), code: 64,
                mentions: ["COPPICE_STALL_SECONDS is '\(setting)'", "seconds are accepted"])
        }
        #expect(try coppice("run", "--help").stdout.contains("COPPICE_STALL_SECONDS"))
    }

    // Losing the device, and its memory.

    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func aLostDeviceKeepsWhatIsDone() throws {
        let place = try Place()
        // One network at a time, so that some are finished.
        let lost = try place.run(Self.faulty("lose=2200:-2"), ["--replicas", "1", "--quiet"])
        expectComplaint(
            lost, code: 75,
            mentions: ["the device is lost", "CL_DEVICE_NOT_AVAILABLE", "\(place.finished()) of 6 runs", "--device"])
        #expect((1..<6).contains(place.finished()), "\(place.finished())")
        let rest = try place.run(Self.faulty(""))
        #expect(rest.status == 0, "\(rest.stderr)")
        #expect(try place.rows() == Self.undisturbed())
        // On another device as well, which is said.
        let other = try Place()
        #expect(try other.run(Self.faulty("lose=2200:-36"), ["--replicas", "1", "--quiet"]).status == 75)
        let elsewhere = try other.run([:], device: "cpu")
        #expect(elsewhere.status == 0 && line(elsewhere, with: "earlier runs were made on").count == 1)
        #expect(try other.rows().count == 6)
    }

    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"), arguments: ["room", "lazy"])
    func fewerNetworksTrainWhereMemoryIsShort(kind: String) throws {
        let place = try Place()
        // Room for the data and one network.
        let outcome = try place.run(Self.faulty("\(kind)=2700000"), ["--replicas", "2"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(line(outcome, with: "going on with 1 at once").count == 1, "\(outcome.stderr)")
        #expect(try place.rows() == Self.undisturbed())
        let none = try Place()
        expectComplaint(
            try none.run(Self.faulty("\(kind)=600000"), ["--replicas", "1", "--quiet"]), code: 69,
            mentions: ["has no room for", "0 of 6 runs are finished and kept"])
    }

    /// What was listed and is not there any more is said by name; auto goes on without it, and says so.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func aDeviceMayVanishBetweenListingAndUse() throws {
        let folder = try TemporaryFolder()
        let environment = Self.faulty("gone=1")
        #expect(try coppice("devices", environment: environment).status == 0)
        expectComplaint(
            try train(folder, device: "opencl-cpu", environment: environment), code: 69,
            mentions: ["clCreateContext", "CL_DEVICE_NOT_AVAILABLE"])
        let verify = try coppice("verify", "--device", "opencl-cpu", "--quiet", "--quick", environment: environment)
        expectComplaint(verify, code: 69, mentions: ["CL_DEVICE_NOT_AVAILABLE"])
        let other = try coppice(
            "train", "--data", folder / "data", "--epochs", "1", environment: environment)
        #expect(other.status == 0 && line(other, with: "built-in CPU path").count == 1, "\(other.stderr)")
        #expect(line(other, with: "CL_DEVICE_NOT_AVAILABLE").count == 1, "\(other.stderr)")
    }

    /// A driver may end a process by a signal, or with a status that says nothing: what did not run is not right, and the
    /// rest runs in another process.
    @Test(
        .enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"),
        arguments: [
            ("exit=8", "its process ended with status 1; "),
            ("crash=8", "signal 9 (Killed) in the driver ended the process; "),
        ])
    func casesThatDidNotRunAreNotRight(_ fault: String, _ reason: String) throws {
        var environment = Self.faulty(fault)
        environment["COPPICE_PROFILE"] = nil
        let outcome = try coppice(
            "verify", "--device", "opencl-cpu", "--quiet", "--tiny", "--kernel", "points_pack", "--jobs", "1",
            environment: environment)
        #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome.stderr)")
        #expect(outcome.complaints.first?.contains("cases are wrong on") == true, "\(outcome.stderr)")
        let ends = outcome.stdout.split(separator: "\n").filter { $0.contains(": \(reason)the cases after it") }
        #expect(ends.count == 3 && ends.allSatisfy { $0.hasPrefix("failed  points_pack as ") }, "\(outcome.stdout)")
    }

    /// A device that does not answer is given up once, not once a kernel.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func verifyGivesAHungDeviceUpOnce() throws {
        var environment = Self.faulty("hang=8", stall: 0.2)
        environment["COPPICE_PROFILE"] = nil
        let outcome = try coppice(
            "verify", "--device", "opencl-cpu", "--quiet", "--tiny", "--kernel", "points_pack", "--jobs", "1",
            environment: environment)
        #expect(outcome.status == 75, "\(outcome.stderr)")
        #expect(line(outcome, with: "gave up").count == 1, "\(outcome.stderr)")
        #expect(outcome.stdout.contains("failed  points_pack as ") && outcome.stdout.contains("did not answer until"))
    }

    /// A profile whose work-groups or memory a device lacks is refused with the limit; by itself it takes another one.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func aProfileThatADeviceCannotRunIsRefusedWithTheLimit() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 16, test: 8, height: 8, width: 16).write(to: folder / "data")
        func train(_ faults: String, _ more: [String]) throws -> Outcome {
            var environment = Self.faulty(faults)
            environment["COPPICE_PROFILE"] = ""
            return try coppice(
                ["train", "--data", folder / "data", "--epochs", "1", "--device", "Portable"] + more,
                environment: environment)
        }
        expectComplaint(
            try train("group=128", ["--profile", "gpu"]), code: 69,
            mentions: ["profile gpu needs work-groups of 256 work-items", "runs at most 128"])
        expectComplaint(
            try train("local=16384", ["--profile", "cpu8"]), code: 69,
            mentions: ["profile cpu8 needs 32768 bytes of local memory", "has 16384"])
        expectComplaint(try train("", ["--profile", "tpu"]), code: 64, mentions: ["--profile is 'tpu'", "gpu64"])
        // A GPU whose work-groups are small, down to a single work-item.
        for group in [128, 32, 16, 1] {
            let outcome = try train("type=gpu;group=\(group)", ["--quiet"])
            #expect(outcome.status == 0, "\(group): \(outcome.stderr)")
        }
    }

    // Drivers.

    /// A folder of vendor files, each with one line.
    private static func vendors(_ files: [String: String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, text) in files {
            try (text + "\n").write(toFile: folder / name, atomically: true, encoding: .utf8)
        }
        return folder
    }

    private static let badDrivers: [(file: String, behaviour: String)] = [
        ("/no/such/driver.so", ""), ("libm.so.6", ""), ("/dev/null", ""),
        (beside + "/libBadDriver.so", "error"), (beside + "/libBadDriver.so", "none"),
        (beside + "/libBadDriver.so", "null"), (beside + "/libBadDriver.so", "devices"),
        (beside + "/libBadDriver.so", "refuses"), (beside + "/libBadDriver.so", "nameless"),
        (beside + "/libBadDriver.so", "sizes"),
    ]

    private func train(_ folder: TemporaryFolder, device: String, environment: [String: String]) throws -> Outcome {
        try SyntheticData(train: 16, test: 8, height: 8, width: 16).write(to: folder / "data")
        return try coppice(
            "train", "--data", folder / "data", "--epochs", "1", "--quiet", "--json", "--device", device,
            environment: environment)
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"), arguments: badDrivers)
    func aBadDriverIsASentence(file: String, behaviour: String) throws {
        let vendors = try Self.vendors(["bad.icd": file])
        let home = try TemporaryFolder()
        let environment = [
            "OCL_ICD_VENDORS": vendors.path + "/", "BAD_DRIVER": behaviour, "HOME": home.path, "XDG_CACHE_HOME": "",
            "POCL_CACHE_DIR": "",
        ]
        let folder = try TemporaryFolder()
        for device in ["gpu", "opencl-cpu"] {
            let outcome = try train(folder, device: device, environment: environment)
            expectComplaint(outcome, code: 69, mentions: ["there is no"])
        }
        let list = try coppice("devices", environment: environment)
        #expect(list.status == 0 && list.stdout.contains("* built-in CPU path"), "\(list.stdout)\(list.stderr)")
        let fallback = try train(folder, device: "auto", environment: environment)
        #expect(fallback.status == 0 && fallback.stderr.isEmpty, "\(fallback.stderr)")
        #expect(try home.names(in: ".").isEmpty, "a place for the kernels that PoCL compiles, without PoCL")
    }

    /// With several platforms the loader asks for their devices at once.
    @Test(.enabled(if: hasPoCL, "this host has no PoCL"), arguments: ["/dev/null/cache", "/proc/self"])
    func besideAnotherPlatformTheCacheIsReplacedInTime(place: String) throws {
        let vendors = try Self.vendors(["a.icd": Self.beside + "/libBadDriver.so", "b.icd": try Self.poclLibrary()])
        let folder = try TemporaryFolder()
        let environment = [
            "OCL_ICD_VENDORS": vendors.path + "/", "BAD_DRIVER": "none", "POCL_CACHE_DIR": place, "TMPDIR": folder.path,
        ]
        let outcome = try coppice("devices", "--json", environment: environment)
        let (note, devices) = (outcome.stderr, outcome.stdout)
        #expect(outcome.status == 0 && note.contains("PoCL's cache \(place)"), "\(note)")
        #expect(devices.contains(#""kind" : "cpu""#), "\(devices)")
        #expect(try folder.names(in: ".").isEmpty)
    }

    private static func poclLibrary() throws -> String {
        let good = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "/etc/OpenCL/vendors").first { $0.contains("pocl") })
        return try String(contentsOfFile: "/etc/OpenCL/vendors/" + good, encoding: .utf8)
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device")) func aDriverBeforeOpenCL12IsPassedOver() throws {
        let vendors = try Self.vendors(["old.icd": Self.beside + "/libBadDriver.so"])
        let environment = ["OCL_ICD_VENDORS": vendors.path + "/", "BAD_DRIVER": "old"]
        let list = try coppice("devices", environment: environment)
        #expect(list.status == 0 && list.stdout.contains("it supports OpenCL 1.1 bad, OpenCL 1.2 is needed"))
        let folder = try TemporaryFolder()
        expectComplaint(
            try train(folder, device: "gpu", environment: environment), code: 69,
            mentions: ["Bad Device", "OpenCL 1.2 is needed"])
        #expect(try train(folder, device: "auto", environment: environment).status == 0)
    }

    // With a platform that is NULL beside a good one Debian's loader itself crashes.
    @Test(.enabled(if: hasPoCL, "this host has no PoCL"), arguments: badDrivers.filter { $0.behaviour != "null" })
    func aBadDriverLeavesTheOthersUsable(file: String, behaviour: String) throws {
        let vendors = try Self.vendors(["a-bad.icd": file, "b-good.icd": try Self.poclLibrary(), "c-bad.icd": file])
        let environment = ["OCL_ICD_VENDORS": vendors.path + "/", "BAD_DRIVER": behaviour]
        let outcome = try train(try TemporaryFolder(), device: "opencl-cpu", environment: environment)
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let device = try #require(try outcome.json()["device"] as? [String: Any])
        #expect((device["platform"] as? String)?.contains("Portable") == true)
    }

    /// Nonsense that a loader hands on.
    @Test(
        .enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"),
        arguments: [
            ("platforms=4000000000", "there is no"), ("devices=4000000000", "there is no"),
            ("size=1152921504606846976", "there is no"), ("size=3", "there is no"), ("fail=1:-6", "there is no"),
        ])
    func nonsenseOfALoaderIsASentence(faults: String, words: String) throws {
        let outcome = try train(try TemporaryFolder(), device: "opencl-cpu", environment: Self.faulty(faults))
        expectComplaint(outcome, code: 69, mentions: [words])
    }

    // Caches. Under its own name PoCL keeps programs itself.

    private static let renamed = "platform=Nameless Computing"

    /// A driver whose results may be wrong is warned of, with --quiet too, by the command of a study as by the others.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func warnsOfADriverThatMayBeWrong() throws {
        let place = try Place()
        let environment = Self.faulty("device=llvmpipe (made up)")
        // In several processes, which say it once in all.
        var everyProfile = environment
        everyProfile["COPPICE_PROFILE"] = nil
        let outcomes = [
            try place.run(environment, ["--quiet"]),
            try coppice(
                "train", "--data", place.folder / "data", "--epochs", "1", "--device", "opencl-cpu", "--quiet",
                environment: environment),
            try coppice(
                "verify", "--device", "opencl-cpu", "--quiet", "--tiny", "--kernel", "fill", environment: everyProfile),
        ]
        for outcome in outcomes {
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(outcome.complaints.count == 1 && outcome.stderr.contains("warning: llvmpipe"), "\(outcome.stderr)")
        }
        #expect(try place.run(Self.faulty(Self.renamed), ["--quiet"]).stderr.isEmpty)
    }

    /// Points that are more than a device's largest buffer are streamed, to the same labels.
    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func streamsWhatIsMoreThanABufferHolds() throws {
        let folder = try TemporaryFolder()
        let (count, dimensions) = (100_000, 8)
        try writeNoise(count: count, dimensions: dimensions, to: folder / "X.npy")
        func cluster(_ faults: String) throws -> (report: [String: Any], labels: [Int64]) {
            let outcome = try coppice(
                "cluster", "--features", folder / "X.npy", "--k", "7", "--kmeans", "lloyd", "--iterations", "2",
                "--start", "random", "--device", "opencl-cpu", "--json", "--quiet", "--out", folder / "out",
                environment: Self.faulty(faults))
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return (try outcome.json(), try NumPyArray.read(folder / "out/labels.npy").integers())
        }
        let whole = try cluster("alloc=\(count * dimensions * 4)")
        let streamed = try cluster("alloc=\(count * dimensions * 4 - 1)")
        #expect(whole.report["streamed"] as? Bool == false && streamed.report["streamed"] as? Bool == true)
        #expect(whole.report["inertia"] as? Double == streamed.report["inertia"] as? Double)
        #expect(whole.labels == streamed.labels && whole.labels.count == count)
    }

    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func cachesThatAreNoneAreBuiltAround() throws {
        let folder = try TemporaryFolder()
        let cache = folder / "cache"
        func check(_ cache: String, _ what: String, _ faults: String = Self.renamed) throws {
            let outcome = try train(folder, device: "opencl-cpu", environment: Self.faulty(faults, cache: cache))
            #expect(outcome.status == 0 && outcome.complaints.count <= 1, "\(what): \(outcome.stderr)")
        }
        try check(cache, "no folder")
        let names = try folder.names(in: "cache")
        #expect(names.count > 7 && names.allSatisfy { $0.hasSuffix(".clbin") })
        let whole = try names.map { try Data(contentsOf: URL(fileURLWithPath: "\(cache)/\($0)")) }
        // Every file another kind of rubbish; names that are no program's stay as they are.
        for (index, name) in names.enumerated() {
            try damage("\(cache)/\(name)") { bytes in
                switch index % 4 {
                case 0: bytes = Data()
                case 1: bytes.removeLast(bytes.count / 2)
                case 2: bytes = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) })
                default: bytes[bytes.count - 2] ^= 0x10
                }
            }
        }
        for name in ["notes.txt", ".hidden", "x.clbin"] {
            try "rubbish".write(toFile: "\(cache)/\(name)", atomically: true, encoding: .utf8)
        }
        try check(cache, "rubbish")
        for (name, bytes) in zip(names, whole) {
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(cache)/\(name)")) == bytes, "\(name)")
        }
        // Another driver's programs are beside the point, and its own are added.
        try check(cache, "another driver", "\(Self.renamed);driver=2.0")
        #expect(try folder.names(in: "cache").filter { $0.hasSuffix(".clbin") }.count == 2 * names.count + 1)
        // A driver that refuses what the cache kept.
        for name in names {
            try damage("\(cache)/\(name)") { $0 = Data() }
            try FileManager.default.removeItem(atPath: "\(cache)/\(name)")
            try FileManager.default.createDirectory(atPath: "\(cache)/\(name)", withIntermediateDirectories: false)
        }
        try check(cache, "folders in place of files")
        try check("/dev/null", "a file in place of the folder")
        try check("/proc/none/below", "a folder that cannot be made")
        try check("/proc/self", "a folder that cannot be written")
    }

    @Test(.enabled(if: hasOpenCLProcessor, "this host has no OpenCL CPU"))
    func twoProcessesFillOneCache() throws {
        let folder = try TemporaryFolder()
        let environment = Self.faulty(Self.renamed, cache: folder / "cache")
        try SyntheticData(train: 16, test: 8, height: 8, width: 16).write(to: folder / "data")
        let arguments = ["train", "--data", folder / "data", "--epochs", "1", "--quiet", "--device", "opencl-cpu"]
        for _ in 0..<2 {
            let outcomes = Collected()
            DispatchQueue.concurrentPerform(iterations: 3) { _ in
                outcomes.add(Result { try coppice(arguments, environment: environment) })
            }
            for outcome in outcomes.all {
                let outcome = try outcome.get()
                #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
            }
            // Nothing is left of writing aside.
            #expect(try folder.names(in: "cache").allSatisfy { !$0.hasPrefix(".") && $0.hasSuffix(".clbin") })
        }
    }
}

/// Outcomes of several threads. Sendable unchecked: the lock covers them.
private final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var outcomes: [Result<Outcome, any Error>] = []
    var all: [Result<Outcome, any Error>] { lock.withLock { outcomes } }
    func add(_ outcome: Result<Outcome, any Error>) { lock.withLock { outcomes.append(outcome) } }
}

/// Whether there is an OpenCL CPU.
private let hasOpenCLProcessor: Bool = {
    guard let report = try? coppice("devices", "--json").json() else { return false }
    let platforms = report["platforms"] as? [[String: Any]] ?? []
    return platforms.flatMap { $0["devices"] as? [[String: Any]] ?? [] }.contains { $0["kind"] as? String == "cpu" }
}()
