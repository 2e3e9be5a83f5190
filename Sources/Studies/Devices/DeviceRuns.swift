/// A device of a session with several, and the finished runs that were made on it.
package struct DeviceRuns: Equatable, Sendable {
    /// Its number, counted from 1.
    package let number: Int
    /// Its name in the runs' rows.
    package let name: String
    /// The number of finished runs that were made on it.
    package let runs: Int

    private struct Key: Hashable {
        var number: Int
        var name: String
    }

    /// The devices of these runs by number and name; none if every session had one device.
    package static func all(of records: some Sequence<RunRecord>) -> [DeviceRuns] {
        var counts: [Key: Int] = [:]
        for record in records {
            guard let number = record.deviceNumber else { continue }
            counts[Key(number: number, name: record.device), default: 0] += 1
        }
        return counts.map { DeviceRuns(number: $0.key.number, name: $0.key.name, runs: $0.value) }
            .sorted { ($0.number, $0.name) < ($1.number, $1.name) }
    }
}
