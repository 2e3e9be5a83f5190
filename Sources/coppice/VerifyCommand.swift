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
            A line each: verdict, kernel, case, the error that came nearest to its bound, and that bound. \
            Ends with 0 where all are right, 1 where one is not, 69 where there is no OpenCL device to verify.
            """)

    @Option(help: ArgumentHelp("This kernel alone.", valueName: "name"))
    var kernel: String?
    @Flag(help: "Two cases a kernel.")
    var quick = false
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var device: DeviceDescription
        var seed: UInt64
        var right = 0
        var wrong = 0
        var cases: [Case] = []
    }

    private struct Case: Encodable {
        var kernel: String
        var name: String
        var error: Double
        var bound: Double
        var verdict: Verdict
        var message: String

        enum CodingKeys: String, CodingKey {
            case kernel, error, bound, verdict, message
            case name = "case"
        }
    }

    func run() throws {
        let cases = try chosenCases()
        let backend = try compute.makeBackend()
        guard backend is OpenCLBackend else {
            throw Failure(
                "there is no OpenCL device to verify: \(backend.device.name) is what the kernels are held against; "
                    + "`coppice devices` lists what there is",
                exitCode: 69)
        }
        let stopping = Atomic(false)
        let interrupt = Interrupt { stopping.store(true, ordering: .relaxed) }
        defer { withExtendedLifetime(interrupt) {} }

        let reference = CPUBackend()
        let bar = ProgressBar("verifying", unit: "cases", quiet: compute.quiet || !json)
        var report = Report(device: backend.device, seed: compute.seed)
        for (index, kernelCase) in cases.enumerated() {
            let result = KernelChecks.run(kernelCase, on: backend, reference: reference)
            if result.verdict == .right { report.right += 1 } else { report.wrong += 1 }
            if json {
                report.cases.append(
                    Case(
                        kernel: result.kernel, name: result.name, error: result.maxError, bound: result.bound,
                        verdict: result.verdict, message: result.message))
                bar.update(Double(index + 1), of: Double(cases.count))
            } else {
                print(Self.line(result))
                try flushOutput()
            }
            guard !stopping.load(ordering: .relaxed) else {
                throw Failure("interrupted after \(index + 1) of \(cases.count) cases", exitCode: 130)
            }
        }
        bar.finish()
        if json { try printJSON(report) } else { print("\(report.right) of \(cases.count) cases are right") }
        if report.wrong > 0 {
            try flushOutput()
            throw Failure("\(report.wrong) of \(cases.count) cases are wrong on \(backend.device.name)", exitCode: 1)
        }
    }

    private func chosenCases() throws -> [any KernelCase] {
        var cases = KernelChecks.allCases(seeds: [compute.seed])
        if let kernel {
            var names: [String] = []
            for name in cases.map(\.kernel) where !names.contains(name) { names.append(name) }
            cases = cases.filter { $0.kernel == kernel }
            guard !cases.isEmpty else {
                throw Failure(
                    "there is no kernel \(kernel) with cases; the nearest is \(nearestWord(to: kernel, in: names)), "
                        + "and there are \(names.joined(separator: ", "))",
                    exitCode: 64)
            }
        }
        guard quick else { return cases }
        // Cases grow: the first and the last of each kernel.
        return cases.indices.filter { index in
            let kernel = cases[index].kernel
            return index == 0 || index + 1 == cases.count || cases[index - 1].kernel != kernel
                || cases[index + 1].kernel != kernel
        }.map { cases[$0] }
    }

    private static func line(_ result: CaseResult) -> String {
        let line =
            "\(result.verdict.rawValue)  \(result.kernel): \(result.name), "
            + "error \(brief(result.maxError)), bound \(brief(result.bound))"
        return result.message.isEmpty ? line : "\(line): \(result.message)"
    }
}

/// `value` with two digits that count.
func brief(_ value: Double) -> String { String(format: "%.1e", value) }
