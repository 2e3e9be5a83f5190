import Foundation
import Support
import Testing

@testable import Datasets
import TestSupport

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
        #expect(error.category == .noInput)
        #expect(error.description.contains(given + "/mnist") && !error.description.contains("system"))
        #expect(error.description.contains("coppice data fetch mnist"))
    }

    @Test func twoNamesAreTwoFolders() throws {
        try writeDataset(in: folder, prefix: "flat/")
        try writeDataset(in: folder, prefix: "both/mnist/")
        try writeDataset(in: folder, prefix: "both/letters/", seed: 2)
        let (flat, both) = (folder.path + "/flat", folder.path + "/both")
        func expectOneFolder(_ names: [String], _ directory: String) throws {
            let error = try #require(throws: DatasetError.self) { try locator().find(names, dataDirectory: directory) }
            #expect(error.category == .usage)
            #expect(error.description.contains(names.joined(separator: " and ")), "\(error)")
            #expect(error.description.contains("DIR/\(names[0]) and DIR/\(names[1])"), "\(error)")
        }
        try expectOneFolder(["mnist", "fashion-mnist"], flat)
        try expectOneFolder(["letters", "digits"], flat)
        #expect(try locator().find(["letters", "letters"], dataDirectory: flat).count == 1)
        let found = try locator().find(["mnist", "letters"], dataDirectory: both)
        #expect(found.mapValues(\.directory) == ["mnist": both + "/mnist", "letters": both + "/letters"])
        // A link to the folder, and a folder of links to the files, are the same folder.
        let files = FileManager.default
        try files.createSymbolicLink(atPath: both + "/digits", withDestinationPath: "letters")
        try expectOneFolder(["letters", "digits"], both)
        try files.createDirectory(atPath: both + "/linked", withIntermediateDirectories: false)
        for file in try files.contentsOfDirectory(atPath: both + "/letters") {
            try files.createSymbolicLink(atPath: both + "/linked/" + file, withDestinationPath: "../letters/" + file)
        }
        try expectOneFolder(["letters", "linked"], both)
    }

    @Test func aKnownNameIsNotForFilesOfAnother() throws {
        let contents = idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        let labels = idx([3], [0, 1, 2])
        func known(_ name: String, _ part: DatasetPart, _ bytes: [UInt8], start: String? = nil) -> KnownDataset {
            KnownDataset(
                name: name, summary: "",
                files: [
                    KnownFile(
                        name: part.rawValue, byteCount: bytes.count, sha256: sha256(bytes), startSHA256: start)
                ], mirrors: [], remedy: "")
        }
        let all = [
            known("digits", .trainImages, contents, start: sha256(contents)), known("clothes", .testLabels, labels),
        ]
        func error(_ bytes: [UInt8], _ rank: Int, _ part: DatasetPart, _ name: String) throws -> String? {
            let array = try IDX.read(try folder.file("file", bytes), rank: rank)
            do {
                try KnownDataset.check(array, at: "file", as: part.rawValue, of: name, among: all)
                return nil
            } catch {
                #expect(error.category == .badData)
                return error.description
            }
        }
        #expect(try error(contents, 3, .trainImages, "digits") == nil)
        #expect(try error(contents, 3, .trainImages, "clothes")?.contains("train-images-idx3-ubyte of digits") == true)
        #expect(try error(gzip(contents), 3, .testImages, "clothes")?.contains("--dataset digits") == true)
        #expect(try error(contents, 3, .testImages, "digits")?.contains("in the place of t10k-images") == true)
        #expect(try error(labels, 1, .trainLabels, "digits")?.contains("t10k-labels-idx1-ubyte of clothes") == true)
        // A name that is not known is free, and so are files that are not known.
        #expect(try error(contents, 3, .trainImages, "mine") == nil)
        #expect(try error(idx([3, 2, 2], [UInt8](repeating: 0, count: 12)), 3, .trainImages, "clothes") == nil)
    }

    @Test(.enabled(if: realDataset("fashion-mnist") != nil, "Fashion-MNIST is not installed"))
    func fashionMNISTIsNotTakenForMNIST() throws {
        let fashion = try #require(realDataset("fashion-mnist"))
        #expect(try Dataset.load(fashion).train.count == 60_000)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/mnist", withDestinationPath: fashion.directory)
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder.path + "/mnist") }
        #expect(error.description.contains("t10k-images-idx3-ubyte of fashion-mnist"), "\(error)")
        #expect(throws: DatasetError.self) { try describe(locator().find("mnist", dataDirectory: folder.path)) }
        #expect(try Dataset.load(locator().find("mine", dataDirectory: folder.path + "/mnist")).name == "mine")
    }

    @Test func saysWhereItLookedAndWhatHelps() throws {
        let here = locator(["COPPICE_DATA": folder.path + "/data"])
        for (name, remedy) in [
            ("mnist", "coppice data fetch mnist"), ("fashion-mnist", "apt install dataset-fashion-mnist"),
            ("letters", "t10k-labels-idx1-ubyte"),
        ] {
            let error = try #require(throws: DatasetError.self) { try here.find(name) }
            #expect(error.category == .noInput)
            for directory in here.searchDirectories { #expect(error.description.contains(directory + "/" + name)) }
            #expect(error.description.contains(remedy))
        }
    }

    @Test func saysWhichFilesAreMissing() throws {
        try writeDataset(in: folder, prefix: "part/")
        try FileManager.default.removeItem(atPath: folder.path + "/part/t10k-labels-idx1-ubyte")
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder.path + "/part") }
        #expect(error.description.contains("lacks t10k-labels-idx1-ubyte)") && error.category == .noInput)
    }

    @Test func listsWhatIsThereAndWhatIsNot() throws {
        try writeDataset(in: folder, prefix: "system/fashion-mnist/")
        try writeDataset(in: folder, prefix: "data/letters/")
        _ = try folder.file("data/README", [1])
        let listing = DatasetListing.all(locator(["COPPICE_DATA": folder.path + "/data"]))
        #expect(listing.map(\.name) == ["mnist", "fashion-mnist", "cifar10", "cifar100", "letters"])
        #expect(listing[0].directory == nil && listing[0].remedy?.contains("fetch") == true)
        #expect(listing[1].directory == folder.path + "/system/fashion-mnist" && listing[1].remedy == nil)
        #expect(listing[2].remedy?.contains("fetch cifar10") == true && listing[3].directory == nil)
        #expect(listing[4].directory == folder.path + "/data/letters")
    }
}
