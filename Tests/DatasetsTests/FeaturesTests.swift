import Foundation
import Testing

@testable import Datasets
import TestSupport

/// All values of a matrix in double precision, read `piece` rows at a time.
func rows(of values: any StoredValues, by piece: Int = .max) throws -> [Double] {
    var all: [Double] = []
    for first in stride(from: 0, to: values.rowCount, by: min(piece, values.rowCount)) {
        let rows = first..<min(first + min(piece, values.rowCount), values.rowCount)
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: rows.count * values.rowBytes, alignment: 16)
        defer { stored.deallocate() }
        try values.read(rows, into: stored)
        var numbers = [Double](repeating: 0, count: rows.count * values.columnCount)
        let base = try #require(stored.baseAddress)
        numbers.withUnsafeMutableBufferPointer { values.type.convert(UnsafeRawPointer(base), to: $0) }
        all += numbers
    }
    return all
}

/// The rows of these numbers in double precision.
func rows(of values: any StoredValues, at numbers: [Int]) throws -> [Double] {
    let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: numbers.count * values.rowBytes, alignment: 16)
    defer { stored.deallocate() }
    try values.read(rowsAt: numbers, into: stored)
    var found = [Double](repeating: 0, count: numbers.count * values.columnCount)
    let base = try #require(stored.baseAddress)
    found.withUnsafeMutableBufferPointer { values.type.convert(UnsafeRawPointer(base), to: $0) }
    return found
}

