import Foundation
import Testing

@testable import Datasets
import TestSupport

/// A .npy file of any type and shape.
private func npy(_ type: String, _ shape: String, _ payload: [UInt8]) -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + payload
}

private func bytes<Element: FixedWidthInteger>(_ values: [Element]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

private func bytes(_ values: [Double]) -> [UInt8] { bytes(values.map(\.bitPattern)) }

/// An array that is not indices of ten images, and what it is told.
struct NoIndices: CustomTestStringConvertible, Sendable {
    let type: String
    let shape: String
    let payload: [UInt8]
    let reason: String

    init(_ type: String, _ shape: String, _ payload: [UInt8], _ reason: String) {
        (self.type, self.shape, self.payload, self.reason) = (type, shape, payload, reason)
    }

    var testDescription: String { "\(type) \(shape): \(reason)" }
}

private let mask: [Int64] = [1, 0, 1, 1, 0, 0, 0, 0, 0, 1]

private let refused = [
    NoIndices("<i8", "(10,)", bytes(mask), "looks like a mask stored as int64; save array.astype(bool)"),
    NoIndices("|u1", "(10,)", mask.map { UInt8($0) }, "looks like a mask stored as uint8; save"),
    NoIndices("<f8", "(10,)", bytes(mask.map { Double($0) }), "looks like a mask stored as float64; save"),
    NoIndices("<f4", "(10,)", bytes(mask.map { Float($0).bitPattern }), "looks like a mask stored as float32; save"),
    NoIndices(
        "<i8", "(4,)", bytes([1, 0, 0, 1] as [Int64]), "a mask stored as int64 for 4 samples, where there are 10"),
    NoIndices(
        "<f8", "(3,)", bytes([3.0, 1, 2]), "holds floats (float64) where indices are integers; save array.astype"
    ),
    NoIndices(
        "<f2", "(2,)", bytes([0x4200, 0x3800] as [UInt16]),
        "holds floats (float16) where indices are integers, and not all"),
    NoIndices(
        "<i8", "(3, 1)", bytes([3, 1, 2] as [Int64]), "its shape (3, 1) is a column, as numpy.argwhere gives it"),
    NoIndices("<i8", "(1, 3)", bytes([3, 1, 2] as [Int64]), "its shape (1, 3) is a row"),
    NoIndices(
        "<i8", "(2, 2)", bytes([3, 1, 2, 0] as [Int64]), "its shape is (2, 2); a list of indices has one dimension"),
    NoIndices("|b1", "(10, 1)", [UInt8](repeating: 1, count: 10), "its shape (10, 1) is a column"),
    NoIndices("<i8", "()", bytes([3] as [Int64]), "it is a single value without a dimension"),
    NoIndices("<i8", "(0,)", [], "it holds no indices; at least one is needed"),
    NoIndices(
        "<i8", "(3,)", bytes([3, 1, 3] as [Int64]), "index 3 at position 2 is at position 0 too; list each index once"),
    NoIndices(
        "<i4", "(10,)", bytes([3, 1, 2, 0, 4, 4, 3, 3, 1, 2] as [Int32]), "one value for each of the 10 training images"
    ),
    NoIndices(
        "<i8", "(2,)", bytes([3, -1] as [Int64]), "index -1 at position 1 is outside the 10 training images (0 to 9)"),
    NoIndices("|i1", "(2,)", [3, 0xFE], "index -2 at position 1 is outside"),
    NoIndices(
        "<i8", "(2,)", bytes([3, 10] as [Int64]), "index 10 at position 1 is outside the 10 training images (0 to 9)"),
    NoIndices("<u2", "(2,)", bytes([1, 10] as [UInt16]), "(0 to 9); these indices count from 1"),
    NoIndices("<u8", "(2,)", bytes([1, UInt64.max]), "index 18446744073709551615 at position 1 is outside"),
    NoIndices("<u8", "(2,)", bytes([1, 1 << 32 as UInt64]), "index 4294967296 at position 1 is outside"),
    NoIndices(
        "|b1", "(9,)", [UInt8](repeating: 1, count: 9), "it is a mask of 9 elements, and there are 10 training images"),
    NoIndices("|b1", "(10,)", [UInt8](repeating: 0, count: 10), "it is a mask that keeps nothing"),
    NoIndices(">i8", "(1,)", bytes([1] as [Int64]), "elements of type >i8 are not indices"),
    NoIndices("<U3", "(1,)", [UInt8](repeating: 0, count: 12), "elements of type <U3 are not indices"),
    NoIndices("|O", "(1,)", [1, 2], "elements of type |O are not indices"),
    NoIndices("<i8", "(2,)", bytes([1] as [Int64]), "truncated"),
    NoIndices("<i8", "(2000000000000,)", bytes([1] as [Int64]), "truncated"),
    NoIndices("<i8", "(1,)", bytes([1, 2] as [Int64]), "oversized"),
]

@Suite struct KeptIndicesTests {
    private func read(_ file: [UInt8], count: Int = 10) throws -> KeptIndices {
        let folder = try TemporaryFolder()
        return try KeptIndices.read(folder.file("kept.npy", file), count: count)
    }

    @Test func integersOfEveryTypeKeepTheirOrder() throws {
        let expected = KeptIndices(indices: [3, 0, 9], isMask: false)
        for (type, payload) in [
            ("<i8", bytes([3, 0, 9] as [Int64])), ("<i4", bytes([3, 0, 9] as [Int32])),
            ("<i2", bytes([3, 0, 9] as [Int16])), ("|i1", [3, 0, 9]), ("|u1", [3, 0, 9]),
            ("<u2", bytes([3, 0, 9] as [UInt16])), ("<u4", bytes([3, 0, 9] as [UInt32])),
            ("<u8", bytes([3, 0, 9] as [UInt64])),
        ] {
            #expect(try read(npy(type, "(3,)", payload)) == expected, "\(type)")
        }
        // Two samples, the second before the first: no mask.
        #expect(try read(npy("<i8", "(2,)", bytes([1, 0] as [Int64])), count: 2).indices == [1, 0])
    }

    @Test func aMaskKeepsTheOrderOfTheSet() throws {
        let kept = try read(npy("|b1", "(10,)", mask.map { UInt8($0) }))
        #expect(kept == KeptIndices(indices: [0, 2, 3, 9], isMask: true))
    }

    @Test(arguments: refused) func allElseIsRefusedByWhatItLooksLike(_ array: NoIndices) throws {
        let error = try #require(throws: DatasetError.self) { try read(npy(array.type, array.shape, array.payload)) }
        #expect(error.category == .badData)
        #expect(error.description.contains("kept.npy: ") && error.description.contains(array.reason), "\(error)")
    }

    @Test func halvesAreExact() {
        for (bits, value) in [
            (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x0001, 0x1p-24), (0x03FF, 0x1.ff8p-15), (0x0400, 0x1p-14),
            (0x3555, 0x1.554p-2), (0x0000, 0), (0x7C00, .infinity),
        ] as [(UInt16, Float)] {
            #expect(Float(halfBits: bits) == value)
        }
        #expect(Float(halfBits: 0x8000).bitPattern == 0x8000_0000 && Float(halfBits: 0x7E00).isNaN)
    }
}
