import Foundation
import Testing

@testable import Datasets
import TestSupport

/// Reads `contents` written as they are, and through gzip, and expects the same error of both.
private func expectError(
    _ contents: [UInt8], rank: Int = 3, alsoCompressed: Bool = true, sourceLocation: SourceLocation = #_sourceLocation,
    _ error: (String) -> DatasetError
) throws {
    let folder = try TemporaryFolder()
    for (name, data) in [("plain", contents), ("packed", gzip(contents))].prefix(alsoCompressed ? 2 : 1) {
        let path = try folder.file(name, data)
        #expect(throws: error(path), "\(name)", sourceLocation: sourceLocation) { try IDX.read(path, rank: rank) }
        #expect(error(path).category == .badData, sourceLocation: sourceLocation)
        #expect(error(path).description.contains(path), sourceLocation: sourceLocation)
    }
}

@Suite struct IDXTests {
    @Test(arguments: [[1], [300], [1, 1, 1], [3, 28, 28], [5, 1, 9], [2, 31, 3], [1000, 17, 19]])
    func readsWhatWasWritten(dimensions: [Int]) throws {
        let folder = try TemporaryFolder()
        var noise = Noise(dimensions.count)
        let payload = noise.bytes(dimensions.reduce(1, *))
        let path = try folder.file("written")
        try IDX.write(payload, dimensions: dimensions, to: path)
        #expect(try bytes(of: path) == idx(dimensions, payload))
        let expected = IDX(dimensions: dimensions, bytes: payload)
        #expect(try IDX.read(path, rank: dimensions.count) == expected)
        // The name says nothing about the contents, either way round.
        let compressed = gzip(idx(dimensions, payload))
        #expect(try IDX.read(folder.file("x-ubyte", compressed), rank: dimensions.count) == expected)
        #expect(try IDX.read(folder.file("x-ubyte.gz", idx(dimensions, payload)), rank: dimensions.count) == expected)
        #expect(expected.sha256 == sha256(idx(dimensions, payload)))
    }

    @Test(arguments: [1, 3, 15, 16, 17, 500])
    func joinsGzipMembers(split: Int) throws {
        let folder = try TemporaryFolder()
        var noise = Noise(split)
        let payload = noise.bytes(600)
        let all = idx([6, 10, 10], payload)
        let members = gzip(Array(all[..<split])) + gzip([]) + gzip(Array(all[split...]))
        #expect(try IDX.read(folder.file("members.gz", members), rank: 3).bytes == payload)
    }

    /// Tapes and some file systems fill blocks up with zeros; gzip(1) does not mind either.
    @Test(arguments: [1, 512, 65_000, 65_536, 200_000]) func zerosAfterGzipAreNoFault(count: Int) throws {
        let folder = try TemporaryFolder()
        var noise = Noise(count)
        let contents = idx([6, 10, 10], noise.bytes(600))
        let zeros = [UInt8](repeating: 0, count: count)
        let members = gzip(Array(contents[..<100])) + gzip(Array(contents[100...]))
        let expected = IDX(dimensions: [6, 10, 10], bytes: Array(contents[16...]))
        #expect(try IDX.read(folder.file("one.gz", gzip(contents) + zeros), rank: 3) == expected)
        #expect(try IDX.read(folder.file("two.gz", members + zeros), rank: 3) == expected)
        // Everything else still is one: other bytes, a member after the zeros, a stream that was cut, a wrong checksum.
        var damaged = gzip(contents)
        damaged[damaged.count - 6] ^= 1
        for bad in [
            gzip(contents) + [1], gzip(contents) + zeros + [1], gzip(contents) + zeros + gzip([]),
            gzip(contents) + Array("garbage".utf8), gzip(contents).dropLast(3) + zeros, damaged + zeros,
            gzip(Array(contents.dropLast())) + zeros,
        ] {
            let path = try folder.file("bad.gz", bad)
            let error = try #require(throws: DatasetError.self) { try IDX.read(path, rank: 3) }
            #expect(error.category == .badData)
        }
    }

    @Test func refusesWrongLengths() throws {
        let payload = [UInt8](repeating: 7, count: 24)
        try expectError(idx([3, 2, 4], Array(payload.dropLast()))) { .truncated(file: $0, expected: 40, found: 39) }
        try expectError(idx([3, 2, 4], [])) { .truncated(file: $0, expected: 40, found: 16) }
        try expectError(Array(idx([3, 2, 4], []).prefix(13))) { .truncated(file: $0, expected: 16, found: 13) }
        try expectError(Array(idx([3, 2, 4], []).prefix(2))) { .truncated(file: $0, expected: 16, found: 2) }
        try expectError(idx([3, 2, 4], payload + [1])) { .oversized(file: $0, expected: 40) }
        try expectError([]) { .empty(file: $0) }
        try expectError(idx([0, 28, 28], [])) { .empty(file: $0) }
        try expectError(idx([0], []), rank: 1) { .empty(file: $0) }
    }

    @Test func refusesOtherFormats() throws {
        try expectError(idx([3, 2, 4], [], magic: 0x0000_0801)) {
            .wrongMagic(file: $0, expected: 0x0803, found: 0x0801)
        }
        try expectError(idx([3], [1, 2, 3], magic: 0x0000_0d01), rank: 1) {
            .wrongMagic(file: $0, expected: 0x0801, found: 0x0d01)
        }
        try expectError(Array("PNG of nothing".utf8)) { .wrongMagic(file: $0, expected: 0x0803, found: 0x504e_4720) }
    }

    /// Each would need terabytes or more, were it believed.
    @Test(arguments: [
        [4_294_967_295, 28, 28], [4_294_967_295, 4_294_967_295, 4_294_967_295], [65_536, 65_536, 65_536],
    ])
    func believesNoHeader(dimensions: [Int]) throws {
        let folder = try TemporaryFolder()
        let contents = idx(dimensions, [UInt8](repeating: 0, count: 1000))
        for data in [contents, gzip(contents)] {
            let error = try #require(throws: DatasetError.self) { try IDX.read(folder.file("huge", data), rank: 3) }
            #expect(error.category == .badData)
        }
    }

    @Test func refusesDamagedGzip() throws {
        let folder = try TemporaryFolder()
        var noise = Noise(5)
        let good = gzip(idx([10, 10, 10], noise.bytes(1000)))
        var wrongChecksum = good
        wrongChecksum[good.count - 6] ^= 1
        var wrongBody = good
        wrongBody[20] ^= 0x40
        for damaged in [wrongChecksum, wrongBody, Array(good.dropLast(9)), Array(good.prefix(12)), good + [1, 2, 3]] {
            let path = try folder.file("damaged.gz", damaged)
            let error = try #require(throws: DatasetError.self) { try IDX.read(path, rank: 3) }
            guard case .corruptGzip(path, _) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(error.category == .badData)
        }
    }

    @Test func refusesWhatIsNoFile() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path, folder.path + "/none", "/dev/zero", ""] {
            let error = try #require(throws: DatasetError.self) { try IDX.read(path, rank: 3) }
            guard case .file(.unreadable(path, _)) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(error.category == .noInput)
        }
    }

    @Test func refusesToWriteAnotherShape() throws {
        let folder = try TemporaryFolder()
        for dimensions in [[], [3], [2, 3], [-2, -2], [0]] {
            #expect(throws: DatasetError.self) {
                try IDX.write([1, 2, 3, 4], dimensions: dimensions, to: folder.file("x"))
            }
        }
        #expect(try folder.names().isEmpty)
    }
}
