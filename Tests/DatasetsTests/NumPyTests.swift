import Foundation
import Testing

@testable import Datasets
import TestSupport

/// A .npy file in memory with any header.
private func npy(_ header: String, version: UInt8 = 1, _ payload: [UInt8] = [], length: Int? = nil) -> [UInt8] {
    let count = length ?? header.utf8.count
    let lengthBytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(header.utf8) + payload
}

private let shapes = [[], [1], [0], [5], [3, 4], [2, 0, 3], [7, 1, 2, 3], [60, 50]]

@Suite struct NumPyTests {
    @Test func aFileIsReadInPieces() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("x.npy")
        let floats = (0..<300).map { Float($0) * 0.5 }
        try NumPy.write(floats, shape: [100, 3], to: path)
        let header = try NumPyFile(path)
        #expect(header.shape == [100, 3] && header.type == .float32 && header.path == path)
        let file = try Formats.open(path).values
        #expect(file.rowCount == 100 && file.columnCount == 3 && file.type == .float32)
        for range in [0..<100, 0..<1, 99..<100, 17..<61, 5..<5] {
            var piece = [Float](repeating: -1, count: 3 * range.count)
            try piece.withUnsafeMutableBytes { try file.read(range, into: $0) }
            #expect(piece == Array(floats[3 * range.lowerBound..<3 * range.upperBound]))
        }
        // What the whole file's reader refuses is refused here too, and so is a file that became shorter.
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: UInt64(whole.count - 6))
        #expect(throws: DatasetError.changed(file: path)) {
            var piece = [Float](repeating: 0, count: 3)
            try piece.withUnsafeMutableBytes { try file.read(99..<100, into: $0) }
        }
        for open in [{ _ = try NumPyFile(path) }, { _ = try Formats.matrix(path) }] as [() throws -> Void] {
            try whole.dropLast().write(to: URL(fileURLWithPath: path))
            #expect(throws: DatasetError.self) { try open() }
            try (whole + [0]).write(to: URL(fileURLWithPath: path))
            #expect(throws: DatasetError.self) { try open() }
        }
        #expect(throws: DatasetError.self) { try NumPyFile(path + ".none") }
    }

    @Test(arguments: shapes) func readsWhatWasWritten(shape: [Int]) throws {
        let folder = try TemporaryFolder()
        let count = shape.reduce(1, *)
        var noise = Noise(count)
        let path = try folder.file("x.npy")

        let floats = (0..<count).map { _ in Float.random(in: -1e6...1e6, using: &noise) }
        try NumPy.write(floats, shape: shape, to: path)
        let array = try NumPyArray.read(path)
        #expect(array.shape == shape && array.type == .float32 && array.floats == floats && array.count == count)
        #expect(throws: DatasetError.self) { try array.integers() }
        #expect(array.bytes == nil)

        let doubles = floats.map { Double($0) }
        try NumPy.write(doubles, shape: shape, to: path)
        #expect(try NumPyArray.read(path).floats == floats)

        let long = (0..<count).map { _ in Int64(truncatingIfNeeded: noise.next()) }
        try NumPy.write(long, shape: shape, to: path)
        #expect(try NumPyArray.read(path).integers() == long)

        let short = long.map { Int32(truncatingIfNeeded: $0) }
        try NumPy.write(short, shape: shape, to: path)
        #expect(try NumPyArray.read(path).integers() == short.map { Int64($0) })
        #expect(try NumPyArray.read(path).floats == short.map { Float($0) })

        let small = long.map { UInt8(truncatingIfNeeded: $0) }
        try NumPy.write(small, shape: shape, to: path)
        #expect(try NumPyArray.read(path).bytes == small)
        #expect(try NumPyArray.read(path).integers() == small.map { Int64($0) })

        // NumPy's own promise: the elements start at a multiple of 64 and the header ends in a line break.
        let written = try bytes(of: path)
        #expect((written.count - count) % 64 == 0 && written[written.count - count - 1] == 10)
    }

    @Test func writesTheHeaderThatNumPyWrites() throws {
        let source = try bytes(of: Fixtures.path("resize/cases.npy"))
        let array = try NumPyArray.read(Fixtures.path("resize/cases.npy"))
        let folder = try TemporaryFolder()
        let path = try folder.file("again.npy")
        try NumPy.write(array.integers(), shape: array.shape, to: path)
        #expect(try bytes(of: path) == source)
    }

    @Test(arguments: [1, 2, 3] as [UInt8]) func readsEveryVersion(version: UInt8) throws {
        let folder = try TemporaryFolder()
        let contents = npy(
            "{\"shape\": ( 2 , 1, ), 'fortran_order':False,\n'descr': '<i4'} \n", version: version,
            [1, 0, 0, 0, 255, 255, 255, 255])
        let array = try NumPyArray.read(folder.file("x.npy", contents))
        #expect(array.shape == [2, 1])
        #expect(try array.integers() == [1, -1])
    }

    @Test(
        arguments: [
            ("<f2", [0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc, 0xff, 0x7b], [1, 0x1p-24, -.infinity, 65504]),
            (">f2", [0x3c, 0x00, 0x00, 0x01, 0xfc, 0x00, 0x7b, 0xff], [1, 0x1p-24, -.infinity, 65504]),
            (">f4", [0x40, 0x49, 0x0f, 0xdb, 0x00, 0x00, 0x00, 0x01], [3.1415927, 0x1p-149]),
            (">f8", [0xbf, 0xe0, 0, 0, 0, 0, 0, 1], [-0.5]), (">i4", [0, 0, 1, 2, 0xff, 0xff, 0xff, 0xfe], [258, -2]),
            (">i8", [0, 0, 0, 0, 0, 1, 0, 0], [65536]), ("|i1", [0x80, 0x7f], [-128, 127]),
            ("<i2", [0x00, 0x80, 0xff, 0xff], [-32768, -1]), (">i2", [0x01, 0x02], [258]),
        ] as [(String, [UInt8], [Float])])
    func readsHalvesAndBigEndianNumbers(descriptor: String, elements: [UInt8], values: [Float]) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file(
            "x.npy", npy("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(values.count),)}\n", elements))
        let array = try NumPyArray.read(path)
        #expect(array.floats == values && array.doubles.map { Float($0) } == values && array.isConverted)
        if array.type == .int32 || array.type == .int64 { #expect(try array.integers() == values.map { Int64($0) }) }
        #expect(try NumPyFile(path).type.byteCount == elements.count / values.count)
    }

    @Test(arguments: [
        ("'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)", "Fortran"),
        ("'descr': '|b1', 'fortran_order': False, 'shape': (16,)", "|b1 are not read; float16, float32"),
        ("'descr': '<f2', 'fortran_order': False, 'shape': (9,)", "truncated"),
        ("'descr': '>f2', 'fortran_order': False, 'shape': (7,)", "oversized"),
        ("'descr': '|O', 'fortran_order': False, 'shape': (4,)", "|O"),
        ("'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (4,)", "record"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'more': 1", "dictionary"),
        ("'descr': '<f4', 'fortran_order': False", "dictionary"),
        ("'descr': '<f4', 'fortran_order': 0, 'shape': (4,)", "dictionary"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (4)", "dictionary"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (-4,)", "dictionary"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'shape': (4,)", "dictionary"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)", "dictionary"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 4000000000)", "beyond"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (4000000000000,)", "truncated"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (5,)", "truncated"),
        ("'descr': '<f4', 'fortran_order': False, 'shape': (3,)", "oversized"),
    ])
    func refusesWithASentence(entries: String, word: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("x.npy", npy("{\(entries)}\n", [UInt8](repeating: 0, count: 16)))
        let error = try #require(throws: DatasetError.self) { try NumPyArray.read(path) }
        #expect(error.description.contains(word) && error.description.contains(path), "\(error)")
        #expect(error.category == .badData)
    }

    /// Files of every type and of both byte orders.
    @Test func aPartOfAFileIsThatPartOfTheWhole() throws {
        let folder = try TemporaryFolder()
        let types = [
            "<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "|i1", "|u1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8",
        ]
        for type in types {
            let size = Int(type.suffix(1)) ?? 0
            let payload = (0..<20 * size).map { UInt8(truncatingIfNeeded: $0 * 37 % 61) }
            let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (20,)}\n"
            let path = try folder.file("x.npy", npy(header, payload))
            let whole = try NumPyArray.read(path)
            for rows in [0..<20, 0..<0, 20..<20, 7..<8, 3..<19] {
                let part = try NumPyArray.read(path, rows: rows)
                #expect(part.shape == [rows.count] && part.type == whole.type && part.isConverted == whole.isConverted)
                #expect(part.doubles.map(\.bitPattern) == whole.doubles[rows].map(\.bitPattern), "\(type), \(rows)")
            }
            for rows in [0..<21, 20..<21] {
                let error = try #require(throws: DatasetError.self) { try NumPyArray.read(path, rows: rows) }
                #expect(error.description.contains("it has 20 elements"), "\(error)")
            }
        }
        try NumPy.write([1, 2, 3, 4] as [Float], shape: [2, 2], to: folder / "y.npy")
        #expect(throws: DatasetError.self) { try NumPyArray.read(folder / "y.npy", rows: 0..<1) }
    }

    @Test func refusesWhatIsNoArray() throws {
        let folder = try TemporaryFolder()
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"
        let good = npy(header, [0, 0, 0, 0])
        let others: [[UInt8]] = [
            [], Array("PK\u{3}\u{4}and a zip file".utf8), Array(good.prefix(7)), Array(good.prefix(9)),
            Array(good.prefix(30)), npy(header, version: 4, [0, 0, 0, 0]), gzip(good),
            npy(header, version: 2, [0, 0, 0, 0], length: 4_000_000_000),
            npy(String(repeating: " ", count: 20_000)),
        ]
        for contents in others {
            let path = try folder.file("x.npy", contents)
            #expect(throws: DatasetError.self, "\(contents.count) bytes") { try NumPyArray.read(path) }
        }
        #expect(try NumPyArray.read(folder.file("x.npy", good)).floats == [0])
    }

    @Test func refusesToWriteAnotherShape() throws {
        let folder = try TemporaryFolder()
        for shape in [[2], [2, 2], [-1, -3], [.max, .max]] {
            #expect(throws: DatasetError.self) {
                try NumPy.write([Float](repeating: 0, count: 3), shape: shape, to: folder.file("x"))
            }
        }
        #expect(try folder.names().isEmpty)
    }
}
