import Foundation

/// Ranks on threads of this process: where they meet, and what each shows the others there.
///
/// In a call every rank shows a buffer, waits for all, works with the buffers of all, and waits once more, so that no buffer is
/// gone while another rank uses it. A rank that ends wakes those that wait for it.
final class ThreadRanks: @unchecked Sendable {
    /// A function that all ranks call together.
    enum Call: Equatable {
        case barrier
        case broadcast(root: Int)
        /// To every rank if there is no root.
        case gather(root: Int?)
        case sum, minimum, maximum

        /// The function as messages name it.
        var name: String {
            switch self {
            case .barrier: "a barrier"
            case .broadcast(let root): "a broadcast from rank \(root)"
            case .gather(let root): root.map { "a gathering to rank \($0)" } ?? "a gathering"
            case .sum: "a sum"
            case .minimum: "a minimum"
            case .maximum: "a maximum"
            }
        }

        /// True if the buffers of all ranks must be of one size.
        var hasOneSize: Bool { if case .gather = self { false } else { true } }
    }

    /// The call and the buffer that a rank shows the others.
    private struct Shown {
        var call: Call
        var bytes: UnsafeMutableRawBufferPointer

        func fits(_ other: Shown) -> Bool {
            call == other.call && (bytes.count == other.bytes.count || !call.hasOneSize)
        }

        var text: String { call.hasOneSize ? "\(call.name) of \(bytes.count) bytes" : call.name }
    }

    /// The number of ranks.
    let size: Int
    /// Guards everything below.
    private let condition = NSCondition()
    /// By rank.
    private var shown: [Shown]
    /// Ranks that wait for the others.
    private var arrived = 0
    /// Times that all ranks have met.
    private var round = 0
    /// Ranks that have ended, in order or by an error.
    private var ended: [Int] = []
    /// The first rank whose error is its own, and the error. It ends the ranks that wait for it.
    private var failure: (rank: Int, reason: String)?
    /// The first rank that failed, by its own error or by one of all ranks.
    private var firstFailed: Int?
    /// True once the error of a rank has been reported.
    private var isReported = false
    /// Ranks that failed by an error of all ranks.
    private var shareError: Set<Int> = []

    init(_ size: Int) {
        self.size = size
        shown = Array(
            repeating: Shown(call: .barrier, bytes: UnsafeMutableRawBufferPointer(start: nil, count: 0)), count: size)
    }

    // MARK: - Calls of all ranks

