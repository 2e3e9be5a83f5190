import Compute
import Foundation
import OpenCL
import Testing

@testable import Clustering
import Support
import TestSupport

/// Lloyd's k-means of a size for which a device may search coarsely first.
@Suite struct CoarseSearchTests {
    /// The labels after every number of iterations are those of the whole search: so were all centroids before.
    @Test(arguments: TestBackends.names) func everyIterationHasTheSameLabels(name: String) throws {
        let backend = try TestBackends.make(name)
        let (count, dimensions, k) = (1501, 33, 301)
        for isDirect in [false, true] {
            var random = RandomStream(seed: 4, run: isDirect ? 1 : 0, purpose: .testing)
            let centres = (0..<40 * dimensions).map { _ in Float(random.nextUniform(-3, 3)) }
            var values = (0..<count * dimensions).map {
                centres[$0 / dimensions % 40 * dimensions + $0 % dimensions] + Float(random.nextUniform(-1, 1))
            }
            // Duplicates, far from everything else.
            for element in 0..<20 * dimensions { values[element] = 100 }
            let points = try FeatureMatrix(floats: values, count: count, dimensions: dimensions).points(on: backend)
            for iterations in 0..<4 {
                let kmeans = KMeans(k: k, kind: .lloyd(iterations: iterations, tolerance: 0), start: .random, seed: 2)
                let found = try kmeans.fit(PointSource(points, isDirect: isDirect), on: backend)
                let centroids = try backend.makeCentroids(count: k, dimensions: dimensions)
                try backend.write(found.centroids, to: centroids.values)
                try backend.run(KmeansPanels(centroids))
                let labels = try backend.makeBuffer(of: Int32.self, count: count, label: "labels")
                let distances = try backend.makeBuffer(of: Float.self, count: count, label: "distances")
                try backend.run(
                    KmeansAssign(points, to: centroids, direct: isDirect, labels: labels, distances: distances))
                #expect(try backend.read(labels) == found.labels, "\(iterations) iterations, direct: \(isDirect)")
                #expect(try backend.read(distances) == found.distances)
            }
        }
    }

    /// Profiles in which PoCL's compiler has the instructions for the search on this processor.
    static let searching: [(DeviceProfile, Device)] = {
        guard
            let device = ((try? Device.all()) ?? []).first(where: { $0.platform.name == "Portable Computing Language" }
            ),
            let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
            let flags = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })?.split(separator: " ")
        else { return [] }
        return [("avx512bw", DeviceProfile.cpu16), ("avx2", .cpu8)].filter { flags.contains(Substring($0.0)) }
            .map { ($0.1, device) }
    }()

    /// Bounds that rule out every panel but the first must lead to labels from there alone; true bounds, to those of the
    /// whole search. Without this, a search that is never taken would pass every other comparison.
    @Test(
        .enabled(
            if: !CoarseSearchTests.searching.isEmpty,
            "the coarse search needs PoCL and a processor with AVX2"),
        arguments: CoarseSearchTests.searching.map(\.0))
    func theBoundsDecide(_ profile: DeviceProfile) throws {
        let device = try #require(Self.searching.first).1
        let backend = try OpenCLBackend(device: device, profile: profile)
        let width = backend.layout.panelWidth
        // Work-items full of points, and so few panels that the search is not given up after the first.
        let (count, dimensions, k) = (4 * backend.layout.pointLanes, 37, 40 * width)
        var random = RandomStream(seed: 5, run: 0, purpose: .testing)
        let values = (0..<k * dimensions).map { _ in Float(random.nextUniform(-1, 1)) }
        let rows = (0..<count * dimensions).map {
            values[$0 / dimensions * 7 % k * dimensions + $0 % dimensions] + Float(random.nextUniform(-0.05, 0.05))
        }
        let points = try FeatureMatrix(floats: rows, count: count, dimensions: dimensions).points(on: backend)
        func made(_ count: Int) throws -> Centroids {
            let centroids = try backend.makeCentroids(count: count, dimensions: dimensions)
            try backend.write(Array(values.prefix(count * dimensions)), to: centroids.values)
            try backend.run(KmeansPanels(centroids))
            return centroids
        }
        func labels(_ centroids: Centroids, _ coarse: CoarsePanels? = nil) throws -> [Int32] {
            let labels = try backend.makeBuffer(of: Int32.self, count: count, label: "labels")
            try backend.run(KmeansAssign(points, to: centroids, labels: labels, coarse: coarse))
            return try backend.read(labels)
        }
        let centroids = try made(k)
        let coarse = try backend.makeCoarsePanels(of: centroids)
        try backend.run(KmeansCoarse(centroids, into: coarse))
        let whole = try labels(centroids)
        #expect(Set(whole).count > width)
        #expect(try labels(centroids, coarse) == whole)
        // A negative error makes the lower bound large, the upper one small.
        var bounds = try backend.read(coarse.bounds)
        for panel in 0..<centroids.panelCount {
            bounds[panel * CoarsePanels.boundCount + CoarsePanels.errorBound] = panel == 0 ? -1e6 : -1e3
        }
        try backend.write(bounds, to: coarse.bounds)
        #expect(try labels(centroids, coarse) == labels(try made(width)))
    }

    /// What is stated covers what is made, whatever the width of panels.
    @Test(arguments: TestBackends.names) func memoryIsStated(name: String) throws {
        let backend = try TestBackends.make(name)
        for (k, dimensions) in [(256, 32), (301, 33), (1000, 256)] {
            let centroids = try backend.makeCentroids(count: k, dimensions: dimensions)
            let coarse = try backend.makeCoarsePanels(of: centroids)
            let bytes = 4 * (coarse.numbers.count + coarse.bounds.count)
            #expect(
                bytes == CoarsePanels.memory(centroids: k, dimensions: dimensions, width: centroids.panelWidth))
        }
        #expect(CoarsePanels.memory(centroids: 255, dimensions: 64, width: 1) == 0)
        #expect(CoarsePanels.memory(centroids: 256, dimensions: 31, width: 1) == 0)
        #expect(CoarsePanels.memory(centroids: 256, dimensions: 257, width: 1) == 0)
    }
}
