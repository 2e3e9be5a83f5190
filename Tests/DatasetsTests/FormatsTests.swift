import Foundation
import Testing

@testable import Datasets
import TestSupport

@Suite struct FormatsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aMatrixStaysInItsFile() throws {
        let path = folder / "x.npy"
        let values = (0..<12).map { Double($0) / 7 }
        try NumPy.write(values, shape: [4, 3], to: path)
        let samples = try Formats.matrix(path)
        #expect(samples.count == 4 && samples.shape == .vector(3) && samples.shape.featureCount == 3)
        #expect(samples.labels.isEmpty && samples.classCount == 0)
        guard case .stored(let stored) = samples.values else {
            Issue.record("the values are in memory")
            return
        }
        #expect(stored.type == .float64 && samples.values.typeName == "float64" && samples.pixels == nil)
        var row = [Double](repeating: 0, count: 3)
        try row.withUnsafeMutableBytes { try stored.read(2..<3, into: $0) }
        #expect(row == Array(values[6..<9]))
    }

    @Test func aNameSaysWhatKindOfMatrixItIs() throws {
        let archive = folder / "a.npz"
        for path in ["a[1].npz:x", "d[1]/y.npy"] { _ = try folder.file(path, []) }
        let tensor = folder / "w.safetensors"
        for (path, kind) in [
            (archive + ":x", .array(file: archive, name: "x")),
            (archive + ":a.npz:b", .array(file: archive, name: "a.npz:b")),
            (tensor + ":model.w", .tensor(file: tensor, name: "model.w")), (tensor, .file), (archive, .file),
            (folder / "d[1]", .folder), (folder / "d[1]/", .folder), (folder / "d*/*.npy", .pattern),
            // What is there is no pattern, nor a name within a file.
            (folder / "d[1]/y.npy", .file), (folder / "a[1].npz:x", .file), (folder / "none.npy", .file),
        ] as [(String, MatrixName)] {
            #expect(MatrixName(path) == kind, "\(path)")
        }
    }

    @Test func saysWhatAMatrixWouldBe() throws {
        for shape in [[12], [2, 2, 3], [12, 1, 1]] {
            let path = folder / "x.npy"
            try NumPy.write([Int32](repeating: 1, count: 12), shape: shape, to: path)
            let error = try #require(throws: DatasetError.self) { try Formats.matrix(path) }
            #expect(
                error.description
                    == "\(path): its shape is \(shape); two dimensions are needed, samples and their features")
            #expect(error.category == .badData)
        }
        for shape in [[0, 3], [3, 0]] {
            try NumPy.write([Int32](), shape: shape, to: folder / "empty.npy")
            let error = try #require(throws: DatasetError.self) { try Formats.matrix(folder / "empty.npy") }
            #expect(error.description.contains("its shape is \(shape); a sample and a feature at least are needed"))
        }
        let text = try folder.file("x.csv", Array("1,2,3\n4,5,6\n".utf8))
        let foreign = try #require(throws: DatasetError.self) { try Formats.matrix(text) }
        #expect(
            foreign.description
                == "\(text): not a .npy file: it does not start with the bytes \\x93NUMPY; accepted are a .npy "
                + "file, FILE.npz:NAME, FILE.safetensors:NAME, a folder or a quoted pattern of such files")
        #expect(foreign.category == .badData)
        for path in [folder / "none.npy", "/dev/null"] {
            let error = try #require(throws: DatasetError.self) { try Formats.matrix(path) }
            #expect(error.category == .noInput && error.description.hasPrefix("\(path): cannot be read: "))
        }
    }

    @Test func aFolderIsCompleteLackingOrForeign() throws {
        try writeDataset(in: folder, prefix: "whole/")
        try writeDataset(in: folder, prefix: "part/")
        try FileManager.default.removeItem(atPath: folder / "part/train-labels-idx1-ubyte")
        let names = [
            "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
        ]
        #expect(
            Formats.look(in: folder / "whole")?.contents == .complete(files: names.map { folder / "whole/\($0)" }))
        #expect(Formats.look(in: folder / "part")?.contents == .lacking(files: ["train-labels-idx1-ubyte"]))
        #expect(Formats.look(in: folder.path) == nil && Formats.look(in: folder / "none") == nil)
        for name in names { #expect(Formats.acceptedFolders.contains(name)) }
    }

    @Test func channelsAreNormalisedEachByItself() throws {
        let shape = SampleShape(channels: 2, height: 1, width: 2)
        func set(_ values: [Float]) -> SampleSet {
            SampleSet(valid: .floats(values), count: 2, shape: shape, labels: [0, 1])
        }
        let data = try Dataset(
            name: "floats", train: set([1, 3, 10, 30, 5, 7, 50, 70]), test: set([0, 0, 0, 0, 1, 1, 1, 1]))
        #expect(data.channels.map(\.mean) == [4, 40])
        #expect(
            data.channels.allSatisfy { $0.std > 0 } && abs(data.channels[1].std - 10 * data.channels[0].std) < 1e-12)
        #expect(data.classCount == 2)
    }

    @Test func valuesOfADataSetAreInMemory() throws {
        let path = folder / "x.npy"
        try NumPy.write([Float](repeating: 1, count: 6), shape: [2, 3], to: path)
        let samples = try Formats.matrix(path)
        let error = try #require(throws: DatasetError.self) { try Dataset(name: "x", train: samples, test: samples) }
        #expect(error.category == .badData && error.description.contains("memory"))
    }
}
