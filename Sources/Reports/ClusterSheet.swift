import Datasets
import Pruning
import Studies

/// What a cluster looks like: of images the mean of its members, those closest to its centroid and those furthest from it; of
/// other samples the ids of the closest and furthest, with the pictures that these name.
struct ClusterSheet: Sendable {
    let choice: Choice
    /// How many members each class has.
    let perClass: [Int]
    /// What the classes are called: [class]; empty where they are numbers.
    var classNames: [String] = []
    /// The closest members in the upper row, the furthest in the lower; of images with the mean at the left, twice as large.
    /// Nil where there are no pictures.
    private(set) var image: RasterImage?
    /// The members whose ids are shown, closest first, and furthest first; none of images.
    private(set) var closest: [ClusterIDs.Member] = []
    private(set) var furthest: [ClusterIDs.Member] = []
    /// Why pictures that ids name are missing: a sentence for each.
    private(set) var faults: [String] = []

    /// Members in a row.
    static let columns = 8
    /// The grey between pictures.
    static let background: UInt8 = 128
    private static let gap = 2

    /// A cluster worth looking at.
    struct Choice: Equatable, Sendable {
        let cluster: Int
        /// Why: "largest", "most spread".
        let reasons: [String]
        let count: Int
        /// The mean squared distance of the members to the centroid.
        let spread: Double
    }

