import Foundation
import OpenCL
import Support
import Synchronization

/// What must be right about the process before anything else happens in it.
enum ProcessSetup {
    /// Makes up for what the caller left out or set in an unhelpful way. Nothing here fails.
    static func prepare() {
        openStandardDescriptors()
        Signals.prepare()
        EnvironmentVariables.removeEmptyVariables()
        FileDescriptors.raiseLimit(to: 1024)
    }

    /// Refuses a process in which nothing can go right.
    /// - Throws: ``Failure``.
    static func check() throws {
        try checkArguments()
        try require(descriptors: 12, for: "coppice")
    }

    /// - Throws: ``Failure`` where fewer than so many file descriptors are left.
    static func require(descriptors: Int, for purpose: String) throws {
        if let shortage = FileDescriptors.shortage(of: descriptors, for: purpose) {
            throw Failure(shortage, exitCode: 74)
        }
    }

    /// Opens those of the descriptors 0 to 2 that are closed on /dev/null. The next file to be opened would get the
    /// number, and messages would be written into it.
    private static func openStandardDescriptors() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is this one. Where there is no /dev/null, a directory takes the place: it cannot
            // be written to, which is all that is needed.
            if open("/dev/null", O_RDWR) < 0 { _ = open("/", O_RDONLY | O_DIRECTORY) }
        }
    }

    /// Swift repairs what is not UTF-8, so that a path would name another file, or none.
    private static func checkArguments() throws {
        var index = 0
        while index < CommandLine.argc, let argument = CommandLine.unsafeArgv[index] {
            defer { index += 1 }
            guard String(validatingCString: argument) == nil else { continue }
            throw Failure(
                "argument \(index) is not valid UTF-8: '\(escaped(argument))'; every argument must be, and a file whose "
                    + "name is not can be reached through a link", exitCode: 64)
        }
        var variable = environ
        while let entry = variable.pointee {
            defer { variable += 1 }
            guard strncmp(entry, "COPPICE_", 8) == 0, String(validatingCString: entry) == nil else { continue }
            let name = String(
                decoding: UnsafeBufferPointer(start: entry, count: strlen(entry)).map(UInt8.init(bitPattern:)),
                as: UTF8.self
            ).prefix { $0 != "=" }
            throw Failure(
                "\(name) in the environment is not valid UTF-8: '\(escaped(entry + name.utf8.count + 1))'", exitCode: 64
            )
        }
    }

    /// Printable ASCII as it is, and every other byte in hexadecimal.
    private static func escaped(_ text: UnsafePointer<CChar>) -> String {
        UnsafeBufferPointer(start: text, count: strlen(text)).map { byte in
            (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(UInt8(byte))) : "\\x" + String(format: "%02x", UInt8(bitPattern: byte))
        }.joined()
    }
}

/// The signals that ask for an end: Ctrl-C, SIGTERM, and SIGHUP, which comes when the terminal is closed.
enum Signals {
    /// Those that a command asked for a clean end hears. What the parent ignored stays ignored: nohup does so with SIGHUP, a
    /// shell script with SIGINT for what it runs in the background.
    static let ending: [Int32] = [SIGINT, SIGTERM, SIGHUP].filter(isHeeded)

    /// Those by which a batch system takes the machine away, one bit each; none until ``expectPreemption(inBatchJob:)``.
    private static let preempting = Atomic<UInt64>(0)
    /// The first signal that asked for an end; 0 before.
    private static let first = Atomic<Int32>(0)

    /// The signals that a clean end is asked for by.
    static var heard: [Int32] { ending + (isPreempting(SIGUSR1) ? [SIGUSR1] : []) }

    /// The exit code after a signal: 75 if a batch system sent it, so that the job is started again; 130 otherwise.
    static var exitCode: Int32 { isPreempting(first.load(ordering: .relaxed)) ? 75 : 130 }

    /// True if a batch system started this process: Slurm, PBS, Grid Engine or a Kubernetes Job.
    static var isInBatchJob: Bool {
        ["SLURM_JOB_ID", "PBS_JOBID", "JOB_ID", "JOB_COMPLETION_INDEX"].contains {
            EnvironmentVariables.process[$0] != nil
        }
    }

    /// Has SIGUSR1 end the process with 75 from now on, and SIGTERM too inside a batch job: for commands that go on where they
    /// stopped.
    static func expectPreemption(inBatchJob: Bool) {
        for number in [SIGUSR1] + (inBatchJob ? [SIGTERM] : []) where isHeeded(number) {
            preempting.bitwiseOr(1 << UInt64(number), ordering: .relaxed)
            endAtOnce(at: number)
            unblock([number])
        }
    }

    /// True if batch systems send this signal and such signals are expected.
    static func isPreempting(_ number: Int32) -> Bool {
        preempting.load(ordering: .relaxed) & (1 << UInt64(number)) != 0
    }

    /// Keeps the first signal that asked for an end, which decides on ``exitCode``.
    static func hear(_ number: Int32) {
        _ = first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
    }

    /// False if the parent process ignored this signal.
    private static func isHeeded(_ number: Int32) -> Bool {
        var action = sigaction()
        return sigaction(number, nil, &action) != 0 || !ignores(action)
    }

    /// Sets what signals do until a command asks for more.
    static func prepare() {
        // A reader that went away, and a limit on the size of files, are reported by the call that writes.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        for number in ending { endAtOnce(at: number) }
        unblock(ending)
    }

    /// Unblocks signals. A parent may have started this program with them blocked; the block is inherited.
    private static func unblock(_ numbers: [Int32]) {
        var heard = sigset_t()
        sigemptyset(&heard)
        for number in numbers { sigaddset(&heard, number) }
        pthread_sigmask(SIG_UNBLOCK, &heard, nil)
    }

    /// Has a signal end the process with 130, as a shell reports Ctrl-C, or with 75 where a batch system sends it. Nothing that
    /// is done is lost by that.
    static func endAtOnce(at number: Int32) {
        // A shell script ends at Ctrl-C only where the program it runs has ended by that signal.
        if number == SIGINT {
            signal(number, SIG_DFL)
        } else if isPreempting(number) {
            signal(number) { _ in _exit(75) }
        } else {
            signal(number) { _ in _exit(130) }
        }
    }

    private static func ignores(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
