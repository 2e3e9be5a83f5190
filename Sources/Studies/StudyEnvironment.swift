import Foundation
import Support

/// What `environment.json` keeps: the version of the directory's format, the data, and the machines at work.
package struct StudyEnvironment: Codable, Equatable, Sendable {
    /// The format that this program writes. The first one had no number; runs of the second have no recall; clusterings of the
    /// third were made with sums in another form, see ``ClusteringKey/currentFormat``.
    package static let currentFormat = 4
    /// The formats that it reads.
    static let readFormats = 2...currentFormat

    /// What is known of a training set without its files.
    package struct Dataset: Codable, Equatable, Sendable {
        /// A hash of the data.
        package var fingerprint: String
        /// Training samples.
        package var count: Int
        /// Values a sample.
        package var featureCount: Int
        /// Classes, empty ones included.
        package var classCount: Int
        /// Planes, rows and columns of an image; nil where the samples are no images.
        package var channels: Int?
        package var height: Int?
        package var width: Int?

        init(_ dataset: StudyDataset) {
            fingerprint = dataset.fingerprint
            count = dataset.shape.count
            featureCount = dataset.shape.featureCount
            classCount = dataset.classes.count
            channels = dataset.image?.channels
            height = dataset.image?.height
            width = dataset.image?.width
        }

        /// Its extents, enough to plan by.
        package var shape: DatasetShape {
            DatasetShape(count: count, featureCount: featureCount, classCount: classCount)
        }
    }

    /// The version of the directory's format.
    package var format = currentFormat
    /// The training sets, by name.
    package var datasets: [String: Dataset] = [:]
    /// SHA-256 of the files of scores that samples are selected by, by their names in the study; nil where there are none.
    package var scoreFiles: [String: String]?
    /// One entry a session: coppice, device, platform, driver, backend, system, started, command, shard, and what it was told of the
    /// data.
    package var sessions: [[String: String]] = []

    /// Whether the latest session exchanged rows and columns of the images.
    package var isTransposed: Bool { sessions.last?["transposed"] == "true" }

    /// The text of the file.
    var text: String {
        // Strings and whole numbers are always encodable.
        ((try? JSON.text(self, layout: .indented)) ?? "{}") + "\n"
    }

    /// The version of the directory, as a sentence names it.
    var version: String { Self.name(format: format, sessions) }

    private static func name(format: Int, _ sessions: [[String: String]]) -> String {
        (sessions.last?["coppice"].map { "coppice \($0), " } ?? "") + "format \(format)"
    }

    /// What a file may turn out to be.
    enum Reading {
        case missing
        case valid(StudyEnvironment)
        /// Of another format, as a sentence names it.
        case otherVersion(String)
        /// Neither.
        case damaged
    }

    static func read(_ file: String) -> Reading {
        struct Heading: Decodable {
            var format: Int?
            var sessions: [[String: String]]?
        }
        guard let bytes = FileManager.default.contents(atPath: file) else { return .missing }
        guard let heading = try? JSON.value(Heading.self, of: bytes) else { return .damaged }
        guard readFormats.contains(heading.format ?? 1) else {
            return .otherVersion(name(format: heading.format ?? 1, heading.sessions ?? []))
        }
        guard let environment = try? JSON.value(Self.self, of: bytes),
            environment.datasets.values.allSatisfy({
                $0.count > 0 && $0.featureCount > 0 && (1...256).contains($0.classCount)
            })
        else { return .damaged }
        return .valid(environment)
    }
}
