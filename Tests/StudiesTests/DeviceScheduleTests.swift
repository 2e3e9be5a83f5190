import Testing

@testable import Studies

@Suite struct DeviceScheduleTests {
    /// A schedule with one closed group of equal runs, with tickets from 0.
    private func schedule(_ runs: Int, limits: [Int], images: Int = 10) -> DeviceSchedule {
        var schedule = DeviceSchedule(limits: limits)
        schedule.plan(group: 0, images: runs * images)
        for ticket in 0..<runs { schedule.add(ticket, group: 0, kept: 5, images: images, planned: images) }
        schedule.close(group: 0)
        return schedule
    }

    /// Lets devices that all train at the same rate work until nothing is left.
    /// - Returns: the number of runs of each training, by device.
    private func sizes(_ schedule: inout DeviceSchedule, devices: Int, images: Int = 10) -> [[Int]] {
        var sizes = [[Int]](repeating: [], count: devices)
        var left = [Int](repeating: 0, count: devices)
        var seen = [Int](repeating: 0, count: devices)
        while true {
            for device in 0..<devices where left[device] == 0 {
                guard let tickets = schedule.next(for: device) else { continue }
                sizes[device].append(tickets.count)
                (left[device], seen[device]) = (tickets.count * images, 0)
            }
            guard let step = left.filter({ $0 > 0 }).min() else { return sizes }
            for device in 0..<devices where left[device] > 0 {
                left[device] -= step
                seen[device] += step
                schedule.note(images: seen[device], on: device)
                if left[device] == 0 { schedule.finish(device) }
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4], [1, 3, 5, 40])
    func devicesEndTogether(devices: Int, limit: Int) {
        for runs in [1, 2, 5, 10, 17, 40, 101] {
            var work = schedule(runs, limits: [Int](repeating: limit, count: devices))
            let sizes = sizes(&work, devices: devices)
            #expect(work.isDone && sizes.joined().reduce(0, +) == runs)
            #expect(sizes.joined().allSatisfy { (1...limit).contains($0) })
            let totals = sizes.map { $0.reduce(0, +) }
            // No device had more than its part, rounded up, and one training that the others were too far on to share.
            let most = totals.max() ?? 0
            #expect(most <= (runs + devices - 1) / devices + 1, "\(runs) runs: \(sizes)")
        }
    }

    @Test func trainingsAreLargeUntilTheEnd() {
        var ten = schedule(10, limits: [5, 5])
        #expect(sizes(&ten, devices: 2) == [[5], [5]])
        var few = schedule(3, limits: [40, 40])
        #expect(sizes(&few, devices: 2) == [[2], [1]])
        var one = schedule(12, limits: [5])
        #expect(sizes(&one, devices: 1) == [[5, 5, 2]])
    }

    @Test func largeRunsAreSpreadWhereSmallOnesFollow() {
        var schedule = DeviceSchedule(limits: [5, 5])
        schedule.plan(group: 0, images: 600)
        schedule.plan(group: 1, images: 180)
        for ticket in 0..<2 { schedule.add(ticket, group: 0, kept: 50, images: 300, planned: 300) }
        schedule.close(group: 0)
        #expect(schedule.next(for: 0) == [0] && schedule.next(for: 1) == [1])
        for ticket in 2..<8 { schedule.add(ticket, group: 1, kept: 5, images: 30, planned: 30) }
        schedule.close(group: 1)
        schedule.finish(0)
        // The other device is far from done.
        #expect(schedule.next(for: 0) == [2, 3, 4, 5, 6])
    }

    @Test func workThatIsStillPlannedCounts() {
        var schedule = DeviceSchedule(limits: [4, 4])
        schedule.plan(group: 0, images: 80)
        for ticket in 0..<3 { schedule.add(ticket, group: 0, kept: 5, images: 10, planned: 10) }
        // Enough runs are still to come for trainings of four.
        #expect(schedule.next(for: 0) == nil && schedule.wantsMore)
        schedule.add(3, group: 0, kept: 5, images: 10, planned: 10)
        #expect(schedule.next(for: 0) == [0, 1, 2, 3])
        #expect(schedule.next(for: 0) == nil && schedule.next(for: 1) == nil)
        schedule.add(4, group: 0, kept: 5, images: 10, planned: 10)
        // The rest of the group never came.
        schedule.close(group: 0)
        #expect(schedule.next(for: 1) == [4] && !schedule.isDone)
        schedule.finish(0)
        schedule.finish(1)
        #expect(schedule.isDone)
    }

    @Test func runsThatKeepOtherNumbersDoNotTrainTogether() {
        var schedule = DeviceSchedule(limits: [4])
        for ticket in 0..<4 { schedule.add(ticket, group: 0, kept: ticket % 2, images: 10, planned: 10) }
        schedule.add(4, group: 1, kept: 0, images: 10, planned: 10)
        for group in 0..<2 { schedule.close(group: group) }
        var trainings: [[Int]] = []
        while let tickets = schedule.next(for: 0) {
            trainings.append(tickets)
            schedule.finish(0)
        }
        #expect(trainings == [[0, 2], [1, 3], [4]])
    }

    @Test func theRunsOfALostDeviceAreNext() {
        var work = schedule(9, limits: [3, 3])
        #expect(work.next(for: 0) == [0, 1, 2])
        #expect(work.next(for: 1) == [3, 4, 5])
        work.lose(0)
        #expect(work.isLost(0) && work.devicesLeft == 1 && work.first == 1)
        #expect(work.next(for: 0) == nil)
        work.finish(1)
        #expect(work.next(for: 1) == [0, 1, 2])
        work.finish(1)
        #expect(work.next(for: 1) == [6, 7, 8] && !work.isDone)
        work.lose(1)
        // Nobody is left to train them.
        #expect(work.first == nil && !work.isDone && !work.wantsMore)
    }

    @Test func aDeviceWithLessRoomTakesFewer() {
        var work = schedule(8, limits: [4, 4])
        #expect(work.next(for: 0)?.count == 4)
        work.giveBack(0)
        work.limit(0, to: 2)
        #expect(work.next(for: 0) == [0, 1])
        #expect(work.next(for: 1) == [2, 3, 4, 5])
    }

    @Test func whatTheTrainingsUnderWayHaveSeenIsSummed() {
        var work = schedule(4, limits: [2, 2])
        _ = work.next(for: 0)
        _ = work.next(for: 1)
        work.note(images: 7, on: 0)
        work.note(images: 5, on: 1)
        #expect(work.imagesSeen == 12)
        work.finish(0)
        #expect(work.imagesSeen == 5)
        work.lose(1)
        #expect(work.imagesSeen == 0)
    }
}
