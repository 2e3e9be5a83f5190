import ArgumentParser
import Compute
import Foundation
import KernelChecks
import Studies
import Synchronization

/// `coppice verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Runs every kernel against the built-in CPU path on a device.",
        discussion: """
            In every profile (the shape that kernels take on a kind of device) that the device can run, its own first; \
            gpu64, which differs from gpu by the number of lanes, with fewer cases where it is not the device's own. \
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
    @Flag(help: "Fewer cases: every kernel, in every profile, with its edges.")
    var quick = false
    @Flag(help: "A few small cases a kernel, for simulators.")
    var tiny = false
    @Flag(help: "Stop at the first case that is wrong.")
    var failFast = false
    @Flag(help: "A line for every case.")
    var verbose = false
    @Option(
        help: ArgumentHelp(
            "Processes at a time, each with a profile or half of one. By default one a core on a processor, else one.",
            valueName: "n"))
    var jobs: Int?
    @Flag(help: "Print one JSON object.")
    var json = false
    @Flag(help: .hidden)
    var events = false
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        if quick && tiny { throw ValidationError("--quick and --tiny exclude each other") }
        if let jobs, jobs < 1 { throw ValidationError("--jobs is \(jobs); it may be 1 or more") }
    }

    func run() throws {
        let wanted = try wantedProfiles()
        // Bad names are said before a device is started.
        for profile in wanted ?? [.gpu] { _ = try chosenCases(for: profile, own: profile) }
        var skipped: [String] = []
        var backend = try compute.makeBackend(startsOften: false) as? OpenCLBackend
        guard let device = backend?.device, let own = backend?.profile, let kind = backend?.kind else {
            throw Failure(
                "there is no OpenCL device to verify: the built-in CPU path is what the kernels are held against; "
                    + "`coppice devices` lists what there is",
                exitCode: 69)
        }
        var profiles: [DeviceProfile] = []
        // Fewer cases leave the twin out.
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
        if profiles.count == 1, let only = backend {
            let target = profiles[0] == own ? only : try only.inProfile(profiles[0])
            try verify(try chosenCases(for: profiles[0], own: own), on: target, take)
        } else {
            // Some devices serve one process at a time.
            backend = nil
            // A GPU's shapes take a processor longest: what ends last should be short.
            let order = profiles.filter(\.splitsWork) + profiles.filter { !$0.splitsWork }
            let shares = try order.flatMap { profile in
                let kernels = try chosenCases(for: profile, own: own).map(\.kernel)
                let isTwin = isTwin(profile, own: own)
                let parts = kind != .cpu ? 1 : (quick || tiny || isTwin ? 1 : 2) * (profile == order.last ? 2 : 1)
                let shares = VerifyWorkers.shares(of: profile.name, kernels: kernels, parts: parts)
                return isTwin ? shares.map { $0.quick() } : shares
            }
            try verifyInProcesses(shares, isProcessor: kind == .cpu, take)
        }
        bar.finish()
        if events {
            if report.wrong > 0 { throw ExitCode(1) }
            return
        }
        report.sort(kernels: try chosenCases(for: own, own: own).map(\.kernel))
        try finish(report, of: total)
    }

    private func verify(
        _ cases: [any KernelCase], on backend: OpenCLBackend, _ take: (VerifyReport.Case) throws -> Void
    ) throws {
        let stopping = Atomic(false)
        let interrupt = Interrupt { stopping.store(true, ordering: .relaxed) }
        defer { withExtendedLifetime(interrupt) {} }
        let reference = CPUBackend()
        for (index, kernelCase) in cases.enumerated() {
            if events {
                let begun = CaseResult(
                    kernel: kernelCase.kernel, name: kernelCase.name, maxError: 0, bound: 0, verdict: .failed,
                    message: "")
                print(try VerifyEvent(stage: "begin", entry: .init(begun, backend.profile)).line())
                try flushOutput()
            }
            let result = KernelChecks.run(kernelCase, on: backend, reference: reference)
            let entry = VerifyReport.Case(result, backend.profile)
            if events {
                print(try VerifyEvent(stage: "end", entry: entry).line())
                try flushOutput()
            }
            try take(entry)
            if failFast, entry.verdict != .right { return }
            guard !stopping.load(ordering: .relaxed) else {
                if events { throw ExitCode(130) }
                throw Failure("interrupted after \(index + 1) of \(cases.count) cases", exitCode: 130)
            }
        }
    }

    private func verifyInProcesses(
        _ shares: [VerifyWorkers.Share], isProcessor: Bool, _ take: (VerifyReport.Case) throws -> Void
    ) throws {
        var arguments = ["verify", "--device", compute.device, "--seed", "\(compute.seed)", "--quiet", "--events"]
        if quick { arguments.append("--quick") }
        if tiny { arguments.append("--tiny") }
        if failFast { arguments.append("--fail-fast") }
        if let caseName { arguments += ["--case", caseName] }
        // Programs compile on the processor; a processor also serves several processes well.
        let cores = isProcessor ? ProcessInfo.processInfo.activeProcessorCount : 1
        let stopping = Atomic(false)
        let workers = VerifyWorkers(
            shares, jobs: min(jobs ?? cores, shares.count), arguments: arguments, failFast: failFast)
        let interrupt = Interrupt {
            stopping.store(true, ordering: .relaxed)
            workers.stop()
        }
        defer { withExtendedLifetime(interrupt) {} }
        var done = 0
        while let entry = workers.next() {
            done += 1
            try take(entry)
        }
        if stopping.load(ordering: .relaxed) { throw Failure("interrupted after \(done) cases", exitCode: 130) }
        if let refusal = workers.refusal { throw ExitCode(refusal) }
    }

    private func finish(_ report: VerifyReport, of total: Int) throws {
        if json {
            try printJSON(report)
        } else {
            for kernel in report.kernels { print(kernel.line) }
            print("\(report.right) of \(report.cases.count) cases are right")
        }
        try flushOutput()
        if report.wrong > 0 {
            throw Failure(
                "\(report.wrong) of \(report.cases.count) cases are wrong on \(report.device.name)", exitCode: 1)
        }
        // A driver may end its process with any status, and so take cases along without a word.
        if report.cases.count != total {
            throw Failure(
                "only \(report.cases.count) of \(total) cases ran on \(report.device.name): the driver ended its "
                    + "process in the middle", exitCode: 1)
        }
    }

    private func show(_ entry: VerifyReport.Case, _ bar: ProgressBar) throws {
        guard !events, verbose || entry.verdict != .right else { return }
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
        let environment = ProcessInfo.processInfo.environment
        if profile.isEmpty { return try DeviceProfile.requested(in: environment).map { [$0] } }
        var wanted: [DeviceProfile] = []
        for name in profile {
            let named = try DeviceProfile.named(name, by: "--profile")
            if !wanted.contains(named) { wanted.append(named) }
        }
        return wanted
    }

    /// Whether a profile differs from another one by the number of lanes alone and is not the device's own: it takes the
    /// quick cases, unless it was asked for.
    private func isTwin(_ profile: DeviceProfile, own: DeviceProfile) -> Bool {
        profile == .gpu64 && own != .gpu64 && self.profile.isEmpty
    }

    private func chosenCases(for profile: DeviceProfile, own: DeviceProfile) throws -> [any KernelCase] {
        // A case that is named must not be hidden by a selection.
        let chosen: CaseSelection = quick || isTwin(profile, own: own) ? .quick : tiny ? .tiny : .full
        let selections: [CaseSelection] = caseName == nil ? [chosen] : [.full, .quick]
        var cases = selections.flatMap {
            KernelChecks.cases($0, seed: compute.seed, for: profile, isOwn: profile == own)
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
        var names: [String] = []
        for name in cases.map(name) where !names.contains(name) { names.append(name) }
        throw Failure(
            "there is no \(what) '\(wanted)'; the nearest is \(nearestWord(to: wanted, in: names)), \(list(names))",
            exitCode: 64)
    }
}
