import Testing

@testable import Datasets
import TestSupport

/// Sets of samples as one.
@Suite struct JoinedSamplesTests {
    private static let width = 5

    private static func numbers(_ count: Int, _ seed: Int) -> [UInt8] {
        var noise = Noise(seed)
        return (0..<count * width).map { _ in UInt8(truncatingIfNeeded: noise.next()) % 200 }
    }

    /// The same numbers in memory and in files, of several types.
    private func sets(_ values: [UInt8], _ folder: TemporaryFolder) throws -> [SampleSet] {
        let count = values.count / Self.width
        func file(_ type: String, _ payload: [UInt8]) throws -> SampleSet {
            let path = try folder.file("\(count)-\(type.dropFirst()).npy", npyFile(type, [count, Self.width], payload))
            return SampleSet(try Features.open([path]).values)
        }
        return [
            try SampleSet(
                pixels: values, labels: [UInt8](repeating: 0, count: count), height: 1, width: Self.width),
            SampleSet(
                valid: .floats(values.map { Float($0) }), count: count, shape: .vector(Self.width)),
            try file("|u1", values), try file("<f4", TestSupport.bytes(values.map { Float($0) })),
            try file("<f8", TestSupport.bytes(values.map { Double($0) })),
            try file("<i4", TestSupport.bytes(values.map { Int32($0) })),
        ]
    }

    /// A matrix of any size, none of which is there.
    private struct Vast: StoredValues {
        let type = ValueType.float16
        let rowCount: Int
        let columnCount: Int
        func read(_: Range<Int>, into _: UnsafeMutableRawBufferPointer) throws(DatasetError) {}
        func read(rowsAt _: [Int], into _: UnsafeMutableRawBufferPointer) throws(DatasetError) {}
        func origin(of row: Int) -> RowOrigin { RowOrigin(file: "vast-\(rowCount).npy", row: row) }
        func checkUnchanged() throws(DatasetError) {}
    }

    @Test func moreRowsThanCanBeCountedAreRefused() throws {
        let fitting = try JoinedRows.join([Vast(rowCount: 1 << 58, columnCount: 1), Vast(rowCount: 3, columnCount: 1)])
        #expect(fitting.rowCount == 1 << 58 + 3)
        for (counts, width) in [
            ([Int.max / 2 + 1, Int.max / 2 + 1], 1), ([1 << 59, 1 << 59], 1), ([1 << 50, 9], 1 << 10),
        ] {
            let error = try #require(throws: DatasetError.self) {
                try JoinedRows.join(counts.map { Vast(rowCount: $0, columnCount: width) })
            }
            #expect(error.category == .badData)
            #expect(
                error.description
                    == "vast-\(counts[1]).npy: its \(counts[1]) rows of \(width) values, after \(counts[0]) of other files, are too"
                    + " many to index; give fewer files")
        }
    }

    @Test func rowsOfTwoSetsAreOneMatrix() throws {
        let folder = try TemporaryFolder()
        let (few, many) = (Self.numbers(7, 1), Self.numbers(300, 2))
        for first in try sets(few, folder) {
            for second in try sets(many, folder) {
                let joined = try SampleSet.joining([first, second])
                #expect(joined.count == 307 && joined.shape == .vector(Self.width) && joined.labels.isEmpty)
                guard case .stored(let values) = joined.values else {
                    Issue.record("values in memory")
                    continue
                }
                let all = (few + many).map { Double($0) }
                #expect(try rows(of: values) == all)
                let chosen = [0, 6, 7, 7, 306]
                #expect(
                    try rows(of: values, at: chosen) == chosen.flatMap { all[$0 * Self.width..<($0 + 1) * Self.width] })
            }
        }
    }

    @Test func setsOfOtherWidthsAreRefused() throws {
        let one = SampleSet(valid: .floats([1, 2, 3, 4]), count: 2, shape: .vector(2))
        let other = SampleSet(valid: .floats([1, 2, 3]), count: 1, shape: .vector(3))
        let error = try #require(throws: DatasetError.self) { try SampleSet.joining([one, other]) }
        #expect(error.category == .badData && error.description.contains("3 values"))
    }
}