    /// The largest and smallest cluster, the most and least spread of those with two members or more, and the one whose
    /// classes are mixed most. A cluster that is several of these stands once; of equal ones the lower index is taken.
    static func choose(_ assignment: ClusterAssignment, classes: ClassLabels?) -> [Choice] {
        var counts = [Int](repeating: 0, count: assignment.k)
        var sums = [Double](repeating: 0, count: assignment.k)
        for (label, distance) in zip(assignment.labels, assignment.squaredDistances) {
            counts[Int(label)] += 1
            sums[Int(label)] += Double(distance)
        }
        let spreads = zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : 0 }
        let filled = counts.indices.filter { counts[$0] > 0 }
        let spreadable = filled.filter { counts[$0] > 1 }
        var found: [(cluster: Int?, reason: String)] = [
            (filled.max { (counts[$0], $1) < (counts[$1], $0) }, "largest"),
            (filled.min { (counts[$0], $0) < (counts[$1], $1) }, "smallest"),
            (spreadable.max { (spreads[$0], $1) < (spreads[$1], $0) }, "most spread"),
            (spreadable.min { (spreads[$0], $0) < (spreads[$1], $1) }, "least spread"),
        ]
        if let classes, classes.labels.count == assignment.labels.count {
            var table = [Int](repeating: 0, count: assignment.k * classes.count)
            for (label, category) in zip(assignment.labels, classes.labels) {
                table[Int(label) * classes.count + Int(category)] += 1
            }
            let purities = counts.indices.map { cluster in
                Double(table[cluster * classes.count..<(cluster + 1) * classes.count].max() ?? 0)
                    / Double(max(1, counts[cluster]))
            }
            found.append((spreadable.min { (purities[$0], $0) < (purities[$1], $1) }, "most mixed classes"))
        }
        var choices: [Choice] = []
        for (cluster, reason) in found {
            guard let cluster else { continue }
            if let index = choices.firstIndex(where: { $0.cluster == cluster }) {
                let old = choices[index]
                choices[index] = Choice(
                    cluster: cluster, reasons: old.reasons + [reason], count: old.count, spread: old.spread)
            } else {
                choices.append(
                    Choice(cluster: cluster, reasons: [reason], count: counts[cluster], spread: spreads[cluster]))
            }
        }
        return choices
    }

    /// The sheet of a cluster of images.
    /// - Parameter images: the training set that was clustered, an image a label of `assignment`.
    /// - Returns: nil where the samples are not 8-bit images.
    init?(_ choice: Choice, of assignment: ClusterAssignment, images: SampleSet) {
        guard let pixels = images.pixels else { return nil }
        self.choice = choice
        let members = Self.members(of: choice, assignment)
        perClass = Self.count(members, images)
        let gap = Self.gap
        let (width, height) = (images.shape.width, images.shape.height)
        let size = images.shape.featureCount
        var sheet = RasterImage(
            width: (2 + Self.columns) * width + (Self.columns + 2) * gap, height: 2 * height + gap,
            channels: images.shape.channels == 3 ? 3 : 1, value: Self.background)
        sheet.draw(Self.mean(members, pixels, images.shape), x: 0, y: 0, scale: 2)
        for (row, shown) in Self.ends(of: members).enumerated() {
            for (column, member) in shown.enumerated() {
                sheet.draw(
                    RasterImage(planes: images.shape) { pixels[member * size + $0] },
                    x: 2 * width + 3 * gap + column * (width + gap), y: row * (height + gap))
            }
        }
        image = sheet
    }

    /// The sheet of a cluster of other samples.
    /// - Parameters:
    ///   - samples: the training set that was clustered, a sample per label of `assignment`.
    ///   - ids: what says which they are.
    init(_ choice: Choice, of assignment: ClusterAssignment, samples: SampleSet, ids: ClusterIDs) {
        self.choice = choice
        let members = Self.members(of: choice, assignment)
        perClass = samples.labels.isEmpty ? [] : Self.count(members, samples)
        let ends = Self.ends(of: members).map { end in
            end.map { ids.member($0, squaredDistance: assignment.squaredDistances[$0]) }
        }
        (closest, furthest) = (ends[0], ends[1])
        let step = ClusterIDs.side + Self.gap
        var sheet = RasterImage(
            width: Self.columns * step - Self.gap, height: 2 * step - Self.gap, channels: 3, value: Self.background)
        var hasPictures = false
        for (row, end) in ends.enumerated() {
            for (column, member) in end.enumerated() {
                switch ids.picture(member) {
                case .tile(let tile):
                    sheet.draw(tile, x: column * step, y: row * step)
                    hasPictures = true
                case .fault(let reason): if !faults.contains(reason) { faults.append(reason) }
                case nil: break
                }
            }
        }
        if hasPictures { image = sheet }
    }

    /// The members of a cluster from the closest to the centroid to the furthest, of equal ones the lower index first.
    private static func members(of choice: Choice, _ assignment: ClusterAssignment) -> [Int] {
        assignment.labels.indices.filter { assignment.labels[$0] == Int32(choice.cluster) }
            .sorted { (assignment.squaredDistances[$0], $0) < (assignment.squaredDistances[$1], $1) }
    }

    /// The closest members, and the furthest, the extremes first.
    private static func ends(of members: [Int]) -> [[Int]] {
        [Array(members.prefix(columns)), members.suffix(columns).reversed()]
    }

    private static func count(_ members: [Int], _ samples: SampleSet) -> [Int] {
        var perClass = [Int](repeating: 0, count: samples.classCount)
        for member in members { perClass[Int(samples.labels[member])] += 1 }
        return perClass
    }

    private static func mean(_ members: [Int], _ pixels: [UInt8], _ shape: SampleShape) -> RasterImage {
        let size = shape.featureCount
        var sums = [Int](repeating: 0, count: size)
        for member in members {
            for offset in 0..<size { sums[offset] += Int(pixels[member * size + offset]) }
        }
        let count = max(1, members.count)
        return RasterImage(planes: shape) { UInt8((sums[$0] + count / 2) / count) }
    }

    /// The members whose ids are shown as CSV, one per line; nil of images.
    var csv: String? {
        guard !closest.isEmpty else { return nil }
        let lines = [("closest", closest), ("furthest", furthest)].flatMap { end, members in
            members.enumerated().map { rank, member in
                CSV.line([
                    end, "\(rank)", "\(member.index)", member.id ?? "", member.category, "\(member.squaredDistance)",
                ])
            }
        }
        return CSV.line(["end", "rank", "index", "id", "class", "squared_distance"]) + lines.joined()
    }

    /// The largest classes of the members: "7 (91%), 9 (6%)"; empty without labels.
    var classes: String {
        perClass.enumerated().filter { $0.element > 0 }
            .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.prefix(3)
            .map {
                "\(Dataset.className($0.offset, of: classNames)) (\(Number.fixed(100 * Double($0.element) / Double(max(1, choice.count)), 0))%)"
            }
            .joined(separator: ", ")
    }
}
