import Datasets
import Support

/// What says of the members of clusters which they are, where they are no images themselves: their ids, and the pictures that
/// these name.
struct ClusterIDs: Sendable {
    /// A member of a cluster.
    struct Member: Equatable, Sendable {
        /// The number of the sample in the whole training set.
        let index: Int
        /// Its id on one line; nil where there are none.
        let id: String?
        /// What its class is called; empty without labels.
        let category: String
        /// Of its squared distance to the centroid.
        let squaredDistance: Float

        /// The member in a table, its id cut off where it is long.
        var text: String { id.map { excerpt($0, longest: 120) } ?? "row \(index)" }
    }

    /// A picture, or why there is none, as a sentence that names the file.
    enum Picture: Sendable {
        case tile(RasterImage)
        case fault(String)
    }

    /// Pixels of a picture's longer side.
    static let side = 64

    private let data: Dataset
    private let ids: SampleIDs?
    /// The indices of the clustered samples in the data set; nil where all were clustered.
    private let origins: [Int]?
    private let paths: ImagePaths?
    private let decode: Decoder
    /// What was decoded before, by path: a picture is wanted again where a member is both among the closest and among the
    /// furthest, and where several rows name it. As many tiles as the sheets of a data set show, each of 12 KB.
    private let known = Locked<[[UInt8]: Picture]>([:])

    /// Decodes the file of this path, in the size that fits into a square of this side.
    typealias Decoder = @Sendable ([UInt8], Int) throws(DatasetError) -> (shape: SampleShape, pixels: [UInt8])

    /// - Parameters:
    ///   - origins: the indices of the clustered samples in the data set; nil where all were clustered.
    ///   - folder: where relative paths of pictures start from; nil for the folder of the ids.
    ///   - decode: what reads pictures.
    init(
        _ data: Dataset, origins: [Int]?, pictureFolder folder: String?,
        decode: @escaping Decoder = { (path, side) throws(DatasetError) in try ImageFile.tile(path, side: side) }
    ) {
        (self.data, self.origins, self.decode) = (data, origins, decode)
        ids = data.identifiers.map { .lines($0) } ?? data.trainFiles.map { .paths($0) }
        paths = ids.flatMap { try? ImagePaths($0, from: folder) }
    }

    /// Whether samples have ids, and not just numbers.
    var isNamed: Bool { ids != nil }

    /// Where relative paths of pictures start from.
    var root: String? { paths?.root }

    /// The member of this number among the clustered samples.
    func member(_ place: Int, squaredDistance: Float) -> Member {
        let index = origins?[place] ?? place
        let labels = data.train.labels
        return Member(
            index: index, id: ids.flatMap { try? $0.shown(index, longest: .max) },
            category: labels.indices.contains(index) ? data.className(Int(labels[index])) : "",
            squaredDistance: squaredDistance)
    }

    /// The picture that the id of a member names, on a square; nil where it names none.
    func picture(_ member: Member) -> Picture? {
        // A name without such an ending may be that of an image, or of anything else.
        guard let path = try? paths?.path(member.index) else { return nil }
        let isNamed = ImageFile.isNamed(path)
        guard isNamed || ImageLinks.fault(of: path) == nil else { return nil }
        if let picture = known.withLock({ $0[path] }) { return picture }
        let picture = read(path, isNamed: isNamed)
        if let picture { known.withLock { $0[path] = picture } }
        return picture
    }

    private func read(_ path: [UInt8], isNamed: Bool) -> Picture? {
        do throws(DatasetError) {
            let (shape, pixels) = try decode(path, Self.side)
            let image = RasterImage(planes: pixels, shape)
            var tile = RasterImage(width: Self.side, height: Self.side, channels: 3, value: ClusterSheet.background)
            tile.draw(image, x: (Self.side - image.width) / 2, y: (Self.side - image.height) / 2)
            return .tile(tile)
        } catch {
            return isNamed ? .fault(error.description) : nil
        }
    }
}
