import ArgumentParser
import Compute
import Foundation
import KernelChecks
import Studies
import Support

/// `coppice verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Runs every kernel against the built-in CPU path on a device.",
        discussion: """
            In every profile (the shape that kernels take on a kind of device) that the device can run, its own first; \
            of two that differ by the width of vectors or waves alone, such as gpu and gpu64, one has fewer cases. \
            A case that is wrong has a line at once, and the command that runs it again alone; at the end every kernel \
            has a line for each profile: verdict, cases, the error that came nearest to its bound, and that bound. \
            Ends with 0 where all are right, 1 where one is not, 69 where there is no OpenCL device to verify.
            """)

    @Option(help: ArgumentHelp("This kernel alone, and others given so.", valueName: "name"))
    var kernel: [String] = []
    @Option(name: .customLong("case"), help: ArgumentHelp("The cases of this name alone.", valueName: "name"))
    var caseName: String?
    @Option(
        help: ArgumentHelp(
            "In this profile, and in others given so: \(DeviceProfile.all.map(\.name).joined(separator: ", ")).",
            valueName: "name"))
    var profile: [String] = []
    @Flag(help: "Fewer cases: every kernel with its edges, in one of two profiles that differ by width alone.")
    var quick = false
    @Flag(help: "A few small cases a kernel, for simulators.")
    var tiny = false
    @Flag(help: "Stop at the first case that is wrong.")
    var failFast = false
    @Flag(help: "A line for every case.")
    var verbose = false
    @Option(
        help: ArgumentHelp(
            "Processes that share the work. By default one a core on a processor, else one.", valueName: "n"),
        transform: wholeNumber)
    var jobs: Int?
    @Flag(help: "Print one JSON object.")
    var json = false
    @Flag(name: .customLong("worker"), help: .hidden)
    var isWorker = false
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        if quick && tiny { throw ValidationError("--quick and --tiny exclude each other") }
        if let jobs, jobs < 1 { throw ValidationError("--jobs is \(jobs); it may be 1 or more") }
    }

    func run() throws {
        if isWorker { return try serve() }
        let wanted = try wantedProfiles()
        // Bad names are said before a device is started.
        for profile in wanted ?? [.gpu] { _ = try chosenCases(for: profile, own: profile) }
        var backend = try compute.makeBackend(startsOften: false) as? OpenCLBackend
        guard let device = backend?.device, let own = backend?.profile, let kind = backend?.kind else {
            throw Self.noDevice
        }
        var profiles: [DeviceProfile] = []
        var skipped: [String] = []
        // Fewer cases leave the twins out.
        let others = DeviceProfile.all.filter { $0 != own && !((quick || tiny) && isTwin($0, own: own)) }
        for profile in wanted ?? [own] + others {
            guard let obstacle = backend?.obstacle(to: profile) else {
                profiles.append(profile)
                continue
            }
            if wanted != nil || profile == own { throw Failure(obstacle, exitCode: 69) }
            Terminal.note("left out: \(obstacle)", quiet: compute.quiet)
            skipped.append(obstacle)
        }
        let total = try profiles.map { try chosenCases(for: $0, own: own).count }.reduce(0, +)
        let bar = ProgressBar("verifying", unit: "cases", quiet: compute.quiet)
        defer { bar.finish() }
        var report = VerifyReport(device: device, seed: compute.seed, profiles: profiles.map(\.name))
        report.skipped = skipped
        func take(_ entry: VerifyReport.Case) throws {
            report.add(entry)
            if !json { try show(entry, bar) }
            bar.update(Double(report.cases.count), of: Double(total), note: "\(entry.kernel) as \(entry.profile)")
        }
        let kernels = try chosenCases(for: own, own: own).map(\.kernel)
        do {
            if profiles.count == 1, let only = backend {
                let target = profiles[0] == own ? only : try only.inProfile(profiles[0])
                try verify(try chosenCases(for: profiles[0], own: own), on: target, take)
            } else {
                // Some devices serve one process at a time.
                backend = nil
                // A GPU's shapes take a processor longest: what ends last should be short.
                let order = profiles.filter(\.splitsWork) + profiles.filter { !$0.splitsWork }
                let shares = try order.flatMap { profile in
                    distinct(try chosenCases(for: profile, own: own).map(\.kernel))
                        .map { VerifyWorkers.Share(profile: profile.name, kernel: $0) }
                }
                try verifyInProcesses(shares, isProcessor: kind == .cpu, take)
            }
        } catch let stop as Failure where stop.exitCode == 130 {
            // What has been found is worth something to whoever gave it only so much time.
            bar.finish()
            report.sort(kernels: kernels)
            try tell(report)
            throw stop
        }
        bar.finish()
        report.sort(kernels: kernels)
        try tell(report)
        try judge(report, of: total)
    }

    private func verify(
        _ cases: [any KernelCase], on backend: OpenCLBackend, _ take: (VerifyReport.Case) throws -> Void
    ) throws {
        let stopping = CancellationFlag()
        let interrupt = Interrupt { stopping.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let reference = CPUBackend()
        for (index, kernelCase) in cases.enumerated() {
            let entry = VerifyReport.Case(
                KernelChecks.run(kernelCase, on: backend, reference: reference), backend.profile)
            try take(entry)
            if failFast, entry.verdict != .right { return }
            guard !stopping.isCancelled else {
                throw Failure("interrupted after \(index + 1) of \(cases.count) cases", exitCode: 130)
            }
        }
    }

    /// Verifies the shares that come a line each from standard input, and tells of every case on standard output.
    private func serve() throws {
        // Whoever started this process has said which device it is, and what to beware of there.
        let (chosen, _) = try DeviceSelection.make(spec: compute.device, startsOften: false)
        guard let own = chosen as? OpenCLBackend else { throw Self.noDevice }
        let stopping = CancellationFlag()
        let interrupt = Interrupt { stopping.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        func tell(_ stage: VerifyEvent.Stage, _ entry: VerifyReport.Case? = nil) throws {
            print(try VerifyEvent(stage, entry).line())
            try flushOutput()
        }
        let reference = CPUBackend()
        var backends = [own.profile: own]
        while let line = readLine(), let share = VerifyWorkers.Share(line: line) {
            let profile = try DeviceProfile.named(share.profile, by: "a share")
            let backend = try backends[profile] ?? own.inProfile(profile)
            backends[profile] = backend
            for kernelCase in try chosenCases(for: profile, own: own.profile) where kernelCase.kernel == share.kernel {
                guard !stopping.isCancelled else { throw ExitCode(130) }
                let begun = CaseResult(
                    kernel: kernelCase.kernel, name: kernelCase.name, maxError: 0, bound: 0, verdict: .failed,
                    message: "")
                try tell(.begin, .init(begun, profile))
                try tell(.end, .init(KernelChecks.run(kernelCase, on: backend, reference: reference), profile))
            }
            try tell(.done)
        }
    }

    private func verifyInProcesses(
        _ shares: [VerifyWorkers.Share], isProcessor: Bool, _ take: (VerifyReport.Case) throws -> Void
    ) throws {
        // What chooses cases, so that they are the same ones there.
        var arguments = ["verify", "--device", compute.device, "--seed", "\(compute.seed)", "--quiet", "--worker"]
        if quick { arguments.append("--quick") }
        if tiny { arguments.append("--tiny") }
        if let caseName { arguments += ["--case", caseName] }
        arguments += profile.flatMap { ["--profile", $0] }
        // Programs compile on the processor; a processor also serves several processes well.
        let cores = isProcessor ? ProcessInfo.processInfo.activeProcessorCount : 1
        // Foundation starts processes only where descriptors of this number may be open.
        if let limit = FileDescriptors.limit, limit < 256 {
            throw Failure(
                "verify starts processes, which takes a limit of 256 file descriptors, and it is \(limit) (ulimit -n); "
                    + "`ulimit -n 1024` raises it, and with one --profile no process is started", exitCode: 74)
        }
        let wanted = min(jobs ?? cores, shares.count)
        // Pipes, and what watches the process.
        let affordable = (FileDescriptors.available(upTo: 16 + 10 * wanted) - 16) / 10
        let stopping = CancellationFlag()
        let workers = VerifyWorkers(
            shares, jobs: min(wanted, max(1, affordable)), arguments: arguments, failFast: failFast)
        let interrupt = Interrupt {
            stopping.cancel()
            workers.stop()
        }
        defer { withExtendedLifetime(interrupt) {} }
        var done = 0
        while let entry = workers.next() {
            done += 1
            try take(entry)
        }
        if stopping.isCancelled { throw Failure("interrupted after \(done) cases", exitCode: 130) }
        if let refusal = workers.refusal { throw ExitCode(refusal) }
    }

    private static let noDevice = Failure(
        "there is no OpenCL device to verify: the built-in CPU path is what the kernels are held against; "
            + "`coppice devices` lists what there is", exitCode: 69)

    private func tell(_ report: VerifyReport) throws {
        if json {
            try printJSON(report)
        } else {
            for kernel in report.kernels { print(kernel.line) }
            print("\(report.right) of \(report.cases.count) cases are right")
        }
        try flushOutput()
    }

    private func judge(_ report: VerifyReport, of total: Int) throws {
        if report.wrong > 0 {
            throw Failure(
                "\(report.wrong) of \(report.cases.count) cases are wrong on \(report.device.name)", exitCode: 1)
        }
        // A driver that prints into the middle of what a process tells takes cases along without a word.
        if report.cases.count != total {
            throw Failure(
                "only \(report.cases.count) of \(total) cases are heard of on \(report.device.name): the driver prints "
                    + "into what its process tells", exitCode: 1)
        }
    }

    private func show(_ entry: VerifyReport.Case, _ bar: ProgressBar) throws {
        guard verbose || entry.verdict != .right else { return }
        bar.finish()
        print(entry.line)
        if entry.verdict != .right { print("  alone: \(command(for: entry))") }
        try flushOutput()
    }

    /// What runs a case again alone, to be pasted into a shell.
    private func command(for entry: VerifyReport.Case) -> String {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }
        let device = compute.device == "auto" ? "" : " --device \(quoted(compute.device))"
        return "coppice verify\(device) --kernel \(entry.kernel) --profile \(entry.profile) "
            + "--case \(quoted(entry.name)) --seed \(compute.seed)"
    }

    /// The profiles that were asked for by option or, with none, by `$COPPICE_PROFILE`; nil for all.
    private func wantedProfiles() throws -> [DeviceProfile]? {
        if profile.isEmpty { return try DeviceProfile.requested(in: .process).map { [$0] } }
        var wanted: [DeviceProfile] = []
        for name in profile {
            let named = try DeviceProfile.named(name, by: "--profile")
            if !wanted.contains(named) { wanted.append(named) }
        }
        return wanted
    }

    /// Whether a profile was asked for by option.
    private func isNamed(_ profile: DeviceProfile) -> Bool { self.profile.contains(profile.name) }

    /// Whether another profile stands for this one, which takes the quick cases then, unless it was asked for.
    private func isTwin(_ profile: DeviceProfile, own: DeviceProfile) -> Bool {
        !isNamed(profile) && profile.isTwin(onDeviceOf: own)
    }

    private func chosenCases(for profile: DeviceProfile, own: DeviceProfile) throws -> [any KernelCase] {
        // A case that is named must not be hidden by a selection.
        let chosen: CaseSelection = quick || isTwin(profile, own: own) ? .quick : tiny ? .tiny : .full
        let selections: [CaseSelection] = caseName == nil ? [chosen] : [.full, .quick]
        var cases = selections.flatMap { selection in
            // All cases of a profile that was asked for are those of whoever forces it.
            let isOwn = profile == own || (selection == .full && isNamed(profile))
            return KernelChecks.cases(selection, seed: compute.seed, for: profile, isOwn: isOwn)
        }
        if !kernel.isEmpty {
            for name in kernel {
                _ = try only(
                    "kernel", name, of: cases, by: \.kernel,
                    list: { "and there are \($0.joined(separator: ", "))" })
            }
            cases = cases.filter { kernel.contains($0.kernel) }
        }
        guard let caseName else { return cases }
        let found = try only("case", caseName, of: cases, by: \.name, list: { "of \($0.count) cases" })
        var kernels = Set<String>()
        return found.filter { kernels.insert($0.kernel).inserted }
    }

    private func only(
        _ what: String, _ wanted: String, of cases: [any KernelCase], by name: (any KernelCase) -> String,
        list: ([String]) -> String
    ) throws -> [any KernelCase] {
        let found = cases.filter { name($0) == wanted }
        guard found.isEmpty else { return found }
        let names = distinct(cases.map(name))
        throw Failure(
            "there is no \(what) '\(wanted)'; the nearest is \(nearestWord(to: wanted, in: names)), \(list(names))",
            exitCode: 64)
    }

    /// Each of `names` once, where it stands first.
    private func distinct(_ names: [String]) -> [String] {
        var seen = Set<String>()
        return names.filter { seen.insert($0).inserted }
    }
}
