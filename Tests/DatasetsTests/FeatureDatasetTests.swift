import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Features and labels as one data set.
@Suite struct FeatureDatasetTests {
    private let folder: TemporaryFolder
    private let files: FeatureFiles

    init() throws {
        folder = try TemporaryFolder()
        // Four rows in two shards, and three to test on.
        _ = try folder.file("x-0.npy", npyFile("<f4", [3, 2], bytes([1, 10, 3, 30, 5, 50] as [Float])))
        _ = try folder.file("x-1.npy", npyFile("<f4", [1, 2], bytes([7, 70] as [Float])))
        _ = try folder.file("T.npy", npyFile("<f4", [3, 2], bytes([4, 40, 9, 40, 4, 0] as [Float])))
        _ = try folder.file("y.txt", Array("dog\ncat\ndog\nemu\n".utf8))
        _ = try folder.file("z.txt", Array("emu\nemu\ndog\n".utf8))
        _ = try folder.file("ids.jsonl", Array("{}\n{}\n{}\n{}\n".utf8))
        files = FeatureFiles(
            features: [folder / "x-?.npy"], labels: folder / "y.txt", testFeatures: [folder / "T.npy"],
            testLabels: folder / "z.txt", identifiers: folder / "ids.jsonl")
    }

    private func floats(_ samples: SampleSet) -> [Float] {
        if case .floats(let values) = samples.values { values } else { [] }
    }

    @Test func rowsAndWordsAreThoseOfTheFiles() throws {
        var notes: [String] = []
        let dataset = try Dataset.load(name: "rows", features: files) { notes.append($0) }
        #expect(floats(dataset.train) == [1, 10, 3, 30, 5, 50, 7, 70])
        #expect(floats(dataset.test) == [4, 40, 9, 40, 4, 0])
        #expect(dataset.train.labels == [1, 0, 1, 2] && dataset.test.labels == [2, 2, 1])
        #expect(dataset.classCount == 3 && dataset.identifiers?.count == 4)
        #expect(!dataset.isOfImages && dataset.unit == "sample")
        #expect(notes == ["\(folder / "y.txt"): the classes are 0 cat, 1 dog, 2 emu"])
    }

