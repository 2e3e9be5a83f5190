import ArgumentParser
import Compute
import Ranks
import Support

/// The options of commands that can spread their rows over several devices of this machine.
struct SpreadOptions: ParsableArguments {
    @Option(help: "What to compute on: \(DeviceRequest.accepted).")
    var device = "auto"
    @Option(
        help: ArgumentHelp(
            "Spread the rows over the first N devices that --device matches. Requires --kmeans lloyd.", valueName: "N"),
        transform: wholeNumber)
    var devices: Int?
    @Flag(help: "Allow devices that differ. The last bits of the result then depend on the devices and their order.")
    var mixDevices = false

    @Option(help: "Seed of all random numbers. (default: 1)", transform: seedNumber)
    var seed: UInt64 = 1

    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    func validate() throws {
        do { _ = try request } catch { throw ValidationError("\(error).") }
    }

    /// The request.
    /// - Throws: ``Sentence`` that says what is accepted.
    private var request: DeviceRequest {
        get throws(Sentence) { try DeviceRequest(device, count: devices, mixes: mixDevices) }
    }

    /// The same options for one device.
    var compute: ComputeOptions {
        var compute = ComputeOptions()
        (compute.device, compute.seed, compute.quiet) = (device, seed, quiet)
        return compute
    }

    /// The devices to spread over, each noted on stderr; empty if the request selects a single device.
    /// - Throws: `ComputeError/noDevice(reason:)` if there are too few, or if they differ and may not.
    func several() throws -> [DeviceInventory.DeviceEntry] {
        let request = try request
        guard request.mayMeanSeveral else { return [] }
        let entries = try DeviceSelection.devices(for: request, in: .current())
        guard entries.count > 1 else { return [] }
        noteCache(quiet: quiet)
        for (index, entry) in entries.enumerated() {
            Terminal.note("device \(index + 1): \(entry.label)", quiet: quiet)
        }
        return entries
    }

    /// Runs the work of a command on the ranks that a launcher started, or on several devices of this machine. Nothing runs if
    /// there is one process with one device.
    /// - Parameters:
    ///   - message: printed if a signal ends the process.
    ///   - onRanks: the work as one of several ranks that are processes.
    ///   - onDevices: the work on several devices.
    /// - Returns: the effect of signals if nothing ran; nil if the work is done.
    func runIfSeveral(
        saying message: String = "interrupted, nothing was written",
        onRanks: (Communicator, ExitOnInterrupt) throws -> Void,
        onDevices: ([DeviceInventory.DeviceEntry], ExitOnInterrupt) throws -> Void
    ) throws -> ExitOnInterrupt? {
        let ranks = try Communicator.join()
        if ranks.size > 1 {
            let interrupt = ExitOnInterrupt(saying: message, on: ranks)
            try ranks.finishing(interrupt) {
                try refuseSeveral(on: ranks)
                try onRanks(ranks, interrupt)
            }
            return nil
        }
        // A single rank is a plain process.
        try ranks.close()
        let interrupt = ExitOnInterrupt(saying: message)
        let devices = try several()
        if devices.isEmpty { return interrupt }
        defer { withExtendedLifetime(interrupt) {} }
        try onDevices(devices, interrupt)
        return nil
    }

    /// Refuses several devices on ranks that are processes, which have one each. Collective.
    func refuseSeveral(on ranks: Communicator) throws {
        try ranks.sharingFailures {
            guard try request.mayMeanSeveral else { return }
            let option = devices.map { "--devices \($0)" } ?? "--device \(excerpt(device))"
            throw Failure(
                "\(option) asks for several devices, and each of the \(ranks.size) ranks takes one: start one rank per "
                    + "device, with a plain --device such as gpu", exitCode: 64)
        }
    }

    /// Runs `body` on a rank for each device, each on a thread of its own. A failure is reported, and ends all.
    func spread(
        over devices: [DeviceInventory.DeviceEntry], _ body: @escaping @Sendable (Communicator) throws -> Void
    ) throws {
        let mixes = mixDevices
        let names = devices.enumerated().map { "device \($0 + 1) of \(devices.count) (\($1.label))" }
        try Communicator.onThreads(devices.count) { ranks in
            ranks.computesAlike = !mixes
            ranks.names = names
            try ranks.finishing { try body(ranks) }
        }
    }
}
