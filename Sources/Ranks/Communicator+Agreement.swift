import Foundation
import Support

/// Something that all ranks must have the same of: a file by its checksum, a version, a seed.
package struct Agreement: Equatable, Sendable {
    /// The thing as messages name it, such as `the file points.npy`.
    package let name: String
    /// A short text that is equal where the thing is.
    package let value: String

    /// Neither may contain a zero byte.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Names and values, each followed by a zero byte.
    package static func encoded(_ agreements: [Agreement]) -> [UInt8] {
        agreements.flatMap { Array($0.name.utf8) + [0] + Array($0.value.utf8) + [0] }
    }

    /// The agreements that ``encoded(_:)`` encoded.
    package static func decoded(_ bytes: ArraySlice<UInt8>) -> [Agreement] {
        let texts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        return stride(from: 0, to: texts.count - 1, by: 2).map { Agreement(texts[$0], texts[$0 + 1]) }
    }

    /// The first thing that ranks differ in; nil where they agree. What a rank does not have is `nothing` there.
    /// - Parameter ranks: what each rank has, [ranks].
    static func difference(among ranks: [[Agreement]]) -> RanksError? {
        guard let first = ranks.first else { return nil }
        // In the order of rank 0, and after that what only others have.
        var names = first.map(\.name)
        for agreement in ranks.joined() where !names.contains(agreement.name) { names.append(agreement.name) }
        for name in names {
            let values = ranks.map { rank in rank.filter { $0.name == name }.map(\.value) }
            let others = values.indices.filter { values[$0] != values[0] }
            guard let rank = others.first else { continue }
            let shown = [values[0], values[rank]].map { value in
                value.isEmpty ? "nothing" : value.map { excerpt($0, longest: 80) }.joined(separator: " and ")
            }
            return .disagreement(
                name: name, expected: shown[0], rank: rank, found: shown[1], others: others.count - 1)
        }
        return nil
    }
}

extension Communicator {
    /// Refuses ranks that were given different things, so that none computes with another's. All ranks throw the same error.
    /// - Throws: ``RanksError/disagreement(name:expected:rank:found:others:)``.
    package func agree(on agreements: [Agreement]) throws(RanksError) {
        let all = try gather(Agreement.encoded(agreements))
        let first = all[0]
        // Nearly always there is nothing to decode.
        if (1..<size).allSatisfy({ all[$0].elementsEqual(first) }) { return }
        if let error = Agreement.difference(among: (0..<size).map { Agreement.decoded(all[$0]) }) { throw error }
    }

    /// This process's number among the ranks of its host, and how many they are. A host is one running system and one host
    /// name: containers with names of their own are hosts of their own.
    package func placeOnHost() throws(RanksError) -> (rank: Int, size: Int) {
        let ranks = try ranksOnHost()
        return (ranks.firstIndex(of: rank) ?? 0, ranks.count)
    }

    /// The numbers of the ranks of this process's host, rising; see ``placeOnHost()``.
    package func ranksOnHost() throws(RanksError) -> [Int] {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let system = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let all = try gather(name.map { UInt8(bitPattern: $0) } + Array(system.utf8))
        let own = all[rank]
        return (0..<size).filter { all[$0].elementsEqual(own) }
    }
}
