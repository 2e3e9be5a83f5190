import Datasets
import Foundation

/// Files of CIFAR-10's and of CIFAR-100's records: all files of a data set are the one file.
func acceptsCIFAR(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let ten = (1...5).map { "data_batch_\($0).bin" }
    let isTen = try acceptsRecords(
        bytes, in: "\(folder)/ten", trainFiles: ten, testFile: "test_batch.bin", labelBytes: 1, classes: 10)
    let isHundred = try acceptsRecords(
        bytes, in: "\(folder)/hundred", trainFiles: ["train.bin"], testFile: "test.bin", labelBytes: 2, classes: 100)
    return isTen || isHundred
}

private func acceptsRecords(
    _ bytes: [UInt8], in directory: String, trainFiles: [String], testFile: String, labelBytes: Int, classes: Int
) throws(Violation) -> Bool {
    do {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch {
        throw Violation(description: "the scratch folder was not made: \(error)")
    }
    try put(bytes, at: "\(directory)/\(testFile)")
    for name in trainFiles { symlink(testFile, "\(directory)/\(name)") }
    let data: Dataset
    do { data = try Dataset.load(directory: directory) } catch {
        try requireSentence(error.description, mentions: directory, error.category)
        return false
    }
    let size = labelBytes + 3072
    try require(bytes.count % size == 0, "\(bytes.count) bytes are no whole number of records")
    let count = bytes.count / size
    try require(
        data.test.count == count && data.train.count == count * trainFiles.count,
        "\(data.train.count) and \(data.test.count) images of \(count) records")
    try require(data.classCount <= classes, "\(data.classCount) classes")
    for record in 0..<count {
        let start = record * size
        try require(data.test.labels[record] == bytes[start + labelBytes - 1], "the label of record \(record)")
        try require(
            data.test.pixels?[record * 3072..<(record + 1) * 3072] == bytes[start + labelBytes..<start + size],
            "the pixels of record \(record) are not the file's")
    }
    let repeated = [[UInt8]](repeating: data.test.pixels ?? [], count: trainFiles.count)
    try require(data.train.pixels == Array(repeated.joined()), "the training images are not those of their files")
    return true
}
