import Foundation
import Ranks
import Support

/// Element `index` of what rank `rank` has, the same whoever computes it.
private func word(_ rank: Int, _ index: Int) -> UInt64 {
    var word = UInt64(rank) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(index) &* 0xD1B5_4A32_D192_ED03 &+ 1
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
}

private func words(_ rank: Int, _ count: Int) -> [UInt64] { (0..<count).map { word(rank, $0) } }

/// Every function of a communicator against values computed alone, in one call and in pieces.
func checkCollectives(_ ranks: Communicator) throws {
    let usual = ranks.mostBytes
    for most in [usual, 40] {
        ranks.mostBytes = most
        for count in [0, 1, 13] {
            try checkReductions(ranks, count)
            try checkMovements(ranks, count)
        }
    }
    ranks.mostBytes = usual
    try checkExtremes(ranks)
    try checkThread(ranks)
    try ranks.barrier()
    let place = try ranks.placeOnHost()
    try expect(place == (ranks.rank, ranks.size), "place on the host \(place)")
    try ranks.agree(on: [Agreement("seed", "1"), Agreement("nothing", "")])
    let difference = try error { try ranks.agree(on: [Agreement("seed", ranks.rank == 0 ? "1" : "2")]) }
    let expected = RanksError.disagreement(name: "seed", expected: "1", rank: 1, found: "2", others: ranks.size - 2)
    try expect(difference == (ranks.size == 1 ? nil : expected), "agreement \(String(describing: difference))")
    let digest = try exactSums(ranks)
    if ranks.rank == 0 { print("exact sums: \(digest)") }
}

private func error(of body: () throws -> Void) throws -> RanksError? {
    do {
        try body()
        return nil
    } catch let error as RanksError { return error }
}

private func checkReductions(_ ranks: Communicator, _ count: Int) throws {
    let all = (0..<ranks.size).map { words($0, count) }
    func reduced(_ operation: (UInt64, UInt64) -> UInt64) -> [UInt64] {
        (0..<count).map { index in all.dropFirst().reduce(all[0][index]) { operation($0, $1[index]) } }
    }
    var sum = all[ranks.rank]
    try ranks.sum(&sum)
    try expect(sum == reduced(&+), "sum of \(count) unsigned integers")
    var signed = all[ranks.rank].map { Int64(bitPattern: $0) >> 8 }
    try ranks.sum(&signed)
    let expected = (0..<count).map { index in all.reduce(Int64(0)) { $0 + (Int64(bitPattern: $1[index]) >> 8) } }
    try expect(signed == expected, "sum of \(count) integers")
    var least = all[ranks.rank]
    try ranks.minimum(&least)
    try expect(least == reduced(min), "minimum of \(count) integers")
    var greatest = all[ranks.rank]
    try ranks.maximum(&greatest)
    try expect(greatest == reduced(max), "maximum of \(count) integers")
}

private func checkMovements(_ ranks: Communicator, _ count: Int) throws {
    let last = ranks.size - 1
    for root in Set([0, last]).sorted() {
        var values = words(ranks.rank, count).map { Float($0 >> 40) }
        try ranks.broadcast(&values, from: root)
        try expect(values == words(root, count).map { Float($0 >> 40) }, "broadcast of \(count) from rank \(root)")
    }
    // Parts of several lengths, some of them empty.
    func part(_ rank: Int) -> [UInt8] {
        words(rank, count * (rank * 3 % 4)).map { UInt8(truncatingIfNeeded: $0) }
    }
    let everywhere = try ranks.gather(part(ranks.rank))
    for rank in 0..<ranks.size {
        try expect(Array(everywhere[rank]) == part(rank), "part of rank \(rank), gathered everywhere")
    }
    try expect(everywhere.values.count == everywhere.counts.reduce(0, +), "number of elements gathered")
    for root in Set([0, last]).sorted() {
        let gathered = try ranks.gather(words(ranks.rank, count + ranks.rank), to: root)
        try expect((gathered != nil) == (ranks.rank == root), "gathered on rank \(ranks.rank) for rank \(root)")
        for rank in 0..<ranks.size {
            let isRight = gathered.map { Array($0[rank]) == words(rank, count + rank) } ?? true
            try expect(isRight, "part of rank \(rank), gathered by rank \(root)")
        }
    }
}

