/// One line of `data list`. Encodes to JSON with these names.
package struct DatasetListing: Sendable, Encodable {
    /// The data set's name.
    package let name: String
    /// What it is; empty for a folder that only its owner knows.
    package let summary: String
    /// Where it was found, nil when it is missing.
    package let directory: String?
    /// How to come by a missing one, as part of a sentence.
    package let remedy: String?

    /// The known data sets, found or not, and then every other one in the folders that `locator` searches.
    package static func all(_ locator: DatasetLocator = DatasetLocator()) -> [DatasetListing] {
        let found = locator.all()
        let known = KnownDataset.all.map { dataset in
            let directory = (try? locator.find(dataset.name))?.directory
            return DatasetListing(
                name: dataset.name, summary: dataset.summary, directory: directory,
                remedy: directory == nil ? dataset.remedy : nil)
        }
        let places = Set(known.compactMap(\.directory))
        let others = found.filter { KnownDataset.named($0.name) == nil && !places.contains($0.directory) }.map {
            location in
            DatasetListing(name: location.name, summary: "", directory: location.directory, remedy: nil)
        }
        return known + others
    }
}
