import ArgumentParser
import Clustering
import Compute
import Datasets
import Dispatch
@preconcurrency import Foundation
import Networks
import OpenCL
import Pruning
import Studies
import Support
import Synchronization

/// An error as the command line reports it: one sentence and an exit code of sysexits.h.
struct Failure: Error {
    var message: String
    var exitCode: Int32

    init(_ message: String, exitCode: Int32) {
        self.message = message
        self.exitCode = exitCode
    }

    init(_ message: String, category: ErrorCategory) { self.init(message, exitCode: category.exitCode) }

    /// Nil for errors of the command line itself, which the argument parser reports with its usage.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as any CategorizedError: self.init(error.description, category: error.category)
        default: return nil
        }
    }
}

/// Standard error, for people: progress, and the lines that say what is going on.
enum Terminal {
    /// Prints the sentence that ends a command.
    static func complain(_ sentence: String) { write("coppice: \(sentence)\n") }

    /// Prints a line about what is going on.
    static func note(_ line: String, quiet: Bool) {
        if !quiet { write("\(line)\n") }
    }

    /// Writes to standard error. What nobody can receive any more is dropped: there is nowhere left to complain.
    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Whether somebody is looking at standard error.
    static let isInteractive = isatty(STDERR_FILENO) == 1
}

/// Ctrl-C, SIGTERM and SIGHUP ask for a clean end once; a second Ctrl-C or SIGTERM ends the process. While the device does not
/// answer the first one ends it: nobody would hear the question.
final class Interrupt: @unchecked Sendable {
    private var sources: [any DispatchSourceSignal] = []

    /// Calls `handler` on the first signal, from another thread.
    init(_ handler: @escaping @Sendable () -> Void) {
        for number in Signals.ending {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // A terminal that closes may send its signal twice, to the shell's jobs and to all of its processes.
                if number != SIGHUP { Signals.endAtOnce(at: number) }
                Stalls.interrupted()
                handler()
            }
            source.resume()
            sources.append(source)
        }
    }

    deinit { for source in sources { source.cancel() } }
}

/// Ends the process at Ctrl-C at once, for commands with nothing to keep, but never in the middle of a result.
final class ExitOnInterrupt: Sendable {
    private final class Writing: Sendable {
        /// Whether the result is there; locked while it is being written.
        let isDone = Mutex(false)
    }
    private let writing: Writing
    private let interrupt: Interrupt

    init() {
        let writing = Writing()
        self.writing = writing
        interrupt = Interrupt {
            writing.isDone.withLock { isDone in
                // What is done ends by itself in a moment, as if nobody had called.
                if isDone { return }
                Terminal.complain("interrupted, nothing was written")
                PoCLCache.end()
                _exit(130)
            }
        }
    }

    /// Runs what must be finished once it is begun.
    func finishing(_ body: () throws -> Void) rethrows {
        try writing.isDone.withLock { isDone in
            try body()
            isDone = true
        }
    }
}

/// What every computing command takes.
struct ComputeOptions: ParsableArguments {
    @Option(help: "What to compute on: \(DeviceSelection.accepted).")
    var device = "auto"

    @Option(help: "Seed of all random numbers. (default: 1)", transform: seedNumber)
    var seed: UInt64 = 1

    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    /// The backend, in the profile of `option` where there is one; one line on stderr says which and why.
    func makeBackend(in option: ProfileOption? = nil, profiling: Bool = false, startsOften: Bool = true) throws
        -> any Backend
    {
        try chosenBackend(
            device, profile: try option?.forced, profiling: profiling, startsOften: startsOften, quiet: quiet)
    }
}

/// The backend that `--device` names; one line on stderr says which and why.
func chosenBackend(
    _ device: String, profile: DeviceProfile?, profiling: Bool = false, startsOften: Bool = true, quiet: Bool
) throws -> any Backend {
    defer { noteCache(quiet: quiet) }
    let (backend, reason) = try DeviceSelection.make(
        spec: device, profile: profile, profiling: profiling, startsOften: startsOften)
    Terminal.note("device: \(reason)", quiet: quiet)
    // What is not worked around is said to those who want no other words too.
    for quirk in (backend as? OpenCLBackend)?.quirks ?? [] where quirk.effect == .warning {
        Terminal.note("warning: \(quirk.text) (\(quirk.link))", quiet: false)
    }
    return backend
}

/// Says on stderr where compiled kernels go if it is not where they should.
func noteCache(quiet: Bool) {
    if let notice = PoCLCache.notice { Terminal.note(notice, quiet: quiet) }
}

/// The shape of the kernels, where it is not to be the device's own.
struct ProfileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kernels' shape, in place of the device's own: "
                + "\(DeviceProfile.all.map(\.name).joined(separator: ", ")).", valueName: "name"))
    var profile: String?

    /// The profile that was asked for.
    var forced: DeviceProfile? {
        get throws(ComputeError) { try profile.map { name throws(ComputeError) in try .named(name, by: "--profile") } }
    }
}

/// A data set named on the command line.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A data set's folder (four IDX files, gzipped or not), or a folder that holds data sets by name.",
            valueName: "dir"))
    var data: String?

    @Option(help: "A data set's name: looked for in --data, $COPPICE_DATA, the user's cache and /usr/share/datasets.")
    var dataset: String?

    /// Finds and reads the data set.
    func load(quiet: Bool) throws(DatasetError) -> Dataset {
        let location = try DatasetLocator().find(data == nil ? dataset ?? "mnist" : dataset, dataDirectory: data)
        let dataset = try Dataset.load(location)
        Terminal.note("data: \(dataset.name) in \(location.directory)", quiet: quiet)
        return dataset
    }
}

/// Prints one JSON object on stdout.
func printJSON(_ value: some Encodable, keys: JSON.Keys = .snakeCase) throws {
    print(try JSON.text(value, keys: keys, nonFinite: .named, layout: .indented))
}

/// Sends what was printed on its way. What nobody can receive any more, since the reader of a pipe or the terminal is
/// gone, is dropped: the files that a command writes are there all the same.
/// - Returns: false where it was dropped.
/// - Throws: ``Failure`` where it cannot get there for another reason, a full disk for one.
@discardableResult func flushOutput() throws -> Bool {
    // An error of an earlier call, which printing itself made when the buffer was full, is kept in the stream alone.
    let hadFailed = ferror(stdout) != 0
    errno = 0
    guard fflush(stdout) != 0 || hadFailed else { return true }
    let code = errno
    var status = stat()
    let isTerminal = fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
    if isReaderGone() || (isTerminal && code == EIO) { return false }
    let reason = code == 0 ? "a part of it was not written" : systemMessage(code)
    throw Failure("standard output: writing failed: \(reason)", exitCode: 74)
}

/// Whether standard output is a pipe or socket that nobody reads any more.
private func isReaderGone() -> Bool {
    var query = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&query, 1, 0) == 1 && query.revents & Int16(POLLERR | POLLHUP) != 0
}

/// `value` with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
