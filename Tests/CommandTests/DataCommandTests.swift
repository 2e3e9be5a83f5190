import Foundation
import Testing
import TestSupport

@Suite struct DataCommandTests {
    @Test(arguments: SyntheticData.all)
    func infoDescribesAnyDataSet(_ data: SyntheticData) throws {
        let folder = try TemporaryFolder()
        try data.write(to: folder / "shapes")
        let info = try coppice("data", "info", folder / "shapes", "--json").json()
        #expect(info["name"] as? String == "shapes")
        #expect(info["classCount"] as? Int == data.classes)
        let train = try #require(info["train"] as? [String: Any])
        #expect(train["count"] as? Int == data.train)
        #expect(train["height"] as? Int == data.height)
        #expect(train["width"] as? Int == data.width)
        #expect((train["perClass"] as? [Int])?.reduce(0, +) == data.train)
        #expect((info["files"] as? [Any])?.count == 4)
        let text = try coppice("data", "info", folder / "shapes")
        #expect(text.stdout.contains("\(data.test) images of 1x\(data.height)x\(data.width)"))
    }

    @Test func listHasTheKnownAndTheFound() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "shapes")
        let environment = ["COPPICE_DATA": folder.path, "XDG_CACHE_HOME": folder / "cache"]
        let report = try coppice("data", "list", "--json", environment: environment).json()
        let datasets = try #require(report["datasets"] as? [[String: Any]])
        #expect(datasets.compactMap { $0["name"] as? String }.starts(with: ["mnist", "fashion-mnist"]))
        let found = try #require(datasets.first { $0["name"] as? String == "shapes" })
        #expect(found["directory"] as? String == folder / "shapes")
        let text = try coppice("data", "list", environment: environment).stdout
        #expect(text.contains("coppice data fetch mnist"))
        // A name is looked for where all data sets are.
        #expect(try coppice("data", "info", "shapes", environment: environment).status == 0)
    }

    @Test func noData() throws {
        let folder = try TemporaryFolder()
        expectComplaint(
            try coppice("data", "info", folder / "nothing"), code: 66, mentions: [folder / "nothing"])
        for command in ["train", "evaluate"] {
            let more = command == "evaluate" ? ["--weights", "none.safetensors"] : []
            let outcome = try coppice([command, "--dataset", "nosuch", "--quiet"] + more)
            expectComplaint(outcome, code: 66, mentions: command == "train" ? ["no data set nosuch"] : [])
        }
    }

    @Test func fetchRefusesWhatItDoesNotKnow() throws {
        expectComplaint(try coppice("data", "fetch", "cifar"), code: 64, mentions: ["cifar", "mnist"])
    }

    @Test func fetchGivesUpOnMirrorsThatAnswerNothing() throws {
        let folder = try TemporaryFolder()
        // Port 9 discards; nothing listens there on loopback.
        let outcome = try coppice(
            "data", "fetch", "mnist", "--quiet", "--mirror", "http://127.0.0.1:9/",
            environment: ["XDG_CACHE_HOME": folder.path])
        expectComplaint(outcome, code: 75, mentions: ["mnist was not fetched", "http://127.0.0.1:9/"])
    }

    /// A broken curl and BusyBox's wget count as none.
    @Test(arguments: [[:], ["curl": "exit 127", "wget": "echo 'BusyBox v1.35.0 multi-call binary.' >&2; exit 1"]])
    func fetchSaysWhatToFetchWithoutCurlAndWget(_ programs: [String: String]) throws {
        let folder = try TemporaryFolder()
        for (name, body) in programs {
            let path = try folder.file(name, Array("#!/bin/sh\n\(body)\n".utf8))
            chmod(path, 0o755)
        }
        let outcome = try coppice(
            "data", "fetch", "mnist", environment: ["XDG_CACHE_HOME": folder.path, "PATH": folder.path])
        #expect(outcome.status == 69)
        let text = outcome.complaints.joined(separator: "\n")
        for word in [
            "neither curl nor wget", folder / "coppice/datasets/mnist", "train-images-idx3-ubyte.gz",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
        ] {
            #expect(text.contains(word), "\(word)")
        }
    }

    @Test func ctrlCKeepsWhatWasReceived() throws {
        let folder = try TemporaryFolder()
        let server = try StallingServer(promised: 1_000_000, sent: 70_000)
        let outcome = try coppice(
            "data", "fetch", "mnist", "--mirror", "http://127.0.0.1:\(server.port)/",
            environment: ["XDG_CACHE_HOME": folder.path], interrupting: "fetching train-images-idx3-ubyte (1 of 4)")
        #expect(outcome.status == 130)
        #expect(outcome.complaints.last?.contains("what was received is kept") == true)
        #expect(outcome.secondsAfterInterrupt < 5)
        let kept = try folder.names(in: "coppice/datasets/mnist")
        #expect(kept == ["train-images-idx3-ubyte.part"])
        let part = folder / "coppice/datasets/mnist/train-images-idx3-ubyte.part"
        #expect((1...70_000).contains(try Data(contentsOf: URL(fileURLWithPath: part)).count))
    }

    /// What is wrong with one of the four files, and what the sentence says.
    private static let faults: [(file: String, words: String, change: @Sendable (inout Data) -> Void)] = [
        ("train-images-idx3-ubyte", "truncated", { $0.removeLast(10) }),
        ("train-images-idx3-ubyte", "truncated", { $0 = $0.prefix(6) }),
        ("t10k-images-idx3-ubyte", "oversized", { $0.append(0) }),
        ("train-images-idx3-ubyte", "wrong magic number 0x00000d03", { $0[2] = 0x0d }),
        ("train-labels-idx1-ubyte", "wrong magic number", { $0[3] = 3 }),
        ("t10k-labels-idx1-ubyte", "empty", { $0 = Data() }),
        // One label fewer, in header and file.
        (
            "train-labels-idx1-ubyte", "300 images",
            {
                $0[7] -= 1
                $0.removeLast()
            }
        ),
        ("t10k-images-idx3-ubyte", "corrupt gzip", { $0 = Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]) + $0 }),
        ("t10k-images-idx3-ubyte", "truncated", { $0.replaceSubrange(4..<8, with: [0xff, 0xff, 0xff, 0xff]) }),
    ]

    @Test(arguments: DataCommandTests.faults.indices)
    func damagedFiles(index: Int) throws {
        let fault = Self.faults[index]
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        try damage(folder / "data/\(fault.file)", fault.change)
        for arguments in [["data", "info", folder / "data"], ["train", "--data", folder / "data", "--quiet"]] {
            let outcome = try coppice(arguments)
            expectComplaint(outcome, code: 65, mentions: [fault.file, fault.words])
        }
    }

    @Test func aFullDiskBehindStandardOutput() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        for arguments in [["devices"], ["data", "list"], ["data", "info", folder / "data", "--json"]] {
            let outcome = try coppice(arguments, output: "/dev/full")
            expectComplaint(outcome, code: 74, mentions: ["standard output"])
        }
    }
}
