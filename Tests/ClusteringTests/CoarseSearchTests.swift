import Compute
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
