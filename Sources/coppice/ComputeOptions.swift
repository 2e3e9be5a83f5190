import ArgumentParser
import Compute
import OpenCL
import Support

/// What every computing command takes.
struct ComputeOptions: ParsableArguments {
    @Option(help: "What to compute on: \(DeviceSelection.accepted).")
    var device = "auto"

    @Option(help: "Seed of all random numbers. (default: 1)", transform: seedNumber)
    var seed: UInt64 = 1

    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    func validate() throws {
        let request: DeviceRequest
        do { request = try DeviceRequest(device) } catch { throw ValidationError("\(error).") }
        if request.namesSeveral {
            throw ValidationError(
                "--device \(excerpt(device)) names several devices, and only coppice run takes several.")
        }
    }

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
    if let profile, !(backend is OpenCLBackend) {
        Terminal.note(
            "note: the built-in path has no kernels, and --profile \(profile.name) changes nothing", quiet: quiet)
    }
    warn(of: backend)
    return backend
}

/// Warns on stderr of faults in a device's driver that are not worked around, even with `--quiet`.
func warn(of backend: any Backend) {
    for quirk in (backend as? OpenCLBackend)?.quirks ?? [] where quirk.effect == .warning {
        Terminal.note("warning: \(quirk.text) (\(quirk.link))", quiet: false)
    }
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
