import Datasets
import Pruning
import Studies

/// What a cluster looks like: the mean of its members, those closest to its centroid, those furthest from it.
struct ClusterSheet: Sendable {
    let choice: Choice
    /// How many members each class has.
    let perClass: [Int]
    /// The mean at the left, twice as large; beside it the closest members in the upper row, the furthest in the lower.
    let image: RasterImage

    /// Members in a row.
    static let columns = 8

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

    /// The sheet of a cluster.
    /// - Parameter images: the training set that was clustered, an image a label of `assignment`.
    /// - Returns: nil where the samples are not 8-bit images.
    init?(_ choice: Choice, of assignment: ClusterAssignment, images: SampleSet) {
        guard let pixels = images.pixels else { return nil }
        self.choice = choice
        let members = assignment.labels.indices.filter { assignment.labels[$0] == Int32(choice.cluster) }
            .sorted { (assignment.squaredDistances[$0], $0) < (assignment.squaredDistances[$1], $1) }
        var perClass = [Int](repeating: 0, count: images.classCount)
        for member in members { perClass[Int(images.labels[member])] += 1 }
        self.perClass = perClass
        let gap = 2
        let (width, height) = (images.shape.width, images.shape.height)
        let size = images.shape.featureCount
        var sheet = RasterImage(
            width: (2 + Self.columns) * width + (Self.columns + 2) * gap, height: 2 * height + gap,
            channels: images.shape.channels == 3 ? 3 : 1, value: 128)
        sheet.draw(Self.mean(members, pixels, images.shape), x: 0, y: 0, scale: 2)
        let rows = [Array(members.prefix(Self.columns)), members.suffix(Self.columns).reversed()]
        for (row, shown) in rows.enumerated() {
            for (column, member) in shown.enumerated() {
                sheet.draw(
                    Self.picture(images.shape) { pixels[member * size + $0] },
                    x: 2 * width + 3 * gap + column * (width + gap), y: row * (height + gap))
            }
        }
        image = sheet
    }

    private static func mean(_ members: [Int], _ pixels: [UInt8], _ shape: SampleShape) -> RasterImage {
        let size = shape.featureCount
        var sums = [Int](repeating: 0, count: size)
        for member in members {
            for offset in 0..<size { sums[offset] += Int(pixels[member * size + offset]) }
        }
        let count = max(1, members.count)
        return picture(shape) { UInt8((sums[$0] + count / 2) / count) }
    }

    /// An image of the set's size from its values by [channel][y][x].
    private static func picture(_ shape: SampleShape, _ value: (Int) -> UInt8) -> RasterImage {
        let channels = shape.channels == 3 ? 3 : 1
        var picture = RasterImage(width: shape.width, height: shape.height, channels: channels, value: 0)
        let plane = shape.planeSize
        for pixel in 0..<plane {
            for channel in 0..<channels { picture.pixels[pixel * channels + channel] = value(channel * plane + pixel) }
        }
        return picture
    }

    /// The largest classes of the members: "7 (91%), 9 (6%)".
    var classes: String {
        perClass.enumerated().filter { $0.element > 0 }
            .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.prefix(3)
            .map { "\($0.offset) (\(Number.fixed(100 * Double($0.element) / Double(max(1, choice.count)), 0))%)" }
            .joined(separator: ", ")
    }
}
