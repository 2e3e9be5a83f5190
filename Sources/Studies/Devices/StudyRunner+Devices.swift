import Support

/// Runs that were handed over to devices.
private final class Spread {
    var waiting: [Int: StudyRunner.Prepared] = [:]
    var count = 0

    func add(_ prepared: StudyRunner.Prepared) -> Int {
        count += 1
        waiting[count] = prepared
        return count
    }
}

extension StudyRunner {
    /// Selects samples for the remaining runs and lets the devices of a pool train these, those with the largest work first.
    ///
    /// Runs are recorded as they end, so the order of the log depends on the devices. The records themselves do not, except for
    /// times.
    func spread(_ session: StudySession, over pool: DevicePool) throws {
        let spread = Spread()
        pool.hear = { [self] event in try hear(event, of: pool, spread, session) }
        defer { pool.hear = announce }
        do {
            try hand(session, over: pool, spread)
        } catch {
            // No one will receive the results of what the devices have begun.
            pool.halt()
            throw error
        }
    }

    private func hand(_ session: StudySession, over pool: DevicePool, _ spread: Spread) throws {
        let pending = session.pendingByWork()
        guard let first = pending.first else { return }
        func later(than index: Int) -> Set<TrainingRecipe> { Set(pending[(index + 1)...].map(\.recipe)) }
        try pool.prepare(for: first.recipe, later: later(than: 0))
        try begin(session)
        try checkArtifacts(session)
        let team = try pool.team()
        team.plan(images: pending.map { $0.images * $0.runs.count })
        for (index, group) in pending.enumerated() {
            let others = later(than: index)
            try pool.prepare(for: group.recipe, later: others)
            for run in group.runs {
                try team.waitForRoom(cancellation, pool.hear)
                try cancellation.check()
                let prepared = try prepare(run, session)
                team.add(spread.add(prepared), prepared.job, later: others, group: index, planned: group.images)
            }
            team.close(group: index)
        }
        try team.waitForEnd(cancellation, pool.hear)
    }

    private func hear(
        _ event: DeviceTeam.Event, of pool: DevicePool, _ spread: Spread, _ session: StudySession
    ) throws {
        switch event {
        case .began(let jobs): report(.training(jobs))
        case .trained(let trained, let device):
            let batch = trained.compactMap { spread.waiting.removeValue(forKey: $0.ticket) }
            try record(
                trained.map(\.outcome), of: batch, session, on: device.name,
                number: pool.hasSeveral ? device.number : nil)
        case .failed(let error): throw error
        case .advanced, .shrunk, .lost: announce(event)
        }
    }

    /// Reports what becomes of the devices themselves.
    func announce(_ event: DeviceTeam.Event) {
        switch event {
        case .advanced(let images): report(.advanced(images: images))
        case .shrunk(let device, let error, let networks):
            report(.notice("device \(device.number): \(error); going on with \(networks) at once there"))
        case .lost(let device, let reason, let left):
            // A compiler that gets the interrupt fails, and the study ends anyway.
            guard left > 0, !cancellation.isCancelled else { return }
            let name = device.name.isEmpty ? "" : ", \(device.name),"
            report(
                .warning(
                    "device \(device.number)\(name) is given up: \(reason); its runs go to the "
                        + (left == 1 ? "other device" : "\(left) other devices")))
        case .began, .trained, .failed: break
        }
    }
}

extension StudySession {
    /// The remaining runs, grouped as by ``pendingByTraining()``. Groups whose runs see the most images come first: a device
    /// that takes one of these last would keep all others waiting.
    func pendingByWork() -> [(recipe: TrainingRecipe, runs: [PlannedRun], images: Int)] {
        let groups = pendingByTraining().map { group in
            let size = group.runs.first.map { plan.experiment($0.experimentID).size } ?? 0
            return (recipe: group.recipe, runs: group.runs, images: group.recipe.images(kept: size))
        }
        // Groups that are equal keep the plan's order.
        return groups.enumerated().sorted { ($1.element.images, $0.offset) < ($0.element.images, $1.offset) }
            .map(\.element)
    }
}
