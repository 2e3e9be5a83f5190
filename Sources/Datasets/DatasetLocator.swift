import Foundation
import Support

/// A data set that was found.
package struct DatasetLocation: Sendable {
    /// The data set's name.
    package let name: String
    /// The folder that holds the files.
    package let directory: String
    /// The files' paths, in the order of their format: training set first, images before labels.
    package let files: [String]
    /// How the files are read.
    let format: any FolderFormat

    /// Whether it is a folder of image files, each of which has a path.
    package var isImageFolder: Bool { format is ImageFolder }

    /// What the files are on the disk, whichever links lead there: equal for two names of the same files. One folder may
    /// hold those of several data sets.
    fileprivate var identity: String {
        (files.isEmpty ? [directory] : files).map { path in
            var status = stat()
            return stat(path, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : path
        }.joined(separator: " ")
    }
}

/// Finds data sets: a folder that a format recognises is one.
package struct DatasetLocator: Sendable {
    private let environment: EnvironmentVariables
    private let systemDirectory: String

    /// A locator for this process.
    /// - Parameters:
    ///   - environment: where COPPICE_DATA, XDG_CACHE_HOME and HOME are read.
    ///   - systemDirectory: where the system's packages put data sets.
    package init(
        environment: EnvironmentVariables = .process,
        systemDirectory: String = "/usr/share/datasets"
    ) {
        self.environment = environment
        self.systemDirectory = systemDirectory
    }

    /// Where fetched data sets go: coppice/datasets in the user's cache.
    package var cacheDirectory: String { environment.cacheFolder + "/coppice/datasets" }

    /// Folders that hold data sets by name, in the order in which they are searched: $COPPICE_DATA, the user's cache,
    /// the system's.
    package var searchDirectories: [String] {
        var directories: [String] = []
        if let data = environment["COPPICE_DATA"] { directories.append(data) }
        return directories + [cacheDirectory, systemDirectory]
    }

    /// Finds a data set.
    /// - Parameters:
    ///   - name: its name; without one, `dataDirectory` decides.
    ///   - dataDirectory: what --data says. When given, nothing else is searched: the folder itself holds the files, or
    ///     a folder of that name in it (without a name, of any known data set) does.
    /// - Throws: ``DatasetError/notFound(name:looked:remedy:)`` with every folder that was looked at and what brings
    ///   the data set; ``DatasetError/ambiguous(directory:names:)`` where a folder holds several and no name takes one.
    package func find(_ name: String?, dataDirectory: String? = nil) throws(DatasetError) -> DatasetLocation {
        let names = name.map { [$0] } ?? KnownDataset.all.map(\.name)
        var candidates: [(directory: String, name: String?)] = []
        if let dataDirectory {
            candidates = [(dataDirectory, name)] + names.map { (dataDirectory + "/" + $0, $0) }
        } else {
            candidates = names.flatMap { name in
                // Data sets that come in an archive may lie in the folder that unpacking it makes.
                let folders = [name] + [KnownDataset.named(name)?.archive?.folder].compactMap { $0 }
                return searchDirectories.flatMap { place in folders.map { ("\(place)/\($0)", name) } }
            }
        }
        var looked: [String] = []
        var ambiguity: DatasetError?
        for candidate in candidates {
            switch Self.look(in: candidate.directory, name: candidate.name) {
            case .success(let location): return location
            case .failure(let missing):
                looked.append(missing.description)
                if !missing.choices.isEmpty, ambiguity == nil {
                    ambiguity = .ambiguous(directory: missing.directory, names: missing.choices)
                }
            }
        }
        if let ambiguity { throw ambiguity }
        throw .notFound(
            name: name ?? "of images", looked: looked, remedy: KnownDataset.remedy(for: name ?? ""))
    }

    /// The folder's own name, where its files cannot be those of the known data set `name`; nil where they may be.
    package func otherName(than name: String, dataDirectory: String) -> String? {
        guard KnownDataset.named(name) != nil else { return nil }
        if let found = try? find(name, dataDirectory: dataDirectory),
            found.directory != dataDirectory || found.format.knownNames.contains(name)
        {
            return nil
        }
        return (try? Self.look(in: dataDirectory, name: nil).get())?.name
    }

    /// Finds several data sets, each in files of its own.
    /// - Throws: ``DatasetError/notFound(name:looked:remedy:)``, and ``DatasetError/sameFolder(names:directory:)`` where
    ///   one folder would be taken for two of them: a folder of files answers to every name.
    package func find(_ names: [String], dataDirectory: String? = nil) throws(DatasetError) -> [String: DatasetLocation]
    {
        var found: [String: DatasetLocation] = [:]
        var owners: [String: String] = [:]
        for name in names where found[name] == nil {
            let location = try find(name, dataDirectory: dataDirectory)
            let identity = location.identity
            if let other = owners[identity] {
                throw .sameFolder(names: [other, name], directory: location.directory)
            }
            owners[identity] = name
            found[name] = location
        }
        return found
    }

    /// Every data set in the folders that are searched, each name where it would be taken from, in order of names.
    package func all() -> [DatasetLocation] {
        var found: [String: DatasetLocation] = [:]
        for directory in searchDirectories {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            where found[name] == nil {
                if case .success(let location) = Self.look(in: directory + "/" + name, name: name) {
                    found[name] = location
                }
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// The data set in exactly this folder; its name is the folder's unless one is given.
    /// - Throws: ``DatasetError/notFound(name:looked:remedy:)``, ``DatasetError/ambiguous(directory:names:)``.
    static func location(directory: String, name: String?) throws(DatasetError) -> DatasetLocation {
        switch look(in: directory, name: name) {
        case .success(let location): return location
        case .failure(let missing):
            if !missing.choices.isEmpty { throw .ambiguous(directory: directory, names: missing.choices) }
            throw .notFound(
                name: name ?? "of images", looked: [missing.description], remedy: KnownDataset.remedy(for: name ?? ""))
        }
    }

    /// A folder that is no data set, and why.
    private struct Missing: Error, CustomStringConvertible {
        let directory: String
        /// Files that are missing where others are there.
        var files: [String] = []
        /// Names of data sets that are all there.
        var choices: [String] = []
        /// Known data sets of another layout, one of which it may be.
        var others: [String] = []

        /// The folder; what it lacks is said only where some of the files are there.
        var description: String {
            if !others.isEmpty { return "\(directory) (which has the files of \(others.joined(separator: " or ")))" }
            return files.isEmpty ? directory : "\(directory) (lacks \(files.joined(separator: ", ")))"
        }
    }

    private static func look(in directory: String, name: String?) -> Result<DatasetLocation, Missing> {
        switch Formats.look(in: directory, for: name) {
        case (let format, .complete(let files))?:
            let folder = URL(fileURLWithPath: directory).standardizedFileURL.lastPathComponent
            return .success(
                DatasetLocation(name: name ?? folder, directory: directory, files: files, format: format))
        case (_, .lacking(let files))?: return .failure(Missing(directory: directory, files: files))
        case (_, .several(let names))?: return .failure(Missing(directory: directory, choices: names))
        case (_, .foreign)?, nil:
            guard name != nil, case (let format, .complete)? = Formats.look(in: directory) else {
                return .failure(Missing(directory: directory))
            }
            return .failure(Missing(directory: directory, others: format.knownNames))
        }
    }
}
