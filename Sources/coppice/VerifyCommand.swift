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
            In every profile (the shape that kernels take on a kind of device) that the device can run, its own first. \
            A case that is wrong has a line at once, and the command that runs it again alone; at the end every kernel \
            has a line for each profile: verdict, cases, the error that came nearest to its bound, and that bound. \
            Ends with 0 where all are right, 1 where one is not, 69 where there is no OpenCL device to verify.
            """)

    @Option(help: ArgumentHelp("This kernel alone.", valueName: "name"))
    var kernel: String?
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
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        if quick && tiny { throw ValidationError("--quick and --tiny exclude each other") }
    }

    func run() throws {
        let wanted = try wantedProfiles()
        let cases = try chosenCases()
        guard let backend = try compute.makeBackend() as? OpenCLBackend else {
            throw Failure(
                "there is no OpenCL device to verify: the built-in CPU path is what the kernels are held against; "
                    + "`coppice devices` lists what there is",
                exitCode: 69)
        }
        let profiles = wanted ?? [backend.profile] + DeviceProfile.all.filter { $0 != backend.profile }
        let stopping = Atomic(false)
        let interrupt = Interrupt { stopping.store(true, ordering: .relaxed) }
        defer { withExtendedLifetime(interrupt) {} }

        let reference = CPUBackend()
        let bar = ProgressBar("verifying", unit: "cases", quiet: compute.quiet)
        defer { bar.finish() }
        var report = VerifyReport(device: backend.device, seed: compute.seed, profiles: profiles.map(\.name))
        let total = profiles.count * cases.count
        var done = 0
        running: for profile in profiles {
            let target = profile == backend.profile ? backend : try backend.inProfile(profile)
            for kernelCase in cases {
                let result = KernelChecks.run(kernelCase, on: target, reference: reference)
                report.add(result, profile: profile.name)
                done += 1
                if !json, let entry = report.cases.last { try show(entry, bar) }
                bar.update(Double(done), of: Double(total), note: "\(result.kernel) as \(profile.name)")
                if failFast, report.wrong > 0 { break running }
                guard !stopping.load(ordering: .relaxed) else {
                    throw Failure("interrupted after \(done) of \(total) cases", exitCode: 130)
                }
            }
        }
        bar.finish()
        try finish(report)
    }

    private func finish(_ report: VerifyReport) throws {
        if json {
            try printJSON(report)
        } else {
            for kernel in report.kernels { print(kernel.line) }
            print("\(report.right) of \(report.cases.count) cases are right")
        }
        if report.wrong > 0 {
            try flushOutput()
            throw Failure(
                "\(report.wrong) of \(report.cases.count) cases are wrong on \(report.device.name)", exitCode: 1)
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
        let environment = ProcessInfo.processInfo.environment
        if profile.isEmpty { return try DeviceProfile.requested(in: environment).map { [$0] } }
        var wanted: [DeviceProfile] = []
        for name in profile {
            let named = try DeviceProfile.named(name, by: "--profile")
            if !wanted.contains(named) { wanted.append(named) }
        }
        return wanted
    }

    private func chosenCases() throws -> [any KernelCase] {
        var cases = KernelChecks.allCases(seeds: [compute.seed])
        if let kernel {
            cases = try only(
                "kernel", kernel, of: cases, by: \.kernel,
                list: { "and there are \($0.joined(separator: ", "))" })
        }
        if let caseName {
            // The name says all: it must not be hidden by a selection.
            return try only("case", caseName, of: cases, by: \.name, list: { "of \($0.count) cases" })
        }
        return (quick ? CaseSelection.quick : tiny ? .tiny : .full).choose(from: cases)
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
