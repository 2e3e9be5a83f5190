import CMPI
import Foundation
import Testing

@testable import Ranks

@Suite struct CommunicatorTests {
    @Test func aloneEverythingStaysAsItIs() throws {
        let alone = Communicator()
        var words: [UInt64] = [1, .max]
        try alone.sum(&words)
        try alone.minimum(&words)
        try alone.maximum(&words)
        try alone.broadcast(&words)
        #expect(words == [1, .max])
        var integers: [Int64] = [-1, .min]
        try alone.sum(&integers)
        #expect(integers == [-1, .min])
        let parts = try alone.gather([1.5, 2.5])
        #expect(parts.values == [1.5, 2.5] && parts.counts == [2] && parts[0] == [1.5, 2.5])
        #expect(try alone.gather([UInt8](), to: 0)?.values == [])
        #expect(try alone.placeOnHost() == (0, 1))
        try alone.agree(on: [Agreement("seed", "1")])
        try alone.barrier()
        try alone.close()
    }

    /// Numbers go to MPI as integers of the same order, and come back.
    @Test func extremesKeepTheirBits() throws {
        let alone = Communicator()
        let values: [Double] = [
            -.infinity, -.greatestFiniteMagnitude, -1, -.leastNonzeroMagnitude, -0.0, 0, .leastNonzeroMagnitude, 1.5,
            .infinity,
        ]
        var least = values
        var greatest = values
        try alone.minimum(&least)
        try alone.maximum(&greatest)
        #expect(least.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(greatest.map(\.bitPattern) == values.map(\.bitPattern))
        var nans: [Double] = [.nan, -.nan, Double(nan: 5, signaling: false)]
        try alone.minimum(&nans)
        #expect(nans.allSatisfy { $0.bitPattern == Double.nan.bitPattern })
        try alone.maximum(&nans)
        #expect(nans.allSatisfy { $0.bitPattern == Double.nan.bitPattern })
    }

    @Test func aloneAnErrorIsReportedAsItIs() {
        var reports: [String] = []
        Communicator().end(ExactSumError.different("size"), message: "it failed", exitCode: 65) { reports.append($0) }
        #expect(reports == ["it failed"])
    }

    /// In a process of its own, whose table is still empty.
    @Test func callsBeforeLoadingReturnAStatus() async {
        await #expect(processExitsWith: .success) {
            #expect(cop_mpi_barrier() == COP_MPI_LIBRARY_MISSING)
            #expect(cop_mpi_abort(1) == COP_MPI_LIBRARY_MISSING)
            #expect(cop_mpi_end() == COP_MPI_LIBRARY_MISSING)
            #expect(cop_mpi_broadcast(nil, 4, 0, 1) == COP_MPI_LIBRARY_MISSING)
            #expect(cop_mpi_all_reduce(nil, 4, 0, 8) == COP_MPI_LIBRARY_MISSING)
            #expect(cop_mpi_gather(nil, nil, 0, nil, 8) == COP_MPI_LIBRARY_MISSING)
        }
    }
}

@Suite struct AgreementTests {
    private let first = [Agreement("version", "0.1.0"), Agreement("seed", "1"), Agreement("the file a.npy", "00ff")]

    @Test func textsSurviveTheirEncoding() {
        let odd = [Agreement("", ""), Agreement("a name", "ä"), Agreement("empty", "")]
        for agreements in [[], first, odd] {
            #expect(Agreement.decoded(Agreement.encoded(agreements)[...]) == agreements)
        }
    }

    @Test func ranksThatAgreeDoInAnyOrder() {
        #expect(Agreement.difference(among: [first, first, first]) == nil)
        #expect(Agreement.difference(among: [first, first.reversed()]) == nil)
    }

    @Test func theFirstDifferenceIsNamed() throws {
        var second = first
        second[1] = Agreement("seed", "7")
        second[2] = Agreement("the file a.npy", "ff00")
        let error = try #require(Agreement.difference(among: [first, first, second, first, second]))
        #expect(error == .disagreement(name: "seed", expected: "1", rank: 2, found: "7", others: 1))
        #expect(error.isShared && error.category == .badData)
        #expect(
            error.description
                == "the ranks differ in seed: rank 0 has 1, rank 2 has 7, and 1 other rank differs; all ranks must have the "
                + "same")
    }

    /// A checksum that differs in its last digit, a thing that one rank lacks, and one that rank 0 lacks.
    @Test func nothingIsOverlooked() {
        let digest = String(repeating: "0", count: 63)
        #expect(
            Agreement.difference(among: [[Agreement("a", digest + "1")], [Agreement("a", digest + "2")]])
                == .disagreement(name: "a", expected: digest + "1", rank: 1, found: digest + "2", others: 0))
        #expect(
            Agreement.difference(among: [first, Array(first.dropLast())])
                == .disagreement(name: "the file a.npy", expected: "00ff", rank: 1, found: "nothing", others: 0))
        #expect(
            Agreement.difference(among: [Array(first.dropLast()), first])
                == .disagreement(name: "the file a.npy", expected: "nothing", rank: 1, found: "00ff", others: 0))
        let twice = [Agreement("file", "1"), Agreement("file", "2")]
        #expect(
            Agreement.difference(among: [twice, [twice[0], Agreement("file", "3")]])
                == .disagreement(name: "file", expected: "1 and 2", rank: 1, found: "1 and 3", others: 0))
    }
}
