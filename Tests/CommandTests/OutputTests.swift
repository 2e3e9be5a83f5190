import Datasets
import Foundation
import TestSupport
import Testing

/// What commands write never takes the place of what they read, or of another output.
struct OutputTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        try NumPy.write((0..<60).map { Float($0 * $0 % 17) }, shape: [20, 3], to: folder / "X.npy")
        try NumPy.write((0..<100).map(Int64.init), shape: [100], to: folder / "kept.npy")
        try FileManager.default.createSymbolicLink(atPath: folder / "link", withDestinationPath: folder.path)
    }

    @Test(arguments: [
        ("train --data data --epochs 0 --save out --trace out", "--trace out is the file of --save"),
        ("train --data data --epochs 0 --save out --trace link/out", "--trace link/out is the file of --save"),
        ("train --data data --epochs 0 --indices kept.npy --save ./kept.npy", "is the file of --indices"),
        ("train --data data --epochs 0 --save data/train-labels-idx1-ubyte", "is the file of the data set"),
        ("select --features X.npy --k 3 --strategy closest --size 3 --out link/X.npy", "is the file of --features"),
        ("select --clustering c --strategy closest --size 3 --out c/labels.npy", "is the file of --clustering"),
        ("cluster --features c/labels.npy --k 3 --out c", "is the file of --features"),
        ("run quickstart --data data --dataset made-up --out data", "is the file of --data"),
        (
            "select --features X.npy --strategy random --size 3 --out /dev/stdout",
            "--out /dev/stdout is standard output"
        ),
        (
            "select --features X.npy --strategy random --size 3 --out k.npy --dropped /dev/fd/1",
            "--dropped /dev/fd/1 is standard output"
        ),
        (
            "select --features X.npy --strategy random --size 3 --out k.npy --details /dev/stdout --json",
            "--details /dev/stdout is standard output"
        ),
        (
            "dedup --features X.npy --k 1 --eps 0.1 --out k.npy --pairs /proc/self/fd/1",
            "--pairs /proc/self/fd/1 is standard output"
        ),
        ("score --features X.npy --score herding --out /dev/stdout", "--out /dev/stdout is standard output"),
        ("cluster --features X.npy --k auto --curve /dev/stdout", "--curve /dev/stdout is standard output"),
    ]) func whatIsReadOrWrittenIsNotReplaced(command: String, words: String) throws {
        try FileManager.default.createDirectory(atPath: folder / "c", withIntermediateDirectories: true)
        try NumPy.write((0..<20).map(Int64.init), shape: [20, 1], to: folder / "c/labels.npy")
        let before = try contents()
        let arguments = command.split(separator: " ").map(String.init)
        let outcome = try coppice(arguments + ["--device", "cpu", "--quiet"], directory: folder.path)
        expectComplaint(outcome, code: 64, mentions: [words])
        #expect(try contents() == before)
    }

    @Test func whatGoesIntoAPipeOfItsOwnIsNotMixed() throws {
        let select = "\"$COPPICE\" select --features X.npy --strategy random --size 3 --device cpu --quiet --out"
        let mixed = try shell(
            "\(select) /dev/stdout | wc -c; \(select) /dev/null >/dev/null && echo nothing", directory: folder.path)
        #expect(
            mixed.stdout == "0\nnothing\n" && mixed.stderr.contains("which has the summary; name a file"), "\(mixed)")
        let apart = try shell(
            "\(select) /dev/fd/3 3>&1 >text | head -c 6 | tail -c 5; cat text", directory: folder.path)
        #expect(apart.stdout.hasPrefix("NUMPYkept 3 of"), "\(apart)")
    }

    @Test func weightsMayGoOnWhereTheyWere() throws {
        for arguments in [
            ["--save", "w"], ["--init", "w", "--save", "w"], ["--save", "/dev/null", "--trace", "/dev/null"],
        ] {
            let command = ["train", "--data", "data", "--epochs", "0", "--device", "cpu", "--quiet"] + arguments
            let outcome = try coppice(command, directory: folder.path)
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
    }

    @Test func aLabelFarAboveTheOthersIsMentioned() throws {
        let file = URL(fileURLWithPath: folder / "data/train-labels-idx1-ubyte")
        var bytes = try Data(contentsOf: file)
        bytes[8] = 200
        try bytes.write(to: file)
        let outcome = try coppice(
            "train", "--data", folder / "data", "--epochs", "0", "--model", "linear", "--device", "cpu")
        #expect(outcome.status == 0)
        #expect(outcome.stderr.contains("the highest label is 200, and 197 of the labels below it have no image"))
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device")) func foldersOfKernelsAndProgramsAreInputAndOutput()
        throws
    {
        let command = ["train", "--data", folder / "data", "--model", "linear", "--epochs", "1", "--quiet"]
        let missing = try coppice(command, environment: ["COPPICE_KERNELS": "/nonexistent"])
        expectComplaint(missing, code: 66, mentions: ["No such file or directory; COPPICE_KERNELS"])
        let unwritable = try coppice(command, environment: ["COPPICE_SAVE_PROGRAMS": "/dev/null/programs"])
        expectComplaint(unwritable, code: 73, mentions: ["Not a directory; COPPICE_SAVE_PROGRAMS"])
    }

    private func contents() throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            found[name] = FileManager.default.contents(atPath: folder / name)
        }
        return found
    }
}
