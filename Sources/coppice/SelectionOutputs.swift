import ArgumentParser
import Datasets
import Foundation
import Pruning
import Support

/// `--ids`
struct IdsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A line per sample that says what it is: text such as a path, or JSONL. A name in .jsonl or .ndjson says JSONL, and one in .txt text; of any other name the first line decides, by whether it starts with { and then \" or }. The lines of what is kept are written beside --out, under its name with the ending .txt or .jsonl.",
            valueName: "file"))
    var ids: String?

    /// The lines; nil where none are given.
    /// - Throws: `DatasetError`, also for a line of JSONL that is no object.
    func open() throws(DatasetError) -> Identifiers? {
        guard let ids else { return nil }
        let lines = try Identifiers(ids)
        try lines.checkObjects()
        return lines
    }
}

/// What `select` writes beside the indices.
struct SelectionOutputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the indices of what is not kept here, int64 and rising; beside it, the lines of --ids or the paths of a folder of images.",
            valueName: "dropped.npy"))
    var dropped: String?
    @Option(
        help: ArgumentHelp(
            "Make a folder of links to the kept images, with a folder per class: the name of the folder that the image is in. The images are those of --data where it is a folder of image files; otherwise --ids has their paths: its lines or, in JSONL, their field `path`, relative to --data or else to the folder of --ids. The folder must be new or empty.",
            valueName: "dir"))
    var link: String?
    @Option(
        help: ArgumentHelp(
            "Write a line per kept sample here: rank, index, id, score, cluster and squared distance to its centroid.",
            valueName: "file.csv"))
    var details: String?
}

/// `--budget-column` and `--budget`
struct BudgetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "In place of --size, with --budget: the field of --ids, which is JSONL then, that says what a sample costs.",
            valueName: "name"))
    var budgetColumn: String?
    @Option(
        help: ArgumentHelp(
            "What the kept samples may cost together, never more: in rank order, one that does not fit is skipped.",
            valueName: "n"),
        transform: BudgetOptions.limit)
    var budget: Amount?

    @Sendable private static func limit(_ text: String) throws -> Amount {
        guard let limit = Amount(text), limit > Amount(), limit <= Amount.most else {
            throw Sentence("a number above 0 is needed, up to 10^18")
        }
        return limit
    }

    /// Refuses one without the other, and either without lines to read.
    func check(ids: String?) throws {
        if budget == nil, budgetColumn != nil {
            throw Failure("--budget-column requires --budget: what the kept samples may cost together", exitCode: 64)
        }
        if budget != nil, budgetColumn == nil {
            throw Failure("--budget requires --budget-column: the field of --ids that has the costs", exitCode: 64)
        }
        if budget != nil, ids == nil {
            throw Failure("--budget-column requires --ids: a JSONL file with the field in every line", exitCode: 64)
        }
    }

    /// The budget, with the cost of every sample; nil where there is none.
    /// - Throws: `DatasetError` that names the line.
    func read(_ ids: Identifiers?) throws -> Budget? {
        guard let budget, let name = budgetColumn, let ids else { return nil }
        guard ids.isJSON else {
            let reason =
                ids.isKindByName
                ? "\(ids.path) is text by its name; one that ends in .jsonl says JSONL"
                : "the first line of \(ids.path) does not start as an object does"
            throw Failure("--budget-column requires JSONL, and \(reason)", exitCode: 65)
        }
        let field = excerpt(name)
        var costs: [Amount] = []
        costs.reserveCapacity(ids.count)
        try ids.forEachLine { (line, text) throws(DatasetError) in
            let value: JSONField?
            do throws(Sentence) { value = try JSONField.named(name, in: text) } catch {
                throw ids.malformed(line: line, error.description)
            }
            switch value {
            case nil: throw ids.malformed(line: line, "it has no field \"\(field)\"")
            case .number(let text):
                guard let cost = Amount(text) else {
                    throw ids.malformed(line: line, "\"\(field)\" is \(excerpt(text)); a number from 0 up is needed")
                }
                costs.append(cost)
            case .some(let other):
                throw ids.malformed(line: line, "\"\(field)\" is \(other.kind); a number from 0 up is needed")
            }
        }
        return Budget(limit: budget, costs: costs)
    }
}

/// Where a selection goes: every file appears whole, once all are complete, and `--out` last.
struct SelectionOutputs {
    var indices: IndexOutputs
    let options: SelectionOutputOptions

    /// Looks at all outputs before anything is computed.
    /// - Parameters:
    ///   - other: one more file that the command writes; nil where there is none.
    ///   - inputs: what the command reads.
    /// - Throws: ``Failure`` for one that takes the place of an input or of another output, or would be read as data;
    ///   `FileError` for one that cannot be made.
    func check(_ other: NamedFile?, against inputs: [NamedFile?]) throws {
        let files = indices.files + [NamedFile("--details", options.details), other].compactMap { $0 }
        // Links are in folders of classes.
        try checkOutputs(files + [NamedFile("--link", options.link, kind: .folder(levels: 2))], against: inputs)
        try indices.checkPlaces()
        for file in files { try AtomicFile.checkCanWrite(file.path) }
        guard let link = options.link else { return }
        let folder = try StagedFolder.check(link)
        for file in files where isInside(file.path, folder) {
            throw Failure(
                "\(file.option) \(file.path) is in the folder of --link, which holds links alone; name another place",
                exitCode: 64)
        }
    }

