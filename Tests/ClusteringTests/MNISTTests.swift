import Compute
import Datasets
import Foundation
import Testing

@testable import Clustering
import TestSupport

/// MNIST's folder, where $COPPICE_DATA has it.
private let mnist = ProcessInfo.processInfo.environment["COPPICE_DATA"].map { $0 + "/mnist" }
    .flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }

/// Inertia on real images: the measured means of scikit-learn's mini-batch, and of Lloyd from a random start.
@Suite(
    .serialized, .enabled(if: mnist != nil, "needs MNIST in $COPPICE_DATA"),
    .enabled(if: TestBackends.openCLProcessor != nil, "MNIST at full size needs an OpenCL processor")
)
struct MNISTTests {
    @Test func inertiaIsThatOfTheReferences() throws {
        let backend = try TestBackends.make(try #require(TestBackends.openCLProcessor))
        let images = try Dataset.load(directory: try #require(mnist)).train
        let matrix = try FeatureMatrix(images)
        let pca = try PCA.fit(matrix, components: 50, on: backend)
        let points = try pca.project(matrix, on: backend)
        let references: [(k: Int, kind: KMeans.Kind, start: KMeans.Start, inertia: Double)] = [
            (50, .miniBatch(), .plusPlus, 8.626e10), (500, .miniBatch(), .plusPlus, 5.711e10),
            (50, .lloyd(iterations: 20, tolerance: 0), .random, 8.485e10),
            (500, .lloyd(iterations: 20, tolerance: 0), .random, 5.519e10),
        ]
        for reference in references {
            let inertias = try (0..<3).map {
                try KMeans(k: reference.k, kind: reference.kind, start: reference.start, seed: $0)
                    .fit(points, on: backend).inertia
            }
            let mean = inertias.reduce(0, +) / 3
            #expect(
                abs(mean / reference.inertia - 1) < 0.015,
                "\(reference.kind), k \(reference.k): \(mean), not \(reference.inertia)")
        }
    }
}
