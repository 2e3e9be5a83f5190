import Foundation
import Support
import Testing

@testable import Ranks

/// Ranks on threads of this process; tools/check-mpi has the same functions over MPI.
@Suite struct ThreadRanksTests {
    private struct Broken: Error, Equatable {
        var rank: Int
    }

    /// Element `index` of what rank `rank` has.
    private static func word(_ rank: Int, _ index: Int) -> UInt64 {
        var stream = RandomStream(seed: UInt64(rank), run: index, purpose: .testing)
        return stream.next()
    }

    private static func words(_ rank: Int, _ count: Int) -> [UInt64] { (0..<count).map { word(rank, $0) } }

    @Test(arguments: [1, 2, 3, 7], [0, 1, 6, 13]) func reductionsAreThoseOfOneThread(size: Int, count: Int) throws {
        let all = (0..<size).map { Self.words($0, count) }
        func reduced(_ operation: (UInt64, UInt64) -> UInt64) -> [UInt64] {
            (0..<count).map { index in all.dropFirst().reduce(all[0][index]) { operation($0, $1[index]) } }
        }
        let expected = [reduced(&+), reduced(min), reduced(max)]
        let expectedSigned = (0..<count).map { index in
            all.reduce(Int64(0)) { $0 &+ Int64(bitPattern: $1[index]) }
        }
        let found = try Communicator.onThreads(size) { ranks in
            var results = [[UInt64]](repeating: Self.words(ranks.rank, count), count: 3)
            try ranks.sum(&results[0])
            try ranks.minimum(&results[1])
            try ranks.maximum(&results[2])
            var signed = Self.words(ranks.rank, count).map { Int64(bitPattern: $0) }
            try ranks.sum(&signed)
            return (ranks.rank, ranks.size, ranks.ranksInProcess, results, signed)
        }
        #expect(found.map(\.0) == Array(0..<size))
        for (_, ranks, inProcess, results, signed) in found {
            #expect(ranks == size && inProcess == size)
            #expect(results == expected && signed == expectedSigned)
        }
    }

    /// NaN on one rank, zeros of both signs on different ranks.
    @Test(arguments: [2, 3]) func extremesOfNumbersKeepTheirBits(size: Int) throws {
        let found = try Communicator.onThreads(size) { ranks in
            let values: [Double] = [ranks.rank == 1 ? .nan : 1, ranks.rank == 0 ? -0.0 : 0.0, Double(ranks.rank) - 3]
            var (least, greatest) = (values, values)
            try ranks.minimum(&least)
            try ranks.maximum(&greatest)
            return (least + greatest).map(\.bitPattern)
        }
        let expected: [Double] = [.nan, -0.0, -3, .nan, 0, Double(size) - 4]
        for bits in found { #expect(bits == expected.map(\.bitPattern)) }
    }

    /// Parts of several lengths, some of them empty.
    @Test(arguments: [1, 2, 3, 7], [0, 1, 13]) func partsComeTogetherInOrder(size: Int, count: Int) throws {
        func part(_ rank: Int) -> [Float] { Self.words(rank, count * (rank * 3 % 4)).map { Float($0 >> 40) } }
        let parts = (0..<size).map(part)
        let last = size - 1
        let found = try Communicator.onThreads(size) { ranks in
            let everywhere = try ranks.gather(parts[ranks.rank])
            let there = try ranks.gather(parts[ranks.rank], to: last)
            var sent = Self.words(ranks.rank, count)
            try ranks.broadcast(&sent, from: last)
            return (everywhere.values, everywhere.counts, there?.values, sent)
        }
        for (rank, (values, counts, there, sent)) in found.enumerated() {
            #expect(values == parts.flatMap { $0 } && counts == parts.map(\.count))
            #expect(there == (rank == last ? values : nil))
            #expect(sent == Self.words(last, count))
        }
    }

    @Test(arguments: [2, 3]) func whatRanksWereGivenIsCompared(size: Int) throws {
        let found = try Communicator.onThreads(size) { ranks -> RanksError? in
            try ranks.barrier()
            try ranks.agree(on: [Agreement("seed", "1")])
            let place = try ranks.placeOnHost()
            #expect(place == (ranks.rank, size))
            do throws(RanksError) {
                try ranks.agree(on: [Agreement("seed", ranks.rank == 0 ? "1" : "2")])
                return nil
            } catch { return error }
        }
        let expected = RanksError.disagreement(name: "seed", expected: "1", rank: 1, found: "2", others: size - 2)
        #expect(found == Array(repeating: expected, count: size))
    }

    /// The others wait for it, at once and after some calls, and end by an error that names it.
    @Test(arguments: [2, 3, 7], [0, 5]) func aRankThatFailsEndsAll(size: Int, calls: Int) throws {
        let errors = Locked<[Int: RanksError]>([:])
        #expect(throws: Broken(rank: size - 1)) {
            try Communicator.onThreads(size) { ranks in
                var values: [Int64] = [1]
                for _ in 0..<calls { try ranks.sum(&values) }
                if ranks.rank == size - 1 { throw Broken(rank: ranks.rank) }
                do throws(RanksError) { try ranks.sum(&values) } catch {
                    errors.withLock { $0[ranks.rank] = error }
                    throw error
                }
            }
        }
        let found = errors.withLock { $0 }
        #expect(found.count == size - 1)
        for error in found.values {
            guard case .rankFailed(let rank, let ranks, let reason) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(rank == size - 1 && ranks == size && reason.hasPrefix("Broken"))
            #expect(!error.isShared && error.description.hasPrefix("rank \(size - 1) of \(size) failed: Broken"))
        }
    }