    func barrier(_ rank: Int) throws(RanksError) {
        try together(rank, .barrier, UnsafeMutableRawBufferPointer(start: nil, count: 0)) { _ in }
    }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int, to rank: Int) throws(RanksError) {
        try together(rank, .broadcast(root: root), bytes) { all in
            if rank != root { bytes.copyMemory(from: UnsafeRawBufferPointer(all[root])) }
        }
    }

    /// - Parameter room: as large as all parts on ranks that receive them.
    func gather(
        _ part: UnsafeRawBufferPointer, to root: Int?, into room: UnsafeMutableRawBufferPointer, on rank: Int
    ) throws(RanksError) {
        try together(rank, .gather(root: root), UnsafeMutableRawBufferPointer(mutating: part)) { all in
            guard root == nil || root == rank else { return }
            var start = 0
            for part in all {
                let end = min(start + part.count, room.count)
                UnsafeMutableRawBufferPointer(rebasing: room[start..<end])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: part[..<(end - start)]))
                start = end
            }
        }
    }

    /// Replaces 64-bit words by their sums (modulo 2^64) over all ranks, or as signed integers by the minima or maxima.
    /// - Parameter call: a sum, a minimum or a maximum.
    func reduce(_ words: UnsafeMutableRawBufferPointer, _ call: Call, on rank: Int) throws(RanksError) {
        try together(rank, call, words) { all in
            // Every rank reduces a part of the words for all. Results are integers, so that their order does not matter.
            let count = words.count / MemoryLayout<Int64>.stride
            let own = count * rank / self.size..<count * (rank + 1) / self.size
            let parts = all.map { UnsafeMutableBufferPointer(rebasing: $0.bindMemory(to: Int64.self)[own]) }
            for part in parts.dropFirst() { Self.reduce(parts[0], with: part, call) }
            for part in parts.dropFirst() {
                UnsafeMutableRawBufferPointer(part).copyMemory(from: UnsafeRawBufferPointer(parts[0]))
            }
        }
    }

    private static func reduce(
        _ words: UnsafeMutableBufferPointer<Int64>, with others: UnsafeMutableBufferPointer<Int64>, _ call: Call
    ) {
        switch call {
        case .minimum: for index in words.indices { words[index] = min(words[index], others[index]) }
        case .maximum: for index in words.indices { words[index] = max(words[index], others[index]) }
        default: for index in words.indices { words[index] &+= others[index] }
        }
    }

    /// Runs `body` on every rank with the buffers of all of them, by rank.
    /// - Throws: ``RanksError/differentCalls(rank:first:found:)`` on all ranks, ``RanksError/rankFailed(rank:ranks:reason:)``,
    ///   ``RanksError/rankEnded(rank:)``.
    private func together(
        _ rank: Int, _ call: Call, _ bytes: UnsafeMutableRawBufferPointer,
        _ body: ([UnsafeMutableRawBufferPointer]) -> Void
    ) throws(RanksError) {
        let own = Shown(call: call, bytes: bytes)
        let all = try meet(rank, showing: own)
        let other = all.firstIndex { !$0.fits(all[0]) }
        if other == nil { body(all.map(\.bytes)) }
        // No rank can end between the two meetings, so the second one always completes.
        _ = try meet(rank, showing: own)
        if let other {
            throw .differentCalls(rank: other, first: all[0].text, found: all[other].text)
        }
    }

    /// Waits for all ranks.
    /// - Returns: what each of them shows, by rank.
    private func meet(_ rank: Int, showing own: Shown) throws(RanksError) -> [Shown] {
        condition.lock()
        defer { condition.unlock() }
        if let absence { throw absence }
        shown[rank] = own
        arrived += 1
        if arrived == size {
            arrived = 0
            round += 1
            condition.broadcast()
            return shown
        }
        let before = round
        while round == before {
            if let absence { throw absence }
            condition.wait()
        }
        return shown
    }

    /// The error if some rank will never arrive; nil if all still can.
    private var absence: RanksError? {
        if let failure { return .rankFailed(rank: failure.rank, ranks: size, reason: failure.reason) }
        return ended.first.map { .rankEnded(rank: $0) }
    }

    // MARK: - Ends of ranks

    /// Records that a rank fails, and wakes the ranks that wait for it.
    /// - Parameters:
    ///   - isShared: true if all ranks have this error, so that none of them waits in vain.
    ///   - canReport: true if the rank reports its error unless another one has done so.
    /// - Returns: true if the rank is to report its error.
    @discardableResult func fail(_ rank: Int, _ reason: String, isShared: Bool, canReport: Bool) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if firstFailed == nil { firstFailed = rank }
        if isShared { shareError.insert(rank) }
        // The thread of a rank with a shared error may end by another error, such as an exit code.
        if failure == nil, !shareError.contains(rank) {
            failure = (rank, reason)
            condition.broadcast()
        }
        guard canReport, !isReported else { return false }
        isReported = true
        return true
    }

    /// Records that a rank makes no more calls, and wakes the ranks that wait for it.
    func end(_ rank: Int) {
        condition.lock()
        defer { condition.unlock() }
        ended.append(rank)
        condition.broadcast()
    }

    /// Waits until all ranks have ended.
    /// - Returns: the first rank that failed; nil if none did.
    func waitForEnds() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while ended.count < size { condition.wait() }
        return firstFailed
    }
}
