/// How a data set is read, and who hears of it. Formats take of this what concerns them.
package struct DatasetReading: Sendable {
    /// Whether image files that cannot be read are named and left out; otherwise they end the reading.
    package var skipsBadFiles: Bool
    /// Whether what is cached is held against the contents of the files; otherwise against their sizes and times.
    package var rechecksContents: Bool
    /// The folder for decoded images; nil where none are kept.
    package var cacheFolder: String?
    /// Called with what a user should know, a sentence without its full stop.
    package var note: @Sendable (String) -> Void
    /// Called from any thread with what is being done and how many files of how many are done.
    package var progress: @Sendable (_ stage: String, _ done: Int, _ total: Int) -> Void
    /// Asked between files whether to stop.
    package var isCancelled: @Sendable () -> Bool

    /// Options for reading. By default bad files are errors, nothing is cached, and notes and progress are dropped.
    package init(
        skipsBadFiles: Bool = false, rechecksContents: Bool = false, cacheFolder: String? = nil,
        note: @escaping @Sendable (String) -> Void = { _ in },
        progress: @escaping @Sendable (_ stage: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.skipsBadFiles = skipsBadFiles
        self.rechecksContents = rechecksContents
        self.cacheFolder = cacheFolder
        self.note = note
        self.progress = progress
        self.isCancelled = isCancelled
    }
}

/// The samples of a folder.
struct FolderSamples: Sendable {
    /// The samples to learn from.
    let train: SampleSet
    /// The samples to test on.
    let test: SampleSet
    /// The files of the training samples, where each has one.
    var trainFiles: SampleFiles?
    /// The names of the classes: [class]; empty where they have none.
    var classNames: [String] = []
}

/// The files that samples were read from, one for each.
package struct SampleFiles: Sendable {
    /// The data set's folder.
    package let directory: String
    /// The bytes of each file's path, relative to ``directory``: [sample]. Names need not be UTF-8.
    package let paths: [[UInt8]]
    /// The bytes of the name of each file's class: [sample].
    package let classes: [[UInt8]]
}
