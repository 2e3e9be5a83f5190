import Compute
import Foundation
import KernelChecks

/// What `coppice verify` found, as `--json` prints it.
struct VerifyReport: Encodable {
    /// A case in a profile.
    struct Case: Codable, Sendable {
        var kernel: String
        var profile: String
        var name: String
        var error: Double
        var bound: Double
        var verdict: CaseVerdict
        var message: String

        enum CodingKeys: String, CodingKey {
            case kernel, profile, error, bound, verdict, message
            case name = "case"
        }
    }

    /// All cases of a kernel in a profile. Error and bound are those of the case that came nearest to its bound, or
    /// went furthest beyond it.
    struct Kernel: Encodable {
        var kernel: String
        var profile: String
        var cases = 0
        var wrong = 0
        var error = 0.0
        var bound = 0.0
        var verdict = CaseVerdict.right
    }

    var device: DeviceDescription
    var seed: UInt64
    var profiles: [String]
    /// Why profiles that were not asked for by name were left out.
    var skipped: [String] = []
    var right = 0
    var wrong = 0
    var kernels: [Kernel] = []
    var cases: [Case] = []

    init(device: DeviceDescription, seed: UInt64, profiles: [String]) {
        self.device = device
        self.seed = seed
        self.profiles = profiles
    }

    /// Takes in a case.
    mutating func add(_ entry: Case) {
        if entry.verdict == .right { right += 1 } else { wrong += 1 }
        cases.append(entry)
        let index =
            kernels.lastIndex { $0.kernel == entry.kernel && $0.profile == entry.profile } ?? kernels.count
        if index == kernels.count { kernels.append(Kernel(kernel: entry.kernel, profile: entry.profile)) }
        kernels[index].add(entry)
    }

    /// Brings cases that came from several processes into the order of the profiles and of `names`.
    mutating func sort(kernels names: [String]) {
        var places: [String: Int] = [:]
        for profile in profiles {
            // A process that never began a case has none of the names.
            for name in names + ["-"] where places["\(profile) \(name)"] == nil {
                places["\(profile) \(name)"] = places.count
            }
        }
        func place(_ profile: String, _ kernel: String) -> Int { places["\(profile) \(kernel)"] ?? places.count }
        // Those of a process come in their order, and keep it.
        cases = cases.enumerated().map { (place($0.element.profile, $0.element.kernel), $0.offset, $0.element) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
        kernels.sort { place($0.profile, $0.kernel) < place($1.profile, $1.kernel) }
    }
}

extension VerifyReport.Case {
    init(_ result: CaseResult, _ profile: DeviceProfile) {
        self.init(
            kernel: result.kernel, profile: profile.name, name: result.name, error: result.maxError,
            bound: result.bound, verdict: result.verdict, message: result.message)
    }
}

extension VerifyReport.Kernel {
    mutating func add(_ result: VerifyReport.Case) {
        cases += 1
        if result.verdict != .right {
            wrong += 1
            if verdict == .right { verdict = result.verdict }
        }
        func ratio(_ error: Double, _ bound: Double) -> Double { error == 0 ? 0 : error / bound }
        if ratio(result.error, result.bound) >= ratio(error, bound) {
            (error, bound) = (result.error, result.bound)
        }
    }

    /// The kernel's line at the end.
    var line: String {
        let name = kernel.padding(toLength: 34, withPad: " ", startingAt: 0)
        let count = wrong == 0 ? "\(cases)" : "\(wrong) of \(cases)"
        return "\(verdict.rawValue)  \(name)  \(profile.padding(toLength: 5, withPad: " ", startingAt: 0))  "
            + "\(count) case\(cases == 1 ? "" : "s"), largest error \(brief(error)), its bound \(brief(bound))"
    }
}

extension VerifyReport.Case {
    /// The case's own line.
    var line: String {
        let line =
            "\(verdict.rawValue)  \(kernel) as \(profile): \(name), error \(brief(error)), bound \(brief(bound))"
        return message.isEmpty ? line : "\(line): \(message)"
    }
}

/// `value` with two digits that count.
func brief(_ value: Double) -> String { String(format: "%.1e", value) }
