import Compute
import Ranks
import Support

/// The backend of this rank: its number among the ranks of its host chooses one of the devices that `spec` means there. Ranks
/// may share a processor, but no GPU. Collective.
/// - Parameter devices: the device of each rank if the ranks are threads; empty if they are processes.
/// - Throws: ``SharedRefusal`` if any rank has none.
func rankBackend(
    _ spec: String, of devices: [DeviceInventory.DeviceEntry], profile: DeviceProfile?, over ranks: Communicator,
    quiet: Bool
) throws -> any Backend {
    if !devices.isEmpty {
        let backend = try ranks.sharingFailures {
            try DeviceSelection.make(on: devices[ranks.rank], profile: profile, startsOften: true)
        }
        warn(of: backend)
        return backend
    }
    let host = try ranks.ranksOnHost()[0]
    var found: DeviceShares?
    let offer = try ranks.sharingFailures {
        let shares = try DeviceShares(spec: spec)
        found = shares
        return DeviceOffer(
            host: host, isShareable: shares.isShareable, identities: shares.candidates.map(\.identity))
    }
    let all = try ranks.gather(offer.bytes)
    let numbers = try DeviceOffer.numbers((0..<ranks.size).map { DeviceOffer(all[$0]) }, spec: spec)
    let backend = try ranks.sharingFailures { () -> any Backend in
        guard let shares = found else { return CPUBackend() }
        let (backend, reason) = try shares.makeBackend(numbers[ranks.rank], profile: profile)
        Terminal.note("device: \(reason)", quiet: quiet)
        return backend
    }
    noteCache(quiet: quiet)
    warn(of: backend)
    return backend
}

/// The devices that a rank can take.
struct DeviceOffer: Equatable {
    /// The first rank of the rank's host.
    var host: Int
    /// True if ranks may share a device.
    var isShareable: Bool
    /// The identities of the devices, which are the same on all ranks of the host; empty for the built-in path.
    var identities: [String]

    /// The offer as other ranks get it, one line per item.
    var bytes: [UInt8] {
        Array((["\(host)", isShareable ? "shared" : "own"] + identities).joined(separator: "\n").utf8)
    }

    /// The number of the device that each rank takes: on each host, the first one that no earlier rank has.
    /// - Parameters:
    ///   - offers: the offers of all ranks.
    ///   - spec: the value of `--device`, for errors.
    /// - Throws: ``SharedRefusal`` if a rank has none.
    static func numbers(_ offers: [DeviceOffer], spec: String) throws -> [Int] {
        var numbers = [Int](repeating: 0, count: offers.count)
        for host in Set(offers.map(\.host)).sorted() {
            let members = offers.indices.filter { offers[$0].host == host }
            let own = DeviceShares.numbers(members.map { offers[$0].identities })
            for (place, rank) in members.enumerated() {
                let offer = offers[rank]
                if offer.isShareable {
                    numbers[rank] = offer.identities.isEmpty ? 0 : place % offer.identities.count
                    continue
                }
                guard let number = own[place] else {
                    let count = Set(members.flatMap { offers[$0].identities }).count
                    throw SharedRefusal(
                        "rank \(rank) has no device: the \(members.count) ranks of its host have "
                            + "\(describeCount(count, "device")) for --device \(excerpt(spec)), and each needs one of its own; "
                            + "start at most \(count) per host, or give --device opencl-cpu", category: .unavailable)
                }
                numbers[rank] = number
            }
        }
        return numbers
    }
}

extension DeviceOffer {
    /// The offer of ``bytes``.
    init(_ bytes: ArraySlice<UInt8>) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        host = lines.first.flatMap { Int($0) } ?? 0
        isShareable = lines.count > 1 && lines[1] == "shared"
        identities = Array(lines.dropFirst(2))
    }
}

extension Communicator {
    /// Runs `body` on all ranks. If it fails on any, all ranks throw the error of the first of these, so that they end in order
    /// and one error is printed. Collective.
    /// - Throws: ``SharedRefusal``, ``RanksError``.
    func sharingFailures<Value>(_ body: () throws -> Value) throws -> Value {
        let outcome = Result { try body() }
        var bytes: [UInt8] = []
        if case .failure(let error) = outcome {
            let failure = Failure(error) ?? Failure("\(error)", exitCode: 70)
            bytes = Array("\(failure.exitCode) \(failure.message)".utf8)
        }
        let all = try gather(bytes)
        if let rank = (0..<size).first(where: { !all[$0].isEmpty }) {
            let text = String(decoding: all[rank], as: UTF8.self)
            let parts = text.split(separator: " ", maxSplits: 1)
            let isOfAll = (0..<size).allSatisfy { all[$0].elementsEqual(all[rank]) }
            let message = parts.count > 1 ? String(parts[1]) : text
            throw SharedRefusal(
                isOfAll ? message : "\(name(of: rank)): \(message)", exitCode: Int32(parts.first ?? "") ?? 70)
        }
        return try outcome.get()
    }
}

/// An error that all ranks have, so that they end in order and rank 0 reports it.
struct SharedRefusal: SharedError {
    let failure: Failure
    let isShared = true

    init(_ message: String, exitCode: Int32) { failure = Failure(message, exitCode: exitCode) }
    init(_ message: String, category: ErrorCategory) { failure = Failure(message, category: category) }
}
