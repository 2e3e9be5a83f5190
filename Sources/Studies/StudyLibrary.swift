import Foundation

/// The studies that the program carries inside it.
package enum StudyLibrary {
    private static let texts: [(name: String, bytes: [UInt8])] = [
        ("quickstart", PackageResources.quickstart_yaml), ("article", PackageResources.article_yaml),
        ("article-large", PackageResources.article_large_yaml), ("half", PackageResources.half_yaml),
        ("scarce-or-plenty", PackageResources.scarce_or_plenty_yaml), ("methods", PackageResources.methods_yaml),
        ("architectures", PackageResources.architectures_yaml), ("probe", PackageResources.probe_yaml),
    ]

    /// Their names.
    package static let names = texts.map(\.name)

    /// A built-in study's YAML.
    package static func text(_ name: String) -> String? {
        texts.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// What a built-in study asks, in a sentence: the first of the comment at its top.
    package static func summary(_ name: String) -> String? {
        text(name).map { text in
            let comment = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.map { $0.dropFirst(2) }
                .joined(separator: " ")
            let end = comment.firstRange(of: /[.?](?: |$)/)?.lowerBound
            return end.map { String(comment[...$0]) } ?? comment
        }
    }

    /// The study of a file, or the built-in one of that name; a file goes before.
    /// - Parameter acceptsAnyDataset: whether the study may name a data set that is not in the catalogue, which makes sense
    ///   where the data's directory is given.
    /// - Throws: ``StudyError`` `.unknownStudy`, `.unreadable`, `.invalid`.
    package static func load(_ nameOrPath: String, acceptsAnyDataset: Bool = false) throws(StudyError) -> Study {
        let reader = StudyReader(file: nameOrPath, acceptsAnyDataset: acceptsAnyDataset)
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: nameOrPath, isDirectory: &isDirectory)
        if !exists || isDirectory.boolValue, let text = text(nameOrPath) { return try reader.read(text) }
        if isDirectory.boolValue {
            throw .unreadable(file: nameOrPath, reason: "it is a directory, and a YAML file is needed")
        }
        guard exists else {
            if nameOrPath.contains("/") || nameOrPath.contains(".") {
                throw .unreadable(file: nameOrPath, reason: "there is no such file")
            }
            throw .unknownStudy(name: nameOrPath, builtIn: names)
        }
        return try reader.read(contents(of: nameOrPath))
    }

    /// The text of a file.
    static func contents(of path: String) throws(StudyError) -> String {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unreadable(file: path, reason: error.localizedDescription)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalid(SourcePlace(file: path), reason: "this is not YAML: it is not UTF-8 text")
        }
        return text
    }
}