@Suite struct FeaturesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Whole numbers from -128 to 127, which every type but uint8 holds: [row][column].
    private static func numbers(_ count: Int, _ seed: Int = 1) -> [Int8] {
        var noise = Noise(seed)
        return (0..<count).map { _ in Int8(truncatingIfNeeded: noise.next()) }
    }

    /// The value's bits as a half; only whole numbers of at most 11 bits.
    private static func half(_ value: Int8) -> UInt16 {
        let bits = Float(value).bitPattern
        return value == 0 ? 0 : UInt16(bits >> 16 & 0x8000) | UInt16(((bits >> 13) &- (112 << 10)) & 0x7FFF)
    }

    /// The same numbers as every type has them, by NumPy's and safetensors' names.
    private static func payloads(_ values: [Int8]) -> [(npy: String, tensor: String, little: [UInt8], big: [UInt8])] {
        func payload<Number: BitwiseCopyable>(
            _ npy: String, _ tensor: String, _ number: (Int8) -> Number
        ) -> (npy: String, tensor: String, little: [UInt8], big: [UInt8]) {
            let numbers = values.map(number)
            return (npy, tensor, TestSupport.bytes(numbers), TestSupport.bytes(numbers, bigEndian: true))
        }
        return [
            payload("i1", "I8") { $0 }, payload("i2", "I16") { Int16($0) }, payload("i4", "I32") { Int32($0) },
            payload("i8", "I64") { Int64($0) }, payload("f2", "F16", half), payload("f4", "F32") { Float($0) },
            payload("f8", "F64") { Double($0) },
            payload("", "BF16") { UInt16(Float($0).bitPattern >> 16) },
        ]
    }

    @Test(arguments: [(1, 1), (7, 3), (40, 17), (19, 130)]) func everyLayoutHasTheSameRows(
        _ rowCount: Int, _ width: Int
    )
        throws
    {
        let values = Self.numbers(rowCount * width)
        let expected = values.map { Double($0) }
        var paths: [String] = []
        for (index, layout) in Self.payloads(values).enumerated() {
            paths.append(
                try folder.file(
                    "\(index).safetensors", safetensorsFile("a.b:c", layout.tensor, [rowCount, width], layout.little))
                    + ":a.b:c")
            guard !layout.npy.isEmpty else { continue }
            let turned = Self.payloads(transposed(values, columns: width))[index]
            let files = [
                npyFile("<" + layout.npy, [rowCount, width], layout.little),
                npyFile(">" + layout.npy, [rowCount, width], layout.big),
                npyFile("<" + layout.npy, [rowCount, width], turned.little, fortran: true),
                npyFile(">" + layout.npy, [rowCount, width], turned.big, fortran: true),
            ]
            for (place, file) in files.enumerated() {
                paths.append(try folder.file("\(index)-\(place).npy", file))
                for (number, method) in ZipMethod.allCases.enumerated() {
                    let archive = zipFile([("other.npy", [1, 2]), ("X.npy", file)], method)
                    paths.append(try folder.file("\(index)-\(place)-\(number).npz", archive) + ":X")
                }
            }
        }
        for path in paths {
            let values = try Features.open([path]).values
            #expect(values.rowCount == rowCount && values.columnCount == width, "\(path)")
            #expect(try rows(of: values) == expected, "\(path)")
            #expect(try rows(of: values, by: 3) == expected, "\(path)")
            // After some of these, rows in Fortran order are copied.
            for numbers in [[rowCount - 1], (0..<2 * rowCount).map { $0 / 2 }.filter { $0 % 3 != 1 }, [0]] {
                let chosen = numbers.flatMap { expected[$0 * width..<($0 + 1) * width] }
                #expect(try rows(of: values, at: numbers) == chosen, "\(path)")
            }
            #expect(try rows(of: values) == expected, "\(path)")
            guard case .floats(let floats) = try SampleSet(values).inMemory().values else {
                Issue.record("no floats: \(path)")
                continue
            }
            #expect(floats.map { Double($0) } == expected, "\(path)")
        }
    }

    /// Rows that are far apart, and near, in a file in Fortran order; of parts of several types; and scaled.
    @Test func rowsByNumberAreThoseOfAPass() throws {
        let (count, width) = (40_000, 3)
        let values = (0..<count * width).map { Float($0 % 3001) - 1500 }
        let path = try folder.file(
            "far.npy",
            npyFile("<f4", [count, width], TestSupport.bytes(transposed(values, columns: width)), fortran: true))
        let few = try folder.file("few.npy", npyFile("|i1", [2, width], [1, 2, 3, 255, 254, 253]))
        let joined = try Features.open([few, path, few]).values
        let scaling = try #require(try FeatureScaling.fit(joined, standardize: true, normalize: true))
        for matrix in [joined, try scaling.applied(to: joined)] {
            let all = try rows(of: matrix)
            // The third makes a copy.
            for numbers in [
                [0, 1, 1, 5, 6, 20_000, 40_001, 40_002, 40_003], [2, 39_999, 40_003], Array(100..<12_000), [7, 7],
            ] {
                let chosen = numbers.flatMap { all[$0 * width..<($0 + 1) * width] }
                #expect(try rows(of: matrix, at: numbers) == chosen)
            }
            #expect(try rows(of: matrix) == all)
        }
        // A change of the file counts, though a copy is read.
        try Data([1]).write(to: URL(filePath: path))
        let error = try #require(throws: DatasetError.self) { try rows(of: joined, at: [9]) }
        #expect(error.description.contains("far.npy"))
    }

    @Test func whatZlibDeflatedIsInflated() throws {
        let values = (0..<60_000).map { Float($0 / 7) }
        let file = npyFile("<f4", [600, 100], TestSupport.bytes(values))
        // Without its wrapper of 10 and 8 bytes.
        let kept = Array(gzip(file).dropFirst(10).dropLast(8))
        #expect(kept.count < file.count / 2)
        let path = try folder.file("x.npz", zipFile([("X.npy", file, kept)], method: 8))
        let features = try Features.open([path + ":X"])
        #expect(try rows(of: features.values) == values.map { Double($0) })
        #expect(features.notes.count == 1 && features.notes[0].contains("temporary file of 1 MiB"))
        // A byte of the stream, of the checksum, or of the size in the directory.
        let whole = try bytes(of: path)
        for place in [60, whole.count - 22 - 51 + 16, whole.count - 22 - 51 + 24] {
            var damaged = whole
            damaged[place] ^= 1
            let error = try #require(throws: DatasetError.self) {
                try Features.open([try folder.file("x.npz", damaged) + ":X"])
            }
            #expect(error.category == .badData && error.description.contains("x.npz"), "\(error)")
        }
    }

    @Test func aFlippedByteInAStoredMemberIsNoticed() throws {
        let file = npyFile("<f4", [2, 2], TestSupport.bytes([1, 2, 3, 4] as [Float]))
        var archive = zipFile([("X.npy", file)])
        archive[file.count + 10] ^= 1
        let path = try folder.file("x.npz", archive)
        let error = try #require(throws: DatasetError.self) { try Features.open([path + ":X"]) }
        #expect(error.category == .badData && error.description.contains("checksum"), "\(error)")
    }

    @Test func namesThatAreMissingAreAnsweredWithThoseThatAreThere() throws {
        let file = npyFile("<f4", [1, 1], [0, 0, 0, 0])
        let npz = try folder.file("x.npz", zipFile([("b.npy", file), ("a.npy", file)]))
        let tensors = try folder.file("x.safetensors", safetensorsFile("b", "F32", [1, 1], [0, 0, 0, 0]))
        for (path, words) in [
            (npz, "it holds a, b; name one as \(npz):NAME"), (npz + ":c", "there is no c in it; it holds a, b"),
            (tensors, "it holds b, first; name one as \(tensors):NAME"),
            (tensors + ":c", "there is no c in it; it holds b, first"), (tensors + ":first", "its shape is [3]"),
        ] {
            let error = try #require(throws: DatasetError.self) { try Features.open([path]) }
            #expect(error.category == .badData && error.description.contains(words), "\(error)")
        }
        for path in ["none.npz:a", "none.safetensors:a", "none*.npy"] {
            let error = try #require(throws: DatasetError.self) { try Features.open([folder / path]) }
            #expect(error.category == .noInput, "\(error)")
        }
    }

    /// A shard of rows that are `first`, `first` + 1, …, each value a row's number.
    private func shard(_ name: String, first: Int, rows: Int, columns: Int = 2) throws {
        let values = (0..<rows * columns).map { Float(first + $0 / columns) }
        try NumPy.write(values, shape: [rows, columns], to: try folder.file(name, []))
    }

    @Test func shardsAreReadInTheOrderOfTheirBytes() throws {
        for (index, name) in ["x-1.npy", "x-10.npy", "x-2.npy"].enumerated() {
            try shard("shards/\(name)", first: 10 * index, rows: index + 2)
        }
        _ = try folder.file("shards/notes.txt", Array("text".utf8))
        _ = try folder.file("shards/.hidden.npy", Array("text".utf8))
        let numbers = [0, 1, 10, 11, 12, 20, 21, 22, 23].flatMap { [Double($0), Double($0)] }
        for path in ["shards", "shards/", "shards/x-*.npy", "sh?rds/*[0-9].npy"] {
            let features = try Features.open([folder / path])
            #expect(try rows(of: features.values) == numbers, "\(path)")
            for piece in 1...5 { #expect(try rows(of: features.values, by: piece) == numbers, "\(path)") }
            #expect(features.values.origin(of: 4) == RowOrigin(file: folder / "shards/x-10.npy", row: 2))
            #expect(
                features.notes == [
                    "3 files are read in the order of their names' bytes (…, x-10.npy, x-2.npy), which is not that of "
                        + "their numbers (…, x-2.npy, x-10.npy)"
                ])
        }
        try shard("more.npy", first: 50, rows: 1)
        let both = try Features.open([folder / "more.npy", folder / "shards/x-2.npy", folder / "more.npy"])
        #expect(try rows(of: both.values) == [50, 20, 21, 22, 23, 50].flatMap { [Double($0), Double($0)] })
        #expect(both.notes.isEmpty)
        #expect(NumPyShards.orderNote(["a-01.npy", "a-02.npy", "a-10.npy", "b.npy"]) == nil)
    }

    @Test func shardsThatDoNotFitAreNamed() throws {
        for name in ["a.npy", "c.npy"] { try shard("shards/\(name)", first: 0, rows: 2) }
        func refusal() throws -> String {
            let error = try #require(throws: DatasetError.self) { try Features.open([folder / "shards"]) }
            #expect(error.category == .badData)
            return error.description
        }
        let odd = folder / "shards/b.npy"
        try shard("shards/b.npy", first: 0, rows: 2, columns: 3)
        #expect(
            try refusal().hasPrefix("\(odd): its rows are 3 x float32, and those of \(folder / "shards/a.npy") are 2 x")
        )
        try NumPy.write([1.0, 2], shape: [1, 2], to: odd)
        #expect(try refusal().hasPrefix("\(odd): its rows are 2 x float64"))
        try NumPy.write([Float](), shape: [0, 2], to: odd)
        #expect(try refusal().hasPrefix("\(odd): its shape is [0, 2]"))
        try NumPy.write([Float(1)], shape: [1], to: odd)
        #expect(try refusal().hasPrefix("\(odd): its shape is [1]; two dimensions"))
        _ = try folder.file("shards/b.npy", Array("text".utf8))
        #expect(try refusal().hasPrefix("\(odd): not a .npy file"))
        _ = try folder.file("shards/b.npy", [])
        #expect(try refusal().hasPrefix("\(odd): it is empty"))
        try FileManager.default.removeItem(atPath: odd)
        _ = try folder.file("empty/x.txt", [])
        let error = try #require(throws: DatasetError.self) { try Features.open([folder / "empty"]) }
        #expect(error.category == .noInput && error.description.contains("no .npy file is in this folder"))
        try shard("wide.npy", first: 0, rows: 1, columns: 3)
        let other = try #require(throws: DatasetError.self) {
            try Features.open([folder / "shards/a.npy", folder / "wide.npy"])
        }
        #expect(other.description.contains("wide.npy: its rows have 3 values, and those of"))
    }

    @Test func filesOfSeveralTypesAreJoined() throws {
        let float16 = try folder.file("a.npy", npyFile("<f2", [1, 2], [0, 0x3c, 0, 0xc0]))
        let uint8 = try folder.file("b.npy", npyFile("|u1", [1, 2], [7, 255]))
        let int32 = try folder.file("c.npy", npyFile("<i4", [1, 2], TestSupport.bytes([1 << 30 + 1, -5] as [Int32])))
        let short = try Features.open([float16, uint8]).values
        #expect(try short.type == .float32 && rows(of: short) == [1, -2, 7, 255])
        let long = try Features.open([uint8, int32, float16]).values
        #expect(try long.type == .float64 && rows(of: long, by: 2) == [7, 255, Double(1 << 30 + 1), -5, 1, -2])
        let same = try Features.open([uint8, uint8]).values
        #expect(same.type == .uint8 && SampleSet(same).values.typeName == "uint8")
    }

    @Test func aFileThatChangesIsNoticed() throws {
        for change in ["longer", "shorter", "later"] {
            try shard("a.npy", first: 0, rows: 3)
            try shard("b.npy", first: 3, rows: 3)
            let values = try Features.open([folder / "a.npy", folder / "b.npy"]).values
            #expect(try rows(of: values, by: 2).count == 12)
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: folder / "a.npy"))
            switch change {
            case "longer": try handle.truncate(atOffset: 1000)
            case "shorter": try handle.truncate(atOffset: 140)
            default:
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: folder / "a.npy")
            }
            // Rows of the other file alone, to the end.
            for read in [0..<1, 2..<3, 5..<6] {
                let room = UnsafeMutableRawBufferPointer.allocate(byteCount: values.rowBytes, alignment: 16)
                defer { room.deallocate() }
                #expect(throws: DatasetError.changed(file: folder / "a.npy")) { try values.read(read, into: room) }
            }
        }
    }

    /// 4.4 GB of halves that take no room on the disk, but for the last row.
    @Test func moreThanTwoToThe31Elements() throws {
        let (count, width) = (4_300_000, 512)
        let header = npyFile("<f2", [count, width], [])
        let path = try folder.file("x.npy", header)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.truncate(atOffset: UInt64(header.count + 2 * count * width - 2))
        try file.seekToEnd()
        try file.write(contentsOf: [0, 0x3c])
        try file.close()
        let values = try Features.open([path, path]).values
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * values.rowBytes, alignment: 16)
        defer { room.deallocate() }
        try values.read(count - 1..<count + 1, into: room)
        #expect(room[2 * width - 1] == 0x3c && room.filter { $0 != 0 }.count == 1)
        #expect(values.origin(of: count + 5) == RowOrigin(file: path, row: 5))
    }

    @Test func objectsAndVoidsAreRefused() throws {
        for (descriptor, words) in [("|O", "Python objects"), ("<V2", "<V2 are not read"), ("<u2", "<u2")] {
            let path = try folder.file("x.npy", npyFile(descriptor, [2, 2], [UInt8](repeating: 0, count: 16)))
            let error = try #require(throws: DatasetError.self) { try Features.open([path]) }
            #expect(error.category == .badData && error.description.contains(words), "\(error)")
        }
    }
}