    @Test func aRankThatReturnsTooSoonEndsThoseThatWait() {
        #expect(throws: RanksError.rankEnded(rank: 1)) {
            try Communicator.onThreads(3) { ranks in if ranks.rank != 1 { try ranks.barrier() } }
        }
        #expect(RanksError.rankEnded(rank: 1).category == .software)
    }

    /// No rank hangs, and all have the same error.
    @Test func differentCallsAreAnErrorOfAll() throws {
        func errors(_ body: @escaping @Sendable (Communicator) throws(RanksError) -> Void) throws -> [RanksError?] {
            try Communicator.onThreads(3) { ranks -> RanksError? in
                do throws(RanksError) {
                    try body(ranks)
                    return nil
                } catch { return error }
            }
        }
        let sizes = try errors { ranks throws(RanksError) in
            var values = [UInt64](repeating: 1, count: ranks.rank == 2 ? 3 : 2)
            try ranks.sum(&values)
        }
        let size = RanksError.differentCalls(rank: 2, first: "a sum of 16 bytes", found: "a sum of 24 bytes")
        #expect(sizes == [size, size, size] && size.isShared)
        let calls = try errors { ranks throws(RanksError) in
            var values: [Int64] = [1]
            if ranks.rank == 1 { try ranks.broadcast(&values) } else { try ranks.sum(&values) }
        }
        let call = RanksError.differentCalls(
            rank: 1, first: "a sum of 8 bytes", found: "a broadcast from rank 0 of 8 bytes")
        #expect(calls == [call, call, call])
        #expect(
            call.description
                == "rank 0 calls a sum of 8 bytes while rank 1 calls a broadcast from rank 0 of 8 bytes; all ranks must call "
                + "the same")
    }

    @Test func callsOfAnotherThreadAreRefused() throws {
        let errors = try Communicator.onThreads(2) { ranks -> RanksError? in
            nonisolated(unsafe) let shared = ranks
            let outcome = Locked<RanksError?>(nil)
            let ended = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                do throws(RanksError) { try shared.barrier() } catch { outcome.withLock { $0 = error } }
                ended.signal()
            }
            ended.wait()
            return outcome.withLock { $0 }
        }
        #expect(errors == [.otherThread(call: "a barrier"), .otherThread(call: "a barrier")])
    }

    /// An error of all ranks is reported without a name; another one by the first rank that has it.
    @Test func oneSentenceIsReported() throws {
        let reports = Locked<[String]>([])
        func run(_ body: @escaping @Sendable (Communicator) throws -> Void) {
            reports.withLock { $0 = [] }
            #expect(throws: (any Error).self) {
                try Communicator.onThreads(3) { ranks in
                    do { try body(ranks) } catch {
                        ranks.end(error, message: "it failed", exitCode: 65) { text in
                            reports.withLock { $0.append(text) }
                        }
                        throw error
                    }
                }
            }
        }
        run { _ in throw RanksError.sums(.different("size")) }
        #expect(reports.withLock { $0 } == ["it failed"])
        run { ranks in
            if ranks.rank == 2 { throw Broken(rank: 2) }
            try ranks.barrier()
        }
        #expect(reports.withLock { $0 } == ["rank 2 of 3: it failed"])
        run { ranks in
            ranks.names = ["a", "b", "c"]
            if ranks.rank == 1 { throw Broken(rank: 1) }
            try ranks.barrier()
        }
        #expect(reports.withLock { $0 } == ["b: it failed"])
    }

    /// Rank 0 fails by itself before it meets the others, which have a shared error; whichever comes first reports, and the
    /// error thrown is the one reported.
    @Test(arguments: [0, 1, 2]) func oneOfSeveralErrorsIsReported(own: Int) throws {
        struct Code: Error, Equatable { var value: Int }
        for isOwnFirst in [false, true] {
            let reports = Locked<[String]>([])
            let ended = DispatchSemaphore(value: 0)
            let code = #expect(throws: Code.self) {
                try Communicator.onThreads(3) { ranks in
                    let isOwn = ranks.rank == own
                    if isOwn != isOwnFirst { ended.wait() }
                    let error: any Error = isOwn ? Broken(rank: own) : RanksError.sums(.different("size"))
                    ranks.end(error, message: isOwn ? "own" : "shared", exitCode: 65) { text in
                        reports.withLock { $0.append(text) }
                    }
                    for _ in 0..<2 { ended.signal() }
                    // As a command does, whose error has been printed.
                    throw Code(value: isOwn ? 1 : 2)
                }
            }
            #expect(reports.withLock { $0 } == [isOwnFirst ? "rank \(own) of 3: own" : "shared"])
            #expect(code == Code(value: isOwnFirst ? 1 : 2))
        }
    }

    /// Exact sums of many chunks have the bits of one rank.
    @Test(arguments: [2, 3, 7]) func exactSumsAreThoseOfOneRank(size: Int) throws {
        let (chunks, elements) = (101, 33)
        let scale = try FixedPoint(bound: 1000, rows: chunks * 100)
        let units = try [1, size].map { size in
            try Communicator.onThreads(size) { ranks in
                var sums = ExactSums(elements: elements, scale)
                for chunk in stride(from: ranks.rank, to: chunks, by: ranks.size).reversed() {
                    let values = (0..<elements).map {
                        Float(Int64(bitPattern: Self.word(chunk, $0)) >> 24) * 0x1p-39 * 100_000
                    }
                    try sums.add(values, rows: 100)
                }
                try sums.combine(over: ranks)
                return sums.units
            }
        }
        for found in units[1] { #expect(found == units[0][0]) }
    }
}
