import Compute
import Testing

@testable import Clustering
import TestSupport

/// PCA and k-means against scikit-learn's own numbers in float64.
@Suite struct ScikitLearnTests {
    @Test(arguments: TestBackends.names, ["pixels", "floats"]) func principalComponents(
        backendName: String, data: String
    ) throws {
        let backend = try TestBackends.make(backendName)
        let matrix = try fixtureMatrix(data)
        let components = try fixture("\(data)_components")
        let pca = try PCA.fit(matrix, components: components.shape[0], on: backend)
        #expect(relativeError(pca.mean.map { Float($0) }, try fixture("\(data)_mean").floats) < 1e-6)
        for (name, found) in [("variance", pca.explainedVariance), ("ratio", pca.explainedVarianceRatio)] {
            let expected = try fixture("\(data)_\(name)").floats
            #expect(found.count == expected.count)
            for (value, due) in zip(found, expected) { #expect(abs(value / Double(due) - 1) < 1e-5, "\(name)") }
        }

        // Up to sign: scikit-learn fixes its signs by another rule than ours.
        let wanted = components.floats
        let projected = try plain(pca.project(matrix, on: backend), on: backend)
        var expectedProjection = try fixture("\(data)_projection").floats
        let (d, c) = (pca.dimensions, pca.count)
        for component in 0..<c {
            let mine = pca.components[component * d..<(component + 1) * d]
            let due = wanted[component * d..<(component + 1) * d]
            let sign: Float = zip(mine, due).reduce(0) { $0 + $1.0 * $1.1 } < 0 ? -1 : 1
            #expect(relativeError(Array(mine), due.map { $0 * sign }) < 2e-5, "component \(component)")
            for row in 0..<matrix.count { expectedProjection[row * c + component] *= sign }
        }
        #expect(relativeError(projected, expectedProjection) < 1e-5)
    }

    @Test(arguments: TestBackends.names, ["pixels", "floats"]) func assignmentToGivenCentroids(
        backendName: String, data: String
    ) throws {
        let backend = try TestBackends.make(backendName)
        let start = try fixture("\(data)_start")
        let found = try KMeans(k: start.shape[0], kind: .lloyd(iterations: 0), start: .given(start.doubles))
            .fit(try fixtureMatrix("\(data)_points").points(on: backend), on: backend)
        #expect(found.labels.map { Int64($0) } == (try fixture("\(data)_labels").integers()))
        let inertia = Double(try fixture("\(data)_inertia").floats[0])
        #expect(abs(found.inertia / inertia - 1) < 1e-6)
        #expect(found.centroids == start.floats)
        #expect(found.iterations == 0)
    }

    @Test(arguments: TestBackends.names, ["pixels", "floats"]) func lloydFromAGivenStart(
        backendName: String, data: String
    ) throws {
        let backend = try TestBackends.make(backendName)
        let start = try fixture("\(data)_start")
        let found = try KMeans(
            k: start.shape[0], kind: .lloyd(iterations: 300, tolerance: 0), start: .given(start.doubles)
        ).fit(try fixtureMatrix("\(data)_points").points(on: backend), on: backend)
        #expect(found.labels.map { Int64($0) } == (try fixture("\(data)_lloyd_labels").integers()))
        #expect(relativeError(found.centroids, try fixture("\(data)_lloyd").floats) < 1e-6)
        let inertia = Double(try fixture("\(data)_lloyd_inertia").floats[0])
        #expect(abs(found.inertia / inertia - 1) < 1e-6)
        #expect([Int64(found.iterations)] == (try fixture("\(data)_lloyd_iterations").integers()))
    }
}