    /// Figures of other rows take the place of these rows' own.
    @Test func rowsTakeTheFiguresThatAreGiven() throws {
        let columns = [FeatureScaling.Column(mean: 1, std: 2), FeatureScaling.Column(mean: 10, std: 0)]
        let scaling = FeatureScaling(columns: columns, isNormalized: false)
        let scaled = try Dataset.load(
            name: "rows", features: files, scaling: RequestedScaling(standardize: true),
            figures: FeatureFigures(scaling: scaling))
        #expect(floats(scaled.train) == [0, 0, 1, 0, 2, 0, 3, 0] && floats(scaled.test) == [1.5, 0, 4, 0, 1.5, 0])
        #expect(scaled.scaling == scaling)
        let shifted = try Dataset.load(
            name: "rows", features: files.features, testFeatures: [], figures: FeatureFigures(medians: [1, 5]))
        #expect(floats(shifted.train) == [0, 5, 2, 25, 4, 45, 6, 65] && shifted.train.medians == [1, 5])
        for figures in [
            FeatureFigures(medians: [1]),
            FeatureFigures(scaling: FeatureScaling(columns: columns + columns, isNormalized: true)),
        ] {
            let error = #expect(throws: DatasetError.self) {
                _ = try Dataset.load(name: "rows", features: files, figures: figures)
            }
            #expect(
                error?.description.contains(
                    "x-0.npy: its rows have 2 values, and those that the network was trained on ") == true,
                "\(error?.description ?? "")")
        }
    }

    @Test func testRowsTakeTheFiguresOfTheTrainingRows() throws {
        let dataset = try Dataset.load(
            name: "rows", features: files, scaling: RequestedScaling(standardize: true, normalize: false))
        // Mean 4 and 40, standard deviation sqrt(5) and 10 sqrt(5).
        let std = 5.0.squareRoot()
        #expect(floats(dataset.train) == [-3, -3, -1, -1, 1, 1, 3, 3].map { Float($0 / std) })
        #expect(floats(dataset.test) == [0, 0, 5, 0, 0, -4].map { Float($0 / std) })
        let both = try Dataset.load(
            name: "rows", features: files, scaling: RequestedScaling(standardize: true, normalize: true))
        #expect(floats(both.test) == [0, 0, 1, 0, 0, -1])
    }

    /// Networks take 255 of bytes for 1.
    @Test func bytesBesideFloatsAreFloats() throws {
        var files = files
        files.testFeatures = [try folder.file("bytes.npy", npyFile("|u1", [3, 2], [4, 40, 9, 40, 4, 0]))]
        let mixed = try Dataset.load(name: "rows", features: files)
        #expect(floats(mixed.test) == [4, 40, 9, 40, 4, 0])
        files.features = [try folder.file("more.npy", npyFile("|u1", [4, 2], [1, 10, 3, 30, 5, 50, 7, 70]))]
        let bytes = try Dataset.load(name: "rows", features: files)
        #expect(bytes.train.pixels == [1, 10, 3, 30, 5, 50, 7, 70] && bytes.test.pixels == [4, 40, 9, 40, 4, 0])
    }

    @Test(arguments: [
        ("cat\ndog\ncow\n", "line 3: 'cow' is no class of ", "whose labels are cat, dog, emu"),
        ("cat\ndog\n", "2 labels for 3 samples", ""), ("1\n2\n0\n", "line 1: '1' is no class of ", ""),
        ("cat\n\ndog\n", "line 2: it is blank", ""), ("", "it is empty", ""),
    ]) func testLabelsAreWordsOfTheTrainingLabels(text: String, reason: String, more: String) throws {
        var files = files
        files.testLabels = try folder.file("bad.txt", Array(text.utf8))
        expectRefusal(files, files.testLabels, reason, more)
    }

    private func write(
        _ name: String, _ values: [Double], _ offset: Double = 0, times scale: Double = 1
    ) throws -> String {
        let values = values.enumerated().map { $1 * scale + ($0 % 2 == 1 ? offset : 0) }
        return try folder.file(name, npyFile("<f8", [values.count / 2, 2], bytes(values)))
    }

    /// Clusterings and networks take float32: numbers that differ in their last digits would all be the same.
    @Test func mediansAreSubtractedWhereFloatsCannotTellValuesApart() throws {
        let (rows, tests) = ([1, 10, 3, 30, 5, 50, 7, 70.0], [4, 40, 9, 40, 4, 0.0])
        var files = files
        files.features = [try write("far.npy", rows, 1e9)]
        files.testFeatures = [try write("far-test.npy", tests, 1e9)]
        var notes: [String] = []
        let far = try Dataset.load(name: "rows", features: files) { notes.append($0) }
        #expect(floats(far.train) == [-2, -20, 0, 0, 2, 20, 4, 40])
        #expect(floats(far.test) == [1, 10, 6, 10, 1, -30])
        #expect(far.train.medians == [3, 1e9 + 30] && far.test.medians == far.train.medians)
        #expect(try far.train.subset([3, 0]).medians == far.train.medians)
        #expect(
            notes.last?.contains("far.npy: column 1 (counted from 0) has values about 1000000040.0") == true
                && notes.last?.hasSuffix("the median of each column is subtracted first, from the test rows too")
                    == true
        )
        let scaled = try Dataset.load(name: "rows", features: files, scaling: RequestedScaling(standardize: true))
        #expect(floats(scaled.train).last == Float(3 / 5.0.squareRoot()) && scaled.train.medians == nil)
        // Rows of length 1 point in one direction, as far as float32 can tell.
        expectRefusal(
            files, files.features[0], "column 1 (counted from 0)", "standardize them too",
            scaling: RequestedScaling(normalize: true))
        // Nearer to the origin nothing changes.
        files.features = [try write("far.npy", rows, 1e4)]
        let near = try Dataset.load(name: "rows", features: files)
        #expect(floats(near.train).last == 10_070 && near.train.medians == nil)
        // No float32 is as small as these differences.
        files.features = [try write("far.npy", rows, times: 1e-60)]
        expectRefusal(
            files, files.features[0], "column 0 (counted from 0)", "even after subtracting their median",
            "multiply them")
    }

    /// A value far from all others must not hide that float32 makes one number of these.
    @Test(arguments: ["<f8", "<i8"]) func outliersDoNotHideWhatFloatsCannotTellApart(type: String) throws {
        func file(_ name: String, _ values: [Int64]) throws -> String {
            let rows = type == "<i8" ? bytes(values) : bytes(values.map { Double($0) })
            return try folder.file(name, npyFile(type, [values.count / 2, 2], rows))
        }
        func load(_ column: [Int64]) throws -> Dataset {
            var files = files
            let rows = column.enumerated().flatMap { [Int64($0.offset % 7), $0.element] }
            files.features = [try file("times.npy", rows)]
            files.identifiers = nil
            files.testFeatures = [try file("times-test.npy", [1, column[1], 2, column[2], 3, column[3]])]
            files.labels = try folder.file(
                "times.txt", Array(String(repeating: "0\n1\n", count: column.count / 2).utf8))
            files.testLabels = try folder.file("times-test.txt", Array("0\n1\n0\n".utf8))
            return try Dataset.load(name: "rows", features: files)
        }
        let rows: Range<Int64> = 0..<400
        func column(_ outlier: Int64, _ value: (Int64) -> Int64) -> [Int64] {
            rows.map { $0 == 5 ? outlier : value($0) }
        }
        let shifted = try load(column(0) { 999_999_999 + $0 % 3 })
        #expect(shifted.train.medians == [3, 1e9])
        let values = floats(shifted.train)
        let times = Set(rows.map { values[2 * Int($0) + 1] })
        #expect(times == [-1e9, -1, 0, 1])
        // Most rows have one value, and the others next to it another.
        let constant = try load(column(0) { 999_999_999 + ($0 % 10 == 9 ? 1 + $0 % 3 : 0) })
        #expect(constant.train.medians == [3, 999_999_999])
        #expect(Set(rows.map { floats(constant.train)[2 * Int($0) + 1] }) == [-1e9, 0, 1, 2, 3])
        // Whole numbers that float32 holds, a constant with few others, and values that range over all sizes stay.
        let others = [
            column(-999_999_999) { 100_000 + $0 % 3 }, column(0) { _ in 1_000_000_001 }, column(1) { 1 << ($0 % 40) },
        ]
        for other in others { #expect(try load(other).train.medians == nil, "\(other.prefix(8))") }
    }

    /// A column of one value has nothing to tell apart, however large it is.
    @Test func constantWholeNumbersAreNotShifted() throws {
        var files = files
        let large: Int64 = (1 << 60) + 3
        func values(_ last: Int64) -> [UInt8] {
            let rows: [Int64] = [1, large, 2, large, 3, large, 4, last]
            return bytes(rows)
        }
        files.features = [try folder.file("wide.npy", npyFile("<i8", [4, 2], values(large)))]
        #expect(try Dataset.load(name: "rows", features: files).train.medians == nil)
        files.features = [try folder.file("wide.npy", npyFile("<i8", [4, 2], values(large + 1)))]
        #expect(try Dataset.load(name: "rows", features: files).train.medians != nil)
    }

    /// Whole numbers that float64 cannot tell apart either.
    @Test func mediansOfWideWholeNumbersAreExact() throws {
        var files = files
        let values = [1, 2, 3, 3, 5, 1, 7, 9].enumerated().map { Int64($1) + ($0 % 2 == 1 ? 1 << 60 : 0) }
        files.features = [try folder.file("wide.npy", npyFile("<i8", [4, 2], bytes(values)))]
        let dataset = try Dataset.load(name: "rows", features: files)
        #expect(floats(dataset.train) == [-2, 2, 0, 3, 2, 1, 4, 9])
        #expect(dataset.train.medians == [3, 0x1p60])
    }

    @Test func numbersAreClassesOfTheTrainingLabels() throws {
        var files = files
        files.labels = try folder.file("n.txt", Array("0\n2\n2\n0\n".utf8))
        files.testLabels = try folder.file("m.txt", Array("0\n1\n2\n".utf8))
        #expect(try Dataset.load(name: "rows", features: files).test.labels == [0, 1, 2])
        files.testLabels = try folder.file("m.txt", Array("0\n2\n3\n".utf8))
        expectRefusal(files, files.testLabels, "line 3: label 3 is above 2, the highest training label")
        files.testLabels = try folder.file("m.npy", npyFile("|u1", [3], [0, 9, 3]))
        expectRefusal(files, files.testLabels, "label 9 at position 1 is above 2, the highest training label")
        files.testLabels = folder / "z.txt"
        expectRefusal(files, files.testLabels, "it has words, and \(files.labels) has numbers")
        (files.labels, files.testLabels) = (folder / "y.txt", folder / "m.npy")
        expectRefusal(files, files.testLabels, "it has numbers, and \(files.labels) has words")
    }

    @Test func whatDoesNotFitIsRefusedByItsFile() throws {
        func changed(_ change: (inout FeatureFiles) throws -> Void) rethrows -> FeatureFiles {
            var files = files
            try change(&files)
            return files
        }
        let wide = try folder.file("wide.npy", npyFile("<f4", [3, 3], bytes([Float](repeating: 1, count: 9))))
        expectRefusal(
            changed { $0.testFeatures = [wide] }, wide, "its rows have 3 values, and those of \(files.features[0]) 2")
        let short = try folder.file("short.txt", Array("a\nb\n".utf8))
        expectRefusal(
            changed {
                $0.labels = short; $0.testLabels = short
            }, short, "2 labels for 4 samples")
        expectRefusal(changed { $0.identifiers = short }, short, "2 lines for 4 samples")
        let same = try folder.file("same.npy", npyFile("<f4", [4, 2], bytes([Float](repeating: 1, count: 8))))
        expectRefusal(changed { $0.features = [same] }, same, "every value of the training set is the same")
    }

    @Test(arguments: [(false, false), (true, false), (false, true)]) func valuesThatAreNoNumbersAreNamed(
        standardize: Bool, normalize: Bool
    ) throws {
        let scaling = RequestedScaling(standardize: standardize, normalize: normalize)
        var files = files
        let nan = try folder.file("x-1.npy", npyFile("<f4", [1, 2], bytes([7, .nan] as [Float])))
        expectRefusal(files, nan, "row 0, column 1 (counted from 0) is nan, and not a finite number", scaling: scaling)
        _ = try folder.file("x-1.npy", npyFile("<f4", [1, 2], bytes([7, 70] as [Float])))
        let infinite = try folder.file(
            "T.npy", npyFile("<f8", [3, 2], bytes([4, 40, 9, 40, -Double.infinity, 0])))
        expectRefusal(
            files, infinite, "row 2, column 0 (counted from 0) is -inf, and not a finite number", scaling: scaling)
        guard !normalize else { return }
        files.testFeatures = [try folder.file("large.npy", npyFile("<f8", [3, 2], bytes([4, 40, 9, 1e300, 4, 0])))]
        expectRefusal(
            files, files.testFeatures[0], "row 1, column 1 (counted from 0) is 1e+300, which is beyond float32",
            scaling: scaling)
    }

    private func expectRefusal(
        _ files: FeatureFiles, _ path: String, _ words: String..., scaling: RequestedScaling = RequestedScaling(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do throws(DatasetError) {
            _ = try Dataset.load(name: "rows", features: files, scaling: scaling)
            Issue.record("it was read", sourceLocation: sourceLocation)
        } catch {
            #expect(error.category == .badData, sourceLocation: sourceLocation)
            #expect(error.description.hasPrefix(path + ":"), "\(error)", sourceLocation: sourceLocation)
            for word in words where !word.isEmpty {
                #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation)
            }
        }
    }
}
