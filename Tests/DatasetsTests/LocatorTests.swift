import Foundation
import Support
import Testing

@testable import Datasets

@Suite struct LocatorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func locator(_ environment: [String: String] = [:]) -> DatasetLocator {
        DatasetLocator(
            environment: EnvironmentVariables(
                environment.merging(["HOME": folder.path + "/home"]) { given, _ in given }),
            systemDirectory: folder.path + "/system")
    }

    @Test func searchesInOrder() throws {
        let withData = locator(["COPPICE_DATA": folder.path + "/data"])
        let cache = "home/.cache/coppice/datasets/mnist/"
        try writeDataset(in: folder, prefix: "system/mnist/")
        #expect(try withData.find("mnist").directory == folder.path + "/system/mnist")
        try writeDataset(in: folder, prefix: cache)
        #expect(try withData.find("mnist").directory + "/" == folder.path + "/" + cache)
        try writeDataset(in: folder, prefix: "data/mnist/")
        #expect(try withData.find("mnist").directory == folder.path + "/data/mnist")
        #expect(try locator().find("mnist").directory + "/" == folder.path + "/" + cache)
        #expect(try withData.find(nil).name == "mnist")
    }

    @Test func honoursTheCacheVariableWhenItIsAbsolute() {
        #expect(locator(["XDG_CACHE_HOME": "/x"]).cacheDirectory == "/x/coppice/datasets")
        #expect(locator(["XDG_CACHE_HOME": "x"]).cacheDirectory == folder.path + "/home/.cache/coppice/datasets")
        #expect(locator(["XDG_CACHE_HOME": ""]).cacheDirectory == folder.path + "/home/.cache/coppice/datasets")
        #expect(locator(["COPPICE_DATA": ""]).searchDirectories.count == 2)
    }

    @Test func takesAGivenFolderOrNone() throws {
        try writeDataset(in: folder, prefix: "system/mnist/")
        try writeDataset(in: folder, prefix: "given/letters/")
        let given = folder.path + "/given"
        #expect(try locator().find("letters", dataDirectory: given).directory == given + "/letters")
        #expect(try locator().find(nil, dataDirectory: given + "/letters/").name == "letters")
        #expect(try locator().find("mnist", dataDirectory: given + "/letters").name == "mnist")
        // The system's MNIST is no substitute for a folder that was named.
        let error = try #require(throws: DatasetError.self) {
            try locator().find("mnist", dataDirectory: given)
        }
        #expect(error.exitCode == 66)
        #expect(error.description.contains(given + "/mnist") && !error.description.contains("system"))
        #expect(error.description.contains("coppice data fetch mnist"))
    }

    @Test func saysWhereItLookedAndWhatHelps() throws {
        let here = locator(["COPPICE_DATA": folder.path + "/data"])
        for (name, remedy) in [
            ("mnist", "coppice data fetch mnist"), ("fashion-mnist", "apt install dataset-fashion-mnist"),
            ("letters", "t10k-labels-idx1-ubyte"),
        ] {
            let error = try #require(throws: DatasetError.self) { try here.find(name) }
            #expect(error.exitCode == 66)
            for directory in here.searchDirectories { #expect(error.description.contains(directory + "/" + name)) }
            #expect(error.description.contains(remedy))
        }
    }

    @Test func saysWhichFilesAreMissing() throws {
        try writeDataset(in: folder, prefix: "part/")
        try FileManager.default.removeItem(atPath: folder.path + "/part/t10k-labels-idx1-ubyte")
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder.path + "/part") }
        #expect(error.description.contains("lacks t10k-labels-idx1-ubyte)") && error.exitCode == 66)
    }

    @Test func listsWhatIsThereAndWhatIsNot() throws {
        try writeDataset(in: folder, prefix: "system/fashion-mnist/")
        try writeDataset(in: folder, prefix: "data/letters/")
        _ = try folder.file("data/README", [1])
        let listing = DatasetListing.all(locator(["COPPICE_DATA": folder.path + "/data"]))
        #expect(listing.map(\.name) == ["mnist", "fashion-mnist", "letters"])
        #expect(listing[0].directory == nil && listing[0].remedy?.contains("fetch") == true)
        #expect(listing[1].directory == folder.path + "/system/fashion-mnist" && listing[1].remedy == nil)
        #expect(listing[2].directory == folder.path + "/data/letters")
    }
}
