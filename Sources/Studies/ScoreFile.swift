import Datasets
import Foundation
import Scoring

/// A file of scores. Where it lies is no part of what a study is, so all values are equal.
package struct ScoreFile: Hashable, Sendable, Codable {
    /// The path.
    package let path: String

    /// A file.
    package init(path: String) { self.path = path }

    package static func == (left: ScoreFile, right: ScoreFile) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
    package init(from decoder: any Decoder) throws { path = "" }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("")
    }
}

extension ScoreFile {
    /// The file that a study in `folder` names.
    init(_ name: String, in folder: String) { self.init(path: name.hasPrefix("/") ? name : "\(folder)/\(name)") }

    /// Whether it is there.
    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// That a file named `name` is not what runs were selected by, as part of a sentence.
    static func change(of name: String) -> String { "their samples were selected by other scores than \(name) has now" }

    /// The scores that a file has. Where float32, by which samples are ranked, cannot tell some apart that differ, all are
    /// less the least of them, and those that still coincide are moved apart by the last digit: their order is the file's.
    /// - Parameter count: how many there must be; any number where nil.
    /// - Throws: `DatasetError`; ``ScoringError`` where there are too many or too few, one is not a number, or they are too
    ///   large for float32.
    package static func scores(_ path: String, count: Int? = nil) throws -> [Float] {
        let array = try NumPyArray.read(path)
        guard array.shape.count == 1 else { throw ScoringError.badShape(score: path, shape: array.shape) }
        if let count, array.count != count {
            throw ScoringError.countMismatch(score: path, got: array.count, expected: count)
        }
        let exact = array.doubles
        if let index = exact.firstIndex(where: \.isNaN) { throw ScoringError.notANumber(score: path, index: index) }
        // Beyond 2^53 whole numbers are told apart as such alone.
        let whole = array.type == .int64 ? try array.integers() : []
        func isEqual(_ one: Int, _ other: Int) -> Bool {
            whole.isEmpty ? exact[one] == exact[other] : whole[one] == whole[other]
        }
        let rising =
            whole.isEmpty
            ? exact.indices.sorted { exact[$0] < exact[$1] } : whole.indices.sorted { whole[$0] < whole[$1] }
        let floats = array.floats
        if let index = exact.indices.first(where: { exact[$0].isFinite && !floats[$0].isFinite }) {
            throw ScoringError.tooLarge(score: path, index: index)
        }
        let steps = Array(zip(rising, rising.dropFirst()))
        if steps.allSatisfy({ isEqual($0, $1) || floats[$0] < floats[$1] }) { return floats }
        let least = rising.lazy.map { exact[$0] }.first { $0.isFinite } ?? 0
        var apart = exact.map { Float($0 - least) }
        if let first = rising.first, !whole.isEmpty {
            for (index, score) in whole.enumerated() {
                let (difference, overflow) = score.subtractingReportingOverflow(whole[first])
                if !overflow { apart[index] = Float(difference) }
            }
        }
        for (before, index) in steps {
            if isEqual(index, before) {
                apart[index] = apart[before]
            } else if apart[index] <= apart[before] {
                apart[index] = apart[before].nextUp
            }
        }
        if let index = exact.indices.first(where: { exact[$0].isFinite != apart[$0].isFinite }) {
            throw ScoringError.tooLarge(score: path, index: index)
        }
        return apart
    }
}
