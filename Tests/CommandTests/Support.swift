import Compute
import Datasets
import Foundation
import Testing
import Support
import TestSupport

/// How a run of the program ended.
struct Outcome {
    /// The exit code, or 128 and the number of the signal that ended it.
    var status: Int32
    var stdout: String
    var stderr: String
    /// Wall seconds from the interrupt to the end, where there was one.
    var secondsAfterInterrupt = 0.0

    /// The lines on standard error.
    var complaints: [String] { stderr.split(separator: "\n").map(String.init) }

    /// The one JSON object on standard output.
    func json() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(stdout.utf8)) as? [String: Any], "\(stdout)")
    }
}

/// The program that stands beside the tests.
let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("coppice")

/// Runs the program as people do.
/// - Parameters:
///   - environment: added to this process's, from which all COPPICE_… are taken.
///   - output: where its standard output goes in place of ``Outcome/stdout``.
///   - interrupting: text on standard error after which it gets a signal.
///   - signal: SIGINT, or another one.
///   - directory: where it runs.
func coppice(
    _ arguments: String..., environment: [String: String] = [:], output: String? = nil, interrupting: String? = nil,
    limit: Double = 300
) throws -> Outcome {
    try coppice(
        arguments, environment: environment, output: output, interrupting: interrupting, limit: limit)
}

/// The same with its arguments in a list.
func coppice(
    _ arguments: [String], environment: [String: String] = [:], output: String? = nil, interrupting: String? = nil,
    by signal: Int32 = SIGINT, directory: String? = nil, limit: Double = 300, executable: URL = program
) throws -> Outcome {
    let folder = try TemporaryFolder()
    // Files and no pipes: nothing can fill up while nobody reads.
    let (out, err) = (folder / "stdout", folder / "stderr")
    for path in [out, err] { #expect(FileManager.default.createFile(atPath: path, contents: nil)) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("COPPICE_") }
        .merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output ?? out))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: err))
    try process.run()
    let start = ContinuousClock.now
    var interrupted: ContinuousClock.Instant?
    while process.isRunning {
        if interrupted == nil, let interrupting, try text(err).contains(interrupting) {
            interrupted = .now
            kill(process.processIdentifier, signal)
        }
        if (ContinuousClock.now - start) / .seconds(1) > limit {
            process.terminate()
            Issue.record("\(arguments) took more than \(limit) s")
            break
        }
        usleep(2_000)
    }
    process.waitUntilExit()
    return Outcome(
        status: process.terminationReason == .uncaughtSignal
            ? 128 + process.terminationStatus
            : process.terminationStatus,
        stdout: try text(out), stderr: try text(err),
        secondsAfterInterrupt: interrupted.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0)
}

/// Runs a shell's script, in which $COPPICE is the program.
func shell(_ script: String, environment: [String: String] = [:], directory: String? = nil) throws -> Outcome {
    try coppice(
        ["-c", script], environment: environment.merging(["COPPICE": program.path]) { $1 }, directory: directory,
        limit: 120, executable: URL(fileURLWithPath: "/bin/sh"))
}

/// The signals that ask for an end, but for SIGHUP where whoever runs the tests has it ignored, as nohup does.
let endingSignals: [Int32] = {
    let previous = signal(SIGHUP, SIG_DFL)
    signal(SIGHUP, previous)
    let isIgnored = unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    return [SIGINT, SIGTERM] + (isIgnored ? [] : [SIGHUP])
}()

private func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
}

/// Expects the end of a command that was given something it cannot work with: the exit code, nothing on standard
/// output, and one sentence on standard error that has all of `words`.
func expectComplaint(
    _ outcome: Outcome, code: Int32, mentions words: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.status == code, "\(outcome.stderr)", sourceLocation: sourceLocation)
    #expect(outcome.stdout.isEmpty, sourceLocation: sourceLocation)
    #expect(outcome.complaints.count == 1, "\(outcome.stderr)", sourceLocation: sourceLocation)
    #expect(outcome.stderr.hasPrefix("coppice: "), "\(outcome.stderr)", sourceLocation: sourceLocation)
    for word in words {
        #expect(outcome.stderr.contains(word), "\(outcome.stderr)", sourceLocation: sourceLocation)
    }
}

/// Writes features that are nothing but noise: whole numbers below 65,536, the same every time.
func writeNoise(count: Int, dimensions: Int, to path: String) throws {
    var seed: UInt32 = 1
    let values = (0..<count * dimensions).map { _ -> Float in
        seed = seed &* 1_664_525 &+ 1_013_904_223
        return Float(seed >> 16)
    }
    try NumPy.write(values, shape: [count, dimensions], to: path)
}

/// Images that can be told apart: a bright patch whose place is its class, on noise.
struct SyntheticData {
    var train = 300
    var test = 100
    var height = 28
    var width = 28
    var classes = 3
    var seed: UInt64 = 7

    /// Data sets that are nothing like each other; the second is nothing like MNIST.
    static let all = [SyntheticData(), SyntheticData(train: 250, test: 60, height: 20, width: 24, classes: 4, seed: 8)]

    /// Writes the four files.
    func write(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (index, part) in [(train, "train"), (test, "t10k")].enumerated() {
            let (pixels, labels) = images(part.0, run: index)
            try IDX.write(
                pixels, dimensions: [part.0, height, width], to: "\(directory)/\(part.1)-images-idx3-ubyte")
            try IDX.write(labels, dimensions: [part.0], to: "\(directory)/\(part.1)-labels-idx1-ubyte")
        }
    }

    func images(_ count: Int, run: Int) -> (pixels: [UInt8], labels: [UInt8]) {
        var random = RandomStream(seed: seed, run: run, purpose: .testing)
        var pixels = [UInt8](repeating: 0, count: count * height * width)
        var labels: [UInt8] = []
        for image in 0..<count {
            let label = image % classes
            labels.append(UInt8(label))
            let top = 2 + (label % 2) * height / 2
            let left = 2 + label * (width - 8) / classes
            for y in 0..<height {
                for x in 0..<width {
                    let isPatch = (top..<top + 6).contains(y) && (left..<left + 6).contains(x)
                    pixels[(image * height + y) * width + x] = UInt8((isPatch ? 150 : 0) + random.nextIndex(below: 90))
                }
            }
        }
        return (pixels, labels)
    }
}

/// Writes `change` of a file's bytes back.
func damage(_ path: String, _ change: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    change(&bytes)
    try bytes.write(to: URL(fileURLWithPath: path))
}

/// The rows of a results.csv without times and replicas, which depend on what else was at work.
func rowsWithoutTimes(of table: String) throws -> [[String]] {
    let lines = table.split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    let header = try #require(lines.first)
    let kept = header.indices.filter {
        !["time", "selection_seconds", "training_seconds", "evaluation_seconds", "replicas"].contains(header[$0])
    }
    return lines.map { line in kept.map { line[$0] } }
}