    private func isInside(_ path: String, _ folder: String) -> Bool {
        guard let resolved = realpath(Paths.folder(of: path), nil) else { return false }
        defer { free(resolved) }
        return (String(cString: resolved) + "/").hasPrefix(folder + "/")
    }

    /// What was kept, as it is written.
    struct Contents {
        var kept: KeptSamples
        /// How many samples there are.
        var count: Int
        var clustering: ClusterAssignment?
        /// The score of each sample as text; nil where there is none.
        var score: ((Int) -> String)?
        /// What says of each sample which one it is; nil where nothing does.
        var ids: SampleIDs?
        /// Where the images of the samples are, for links to them.
        var images: ImagePaths?
    }

    /// Writes all that was asked for, or leaves what was there.
    /// - Returns: the links that were made.
    func write(_ contents: Contents) throws -> ImageLinks? {
        var (files, links): ([StagedFile], ImageLinks?) = ([], nil)
        let kept = contents.kept.indices
        var folder: StagedFolder?
        if let link = options.link, let images = contents.images {
            let classes = kept.compactMap { images.folder($0) }
            let made = ImageLinks(to: try existing(kept, images), of: classes.isEmpty ? nil : classes)
            let staged = try StagedFolder(link)
            try made.make(in: staged.temporary)
            (folder, links) = (staged, made)
        }
        if let path = options.details { files.append(try stageDetails(contents, to: path)) }
        files += try indices.stage(kept, of: contents.count, ids: contents.ids)
        try folder?.commit()
        for file in files { try file.commit() }
        return links
    }

    /// `rank,index,id,score,cluster,distance` for each kept sample (RFC 4180, but that lines end with a line feed alone).
    private func stageDetails(_ contents: Contents, to path: String) throws -> StagedFile {
        let file = try StagedFile(path)
        try file.write(Array("rank,index,id,score,cluster,distance\n".utf8))
        for (rank, index) in contents.kept.indices.enumerated() {
            var line = Array("\(rank),\(index),".utf8)
            if let ids = contents.ids { line += Self.field(try ids.id(index)) }
            line += ",\(contents.score?(index) ?? ""),".utf8
            if let clustering = contents.clustering {
                line += "\(clustering.labels[index]),\(clustering.squaredDistances[index])".utf8
            } else {
                line += ",".utf8
            }
            line.append(UInt8(ascii: "\n"))
            try file.write(line)
        }
        try file.seal()
        return file
    }

    /// A field of bytes that need not be UTF-8, quoted where it must be.
    static func field(_ bytes: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        guard bytes.contains(where: { [quote, UInt8(ascii: ","), 0x0A, 0x0D].contains($0) }) else { return bytes }
        return [quote] + bytes.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
    }
}

extension ImagePaths {
    /// Looks at a hundred lines over the whole file, before anything is computed.
    /// - Throws: ``Failure`` where none of them names a file: the paths start elsewhere.
    func check() throws {
        guard case .lines(let ids) = ids else { return }
        let tried = stride(from: 0, to: ids.count, by: max(1, ids.count / 100))
        var first: String?
        for index in tried {
            let path = try path(index)
            guard let fault = ImageLinks.fault(of: path) else { return }
            first = first ?? "\(excerpt(String(decoding: path, as: UTF8.self), longest: 200)): \(fault)"
        }
        guard let first else { return }
        throw Failure(
            "\(ids.path): none of the \(Array(tried).count) lines that were tried names an image that is there, the first "
                + "\(first); relative paths start from \(root), unless --data names another folder",
            exitCode: 66)
    }
}

/// The paths of the images of `indices`.
/// - Throws: ``Failure`` that names those that are not there.
private func existing(_ indices: [Int], _ images: ImagePaths) throws -> [[UInt8]] {
    let most = 20
    var (paths, missing, named): ([[UInt8]], Int, [String]) = ([], 0, [])
    for index in indices {
        let path = try images.path(index)
        paths.append(path)
        guard let fault = ImageLinks.fault(of: path) else { continue }
        missing += 1
        if named.count < most {
            named.append(
                "  \(excerpt(String(decoding: path, as: UTF8.self), longest: 300)) (sample \(index)): \(fault)")
        }
    }
    if missing == 0 { return paths }
    if missing > most { named.append("  and \(missing - most) more") }
    throw Failure(
        "\(missing) of the \(indices.count) kept images are not there, and nothing was written:\n"
            + named.joined(separator: "\n"), exitCode: 66)
}
