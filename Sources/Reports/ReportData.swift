import Datasets
import Studies
import Support

/// The data sets of a study, for what a page shows of them.
final class ReportData: Sendable {
    /// What there is of a data set.
    enum Answer {
        case found(Dataset)
        /// It is not at hand.
        case missing
        /// The one at hand is not the one that the study was run on.
        case other
    }

    /// Where relative paths of images start from that ids name; nil for the folder of the ids.
    let pictureFolder: String?
    private let environment: StudyEnvironment
    private let load: @Sendable (String) -> Dataset?
    /// The names of the classes of the data sets that were asked for: they are small, and data sets are not.
    private let names = Locked<[String: [String]]>([:])

    /// - Parameter load: the data set of a name; nil where it is not at hand.
    init(_ stored: StoredStudy, pictureFolder: String?, load: @escaping @Sendable (String) -> Dataset?) {
        (environment, self.pictureFolder, self.load) = (stored.environment, pictureFolder, load)
    }

    /// Reads a data set.
    func dataset(_ name: String) -> Answer {
        guard let data = load(name) else { return .missing }
        guard let known = environment.datasets[name], BackendExecutor.isSource(data, of: known) else { return .other }
        names.withLock { $0[name] = data.classNames }
        return .found(data)
    }

    /// The names of a data set's classes: [class]; empty where they have none, or the data set is not at hand.
    func classNames(_ name: String) -> [String] {
        if let names = names.withLock({ $0[name] }) { return names }
        guard case .found(let data) = dataset(name) else {
            names.withLock { $0[name] = [] }
            return []
        }
        return data.classNames
    }
}
