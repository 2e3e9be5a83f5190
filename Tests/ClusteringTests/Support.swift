import Compute
import Datasets
import Foundation
import OpenCL

@testable import Clustering
import Support
import TestSupport

/// A file that tools/fixtures made with scikit-learn.
func fixture(_ name: String) throws -> NumPyArray {
    try NumPyArray.read(Fixtures.path("clustering/\(name).npy"))
}

/// A fixture's rows, 8-bit or float32 as the file has them.
func fixtureMatrix(_ name: String) throws -> FeatureMatrix {
    let array = try fixture(name)
    if let bytes = array.bytes {
        return try FeatureMatrix(bytes: bytes, count: array.shape[0], dimensions: array.shape[1])
    }
    return try FeatureMatrix(floats: array.floats, count: array.shape[0], dimensions: array.shape[1])
}

/// [count][dimensions] of points in a backend's memory.
func plain(_ points: Points, on backend: any Backend) throws -> [Float] {
    let values = try backend.read(points.buffer)
    return (0..<points.count * points.dimensions).map { element in
        let (point, dimension) = element.quotientAndRemainder(dividingBy: points.dimensions)
        let lanes = points.lanes
        return values[(point / lanes * points.dimensions + dimension) * lanes + point % lanes]
    }
}

/// Squared distance of two rows, in double precision.
func squaredDistance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
    zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
}

/// Points around `groups` centres on the axes, a hundred apart: point i belongs to centre i mod groups.
struct Blobs {
    let values: [Float]
    let count: Int
    let dimensions: Int
    let groups: Int

    init(count: Int, dimensions: Int, groups: Int, spread: Double = 1, seed: UInt64) {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        values = (0..<count * dimensions).map { element in
            let (point, dimension) = element.quotientAndRemainder(dividingBy: dimensions)
            let group = point % groups
            let centre = dimension == group % dimensions ? Double(100 * (1 + group / dimensions)) : 0
            return Float(centre + spread * random.nextUniform(-1, 1))
        }
        self.count = count
        self.dimensions = dimensions
        self.groups = groups
    }

    func points(on backend: any Backend) throws -> Points {
        try FeatureMatrix(floats: values, count: count, dimensions: dimensions).points(on: backend)
    }

    /// The group whose centre is nearest to a row.
    func group(of row: ArraySlice<Float>) -> Int? {
        let distances = (0..<groups).map { group in
            squaredDistance(row, values[group * dimensions..<(group + 1) * dimensions])
        }
        return distances.indices.min { distances[$0] < distances[$1] }
    }
}

/// An array behind the interface of a file.
struct StoredArray: RowReader {
    let bytes: [UInt8]
    let rowBytes: Int
    let type: ValueType

    init<Element: BitwiseCopyable>(_ values: [Element], dimensions: Int) {
        bytes = values.withUnsafeBytes { Array($0) }
        rowBytes = dimensions * MemoryLayout<Element>.stride
        type =
            switch Element.self {
            case is UInt8.Type: .uint8
            case is Double.Type: .float64
            case is Int32.Type: .int32
            case is Int64.Type: .int64
            default: .float32
            }
    }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        guard rows.upperBound * rowBytes <= bytes.count else { throw .unreadable(reason: "rows \(rows) are gone") }
        destination.copyBytes(from: bytes[rows.lowerBound * rowBytes..<rows.upperBound * rowBytes])
    }
}