/// NaN on one rank, zeros of both signs on different ranks, infinities.
private func checkExtremes(_ ranks: Communicator) throws {
    let last = ranks.size - 1
    func values(_ rank: Int) -> [Double] {
        [
            rank == last ? .nan : 1, rank == 0 ? -0.0 : 0.0, Double(rank) - 3, rank == last ? -.infinity : .infinity,
            -1 / Double(rank + 1),
        ]
    }
    var least = values(ranks.rank)
    try ranks.minimum(&least)
    var greatest = values(ranks.rank)
    try ranks.maximum(&greatest)
    let bits = (least + greatest).map(\.bitPattern)
    let expected: [Double] = [
        .nan, -0.0, -3, -.infinity, -1, .nan, last == 0 ? -0.0 : 0.0, Double(last) - 3,
        last == 0 ? -.infinity : .infinity,
        -1 / Double(last + 1),
    ]
    try expect(bits == expected.map(\.bitPattern), "extremes \(least) \(greatest)")
}

/// MPI belongs to the thread that started it.
private func checkThread(_ ranks: Communicator) throws {
    guard ranks.library != nil else { return }
    nonisolated(unsafe) let shared = ranks
    let outcome = Locked<RanksError?>(nil)
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
        do throws(RanksError) { try shared.barrier() } catch { outcome.withLock { $0 = error } }
        ended.signal()
    }
    ended.wait()
    let error = outcome.withLock { $0 }
    try expect(error == .otherThread(call: "MPI_Barrier"), "call by another thread: \(String(describing: error))")
}

/// Sums of 1,009 chunks of 100 rows, spread over the ranks: a digest of their bits, the same for any number of ranks.
private func exactSums(_ ranks: Communicator) throws -> String {
    let chunks = 1009
    let elements = 257
    let scale = try FixedPoint(bound: 1000, rows: chunks * 100)
    var sums = ExactSums(elements: elements, scale)
    // Not in order, so that neither order nor ranges matter.
    for chunk in stride(from: ranks.rank, to: chunks, by: ranks.size).reversed() {
        let values = (0..<elements).map { Float(Int64(bitPattern: word(chunk, $0)) >> 24) * 0x1p-39 * 100_000 }
        try sums.add(values, rows: 100)
    }
    try sums.combine(over: ranks)
    try expect(sums.rowsAdded == chunks * 100, "rows of an exact sum")
    let difference = try error {
        var other = ExactSums(elements: 2, try FixedPoint(bound: ranks.rank == 0 ? 1 : 2, rows: 10))
        try other.combine(over: ranks)
    }
    try expect((difference != nil) == (ranks.size > 1), "sums of different scales are added")
    var hash = SHA256()
    sums.units.withUnsafeBytes { hash.update($0) }
    return hash.digest
}

/// More bytes than an int counts: sent by one rank, gathered from all, and summed.
func checkLargeCounts(_ ranks: Communicator) throws {
    let count = 1 << 31 + 17
    func byte(_ index: Int, _ rank: Int) -> UInt8 { UInt8(truncatingIfNeeded: index &* 167 &+ index >> 20 &+ rank) }
    // Looked at where pieces and 32 bits end.
    let places = [0, 1 << 27 - 1, 1 << 27, 1 << 30, 1 << 31 - 1, 1 << 31, count - 1]
    do {
        var values = [UInt8](repeating: 0, count: count)
        if ranks.rank == 0 { for place in places { values[place] = byte(place, 0) } }
        try ranks.broadcast(&values)
        for place in places { try expect(values[place] == byte(place, 0), "byte \(place) of a large broadcast") }
    }
    do {
        // The last rank has nearly all of it.
        let own = ranks.rank == ranks.size - 1 ? count : 3
        var part = [UInt8](repeating: 0, count: own)
        for place in places where place < own { part[place] = byte(place, ranks.rank) }
        let gathered = try ranks.gather(part, to: 0)
        for rank in 0..<ranks.size {
            for place in places {
                guard let gathered, place < gathered.counts[rank] else { continue }
                let value = gathered[rank][gathered[rank].startIndex + place]
                try expect(value == byte(place, rank), "byte \(place) of rank \(rank) in a large gathering")
            }
        }
    }
}
