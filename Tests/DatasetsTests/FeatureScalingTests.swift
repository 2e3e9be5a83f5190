import Foundation
import Testing

@testable import Datasets
import TestSupport

@Suite struct FeatureScalingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func features(_ name: String, _ values: [Double], columns: Int) throws -> any StoredValues {
        try NumPy.write(values, shape: [values.count / columns, columns], to: folder / name)
        return try Features.open([folder / name]).values
    }

    private func scaled(
        _ values: any StoredValues, standardize: Bool = false, normalize: Bool = false
    ) throws -> [Double] {
        let scaling = try #require(
            try FeatureScaling.fit(values, standardize: standardize, normalize: normalize))
        let scaled = try scaling.applied(to: values)
        #expect(scaled.type == .float32)
        let all = try rows(of: scaled)
        #expect(try rows(of: scaled, by: 7) == all)
        return all
    }

    /// Columns far from the origin, of very different spreads, in more rows than one piece has; and a constant one.
    @Test(arguments: [(1, 3), (2, 3), (30_000, 3), (40, 2_000)]) func columnsHaveMeanZeroAndDeviationOne(
        _ count: Int, _ columns: Int
    ) throws {
        var noise = Noise(count)
        let values = (0..<count * columns).map { element -> Double in
            switch element % columns {
            case 0: 1e6 + Double.random(in: -1...1, using: &noise)
            case 1: 0.1
            default: Double.random(in: 0...1e-6, using: &noise) - 3
            }
        }
        let found = try scaled(try features("x.npy", values, columns: columns), standardize: true)
        for column in 0..<min(columns, 3) {
            let before = (0..<count).map { values[$0 * columns + column] }
            let after = (0..<count).map { found[$0 * columns + column] }
            let mean = before.reduce(0) { $0 + ($1 - before[0]) } / Double(count) + before[0]
            let std = (before.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
            let worst =
                (0..<count).map { row in
                    let expected = column == 1 || count == 1 ? 0 : (before[row] - mean) / std
                    return abs(after[row] - expected) / max(1, abs(expected))
                }.max() ?? .infinity
            #expect(worst < 2e-7, "column \(column)")
        }
    }

    @Test func rowsHaveLengthOne() throws {
        let values = try features(
            "x.npy", [3, 4, 0, 0, -5, 0, 1e300, 1e300, 1e-300, 0, 3e-200, -4e-200], columns: 2)
        let half = Double(Float(0.5.squareRoot()))
        #expect(
            try scaled(values, normalize: true)
                == [0.6, 0.8, 0, 0, -1, 0, half, half, 1, 0, 0.6, -0.8].map { Double(Float($0)) })
        // Standardized first: the means are 0 and the deviations 2 and 1.
        let both = try features("y.npy", [2, 1, -2, -1, 2, -1, -2, 1], columns: 2)
        #expect(
            try scaled(both, standardize: true, normalize: true)
                == [half, half, -half, -half, half, -half, -half, half])
        // A row longer than one piece of sums.
        let long = try features("z.npy", [Double](repeating: 2, count: 19 * 3), columns: 19)
        #expect(
            try scaled(long, normalize: true) == [Double](repeating: Double(Float(1 / 19.0.squareRoot())), count: 57))
    }

    @Test func testRowsTakeTheFiguresOfTheTrainingSet() throws {
        let train = try features("train.npy", [0, 7, 4, 7], columns: 2)
        let scaling = try #require(try FeatureScaling.fit(train, standardize: true, normalize: false))
        #expect(scaling.columns == [.init(mean: 2, std: 2), .init(mean: 7, std: 0)])
        let test = try features("test.npy", [8, 9, 2, 7], columns: 2)
        #expect(try rows(of: try scaling.applied(to: test)) == [3, 0, 0, 0])
        let other = try features("other.npy", [8, 9, 2], columns: 3)
        #expect(throws: DatasetError.self) { try scaling.applied(to: other) }
        #expect(try FeatureScaling.fit(train, standardize: false, normalize: false) == nil)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity]) func valuesThatAreNotFiniteAreNamed(value: Double) throws {
        var values = (0..<3000 * 40).map { Double($0 % 13) }
        values[2_500 * 40 + 17] = value
        try NumPy.write([Double](repeating: 1, count: 80), shape: [2, 40], to: folder / "a.npy")
        try NumPy.write(values, shape: [3000, 40], to: folder / "b.npy")
        let features = try Features.open([folder / "a.npy", folder / "b.npy"]).values
        let words = "\(folder / "b.npy"): row 2500, column 17 (counted from 0) is \(value), and not a finite number"
        let fitting = try #require(throws: DatasetError.self) {
            try FeatureScaling.fit(features, standardize: true, normalize: false)
        }
        #expect(fitting.description.hasPrefix(words) && fitting.category == .badData, "\(fitting)")
        let scaling = try #require(try FeatureScaling.fit(features, standardize: false, normalize: true))
        let reading = try #require(throws: DatasetError.self) { try rows(of: try scaling.applied(to: features)) }
        #expect(reading.description.hasPrefix(words), "\(reading)")
    }

    @Test func otherRowsThatAreNotFiniteAreNamedWithALimit() throws {
        var values = [Double](repeating: 1, count: 3000 * 2)
        for row in [2, 2999] { values[row * 2 + 1] = .nan }
        try NumPy.write(values, shape: [3000, 2], to: folder / "a.npy")
        values = [Double](repeating: 1, count: 40 * 2)
        for row in 10..<30 { values[row * 2] = .infinity }
        try NumPy.write(values, shape: [40, 2], to: folder / "b.npy")
        func refusal(_ paths: [String]) throws -> String {
            let features = try Features.open(paths.map { folder / $0 }).values
            return try #require(throws: DatasetError.self) {
                try FeatureScaling.fit(features, standardize: true, normalize: false)
            }.description
        }
        #expect(
            try refusal(["a.npy"])
                == "\(folder / "a.npy"): row 2, column 1 (counted from 0) is nan, and not a finite number, nor are all values"
                + " of row 2999; remove such rows first, as X[numpy.isfinite(X).all(axis=1)] does")
        let b = (10..<17).map { "\($0) of \(folder / "b.npy")" }.joined(separator: ", ")
        #expect(try refusal(["a.npy", "b.npy"]).contains("of rows 2999, \(b) and 13 more; remove"))
    }

    @Test func columnsBeyondFloat64AreNamed() throws {
        for (values, words) in [
            (
                [1, 1e300, 1, -1e300],
                "column 1 (counted from 0) has values from -1e+300 to 1e+300, whose squares are beyond"
            ),
            ([1e-300, 1, 2e-300, 1], "column 0 (counted from 0) has values from 1e-300 to 2e-300, whose differences"),
        ] {
            let matrix = try features("x.npy", values, columns: 2)
            let error = try #require(throws: DatasetError.self) {
                try FeatureScaling.fit(matrix, standardize: true, normalize: false)
            }
            #expect(error.description.contains(words), "\(error)")
        }
    }
}
