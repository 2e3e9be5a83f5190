/// The runs that wait for a device, and those that each device trains. It has no threads, so that any order of events can be
/// tested.
///
/// Runs come in groups that were requested together, largest work first. The runs of a group that keep the same number of
/// samples wait in one line and train together: as many as suit the device, or fewer once so little is left that other devices
/// would finish earlier.
struct DeviceSchedule {
    /// Runs that may train together, in the order in which they came.
    private struct Line {
        let group: Int
        let kept: Int
        /// The images that one of its runs sees in training.
        let images: Int
        var tickets: [Int]
    }

    /// A device and its work.
    private struct Member {
        /// The most networks that it trains together.
        var limit: Int
        /// The runs that it trains; empty while it has none.
        var tickets: [Int] = []
        /// The line that they came from.
        var line: Line?
        /// The images that the current training has seen, all networks together.
        var seen = 0
        var isLost = false

        /// The images that the current training has yet to see.
        var imagesLeft: Int { max(0, tickets.count * (line?.images ?? 0) - seen) }
    }

    private var lines: [Line] = []
    private var members: [Member]
    /// The images of runs that are planned but not added yet, by group.
    private var planned: [Int: Int] = [:]
    private var closed: Set<Int> = []

    /// Makes a schedule for devices with limits of the networks that train together.
    init(limits: [Int]) { members = limits.map { Member(limit: max(1, $0)) } }

    // MARK: - Runs

    /// Announces the images that a group's runs will see in training.
    mutating func plan(group: Int, images: Int) { planned[group] = images }

    /// Adds a run.
    /// - Parameters:
    ///   - ticket: a number that identifies it from now on.
    ///   - group: the group that it was requested with.
    ///   - kept: its number of samples.
    ///   - images: the number of images that it sees in training.
    ///   - planned: the number that it was planned to see, which is subtracted from its group's plan.
    mutating func add(_ ticket: Int, group: Int, kept: Int, images: Int, planned: Int) {
        self.planned[group] = max(0, (self.planned[group] ?? 0) - planned)
        if let place = lines.firstIndex(where: { $0.group == group && $0.kept == kept }) {
            lines[place].tickets.append(ticket)
        } else {
            lines.append(Line(group: group, kept: kept, images: images, tickets: [ticket]))
        }
    }

    /// Announces that no more runs of a group will come, so that waiting runs need not wait for others.
    mutating func close(group: Int) {
        closed.insert(group)
        planned[group] = nil
    }

    /// True if more runs should be added, because a device may soon have nothing to do, or because no line has enough runs for
    /// a training.
    var wantsMore: Bool {
        let limits = members.filter { !$0.isLost }.map(\.limit)
        guard let largest = limits.max() else { return false }
        let waiting = lines.reduce(0) { $0 + $1.tickets.count }
        return waiting < 2 * limits.reduce(0, +)
            || !lines.contains { closed.contains($0.group) || $0.tickets.count >= largest }
    }

    /// True if nothing waits and no device trains.
    var isDone: Bool { lines.isEmpty && members.allSatisfy { $0.isLost || $0.tickets.isEmpty } }

    /// The images that the current trainings have seen, on all devices.
    var imagesSeen: Int { members.reduce(0) { $0 + ($1.isLost ? 0 : $1.seen) } }

    // MARK: - Devices

    /// True for a device that was given up.
    func isLost(_ device: Int) -> Bool { members[device].isLost }

    /// The number of devices that are left.
    var devicesLeft: Int { members.count { !$0.isLost } }

    /// True for a device that is left and is not training.
    func isIdle(_ device: Int) -> Bool { !members[device].isLost && members[device].tickets.isEmpty }

    /// The first device that is left.
    var first: Int? { members.firstIndex { !$0.isLost } }

    /// Gives a device the next runs to train together.
    /// - Returns: their tickets; nil if there is nothing for it, for now or for good, or while it is busy.
    mutating func next(for device: Int) -> [Int]? {
        guard !members[device].isLost, members[device].tickets.isEmpty else { return nil }
        for place in lines.indices {
            let line = lines[place]
            let wanted = min(members[device].limit, fairShare(of: line))
            guard line.tickets.count >= wanted || closed.contains(line.group) else { continue }
            let tickets = Array(line.tickets.prefix(wanted))
            lines[place].tickets.removeFirst(tickets.count)
            if lines[place].tickets.isEmpty { lines.remove(at: place) }
            members[device].tickets = tickets
            members[device].line = line
            members[device].seen = 0
            return tickets
        }
        return nil
    }

    /// The number of runs of a line with which a device would have its part of everything that is left. If smaller work
    /// follows, it evens out one run fewer; otherwise, one run more saves a training.
    private func fairShare(of line: Line) -> Int {
        let own = line.images * line.tickets.count + (planned[line.group] ?? 0)
        let waiting = lines.reduce(0) { $0 + $1.images * $1.tickets.count } + planned.values.reduce(0, +)
        let underway = members.reduce(0) { $0 + ($1.isLost ? 0 : $1.imagesLeft) }
        let each = Double(waiting + underway) / Double(max(1, devicesLeft))
        let runs = each / Double(max(1, line.images))
        return max(1, Int(runs.rounded(waiting > own ? .toNearestOrAwayFromZero : .up)))
    }

    /// Records the number of images that a device's training has seen.
    mutating func note(images: Int, on device: Int) { members[device].seen = images }

    /// Records that a device is done with its runs.
    mutating func finish(_ device: Int) {
        members[device].tickets = []
        members[device].line = nil
        members[device].seen = 0
    }

    /// Puts a device's runs back in front of all others.
    mutating func giveBack(_ device: Int) {
        let tickets = members[device].tickets
        if var line = members[device].line, !tickets.isEmpty {
            if let place = lines.firstIndex(where: { $0.group == line.group && $0.kept == line.kept }) {
                line.tickets = tickets + lines.remove(at: place).tickets
            } else {
                line.tickets = tickets
            }
            lines.insert(line, at: 0)
        }
        finish(device)
    }

    /// Limits the number of networks that a device trains together.
    mutating func limit(_ device: Int, to networks: Int) { members[device].limit = max(1, networks) }

    /// Gives up a device; its runs go to the others.
    mutating func lose(_ device: Int) {
        giveBack(device)
        members[device].isLost = true
    }
}
