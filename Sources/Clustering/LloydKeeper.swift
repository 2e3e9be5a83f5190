import Compute
import Ranks
import Support

/// The state between two of Lloyd's iterations, from which they continue with the same bits: sums over rows are exact, and no
/// random numbers are drawn after the start.
package struct LloydState: Equatable, Sendable {
    /// Iterations done.
    package let iterations: Int
    /// The centroids, [k][dimensions], less the points' shift.
    package let centroids: [Float]

    package init(iterations: Int, centroids: [Float]) {
        self.iterations = iterations
        self.centroids = centroids
    }
}

/// Follows Lloyd's iterations: provides the state that they begin with, keeps later states, and may stop them. Each rank of a
/// clustering has one; all of them begin with the same state.
package protocol LloydKeeper: AnyObject {
    /// The state to continue from, with k centroids; nil to begin with the start.
    var resumed: LloydState? { get }
    /// True if this rank wants the iterations to stop. Read after each iteration but the last; one rank stops all.
    var isStopping: Bool { get }

    /// Called once before the first iteration.
    func begin()
    /// True if this rank keeps the state now.
    /// - Parameter stopping: whether the iterations stop after this one.
    func isDue(stopping: Bool) -> Bool
    /// Keeps a state. An error ends the clustering.
    func keep(_ state: LloydState) throws(FileError)
    /// Called on every rank when the iterations are about to stop because some rank asked for it, before the last state is kept.
    func stop()
    /// Called once when the iterations are done, were stopped or have failed.
    func end()
}

extension KMeansRun {
    /// Sets the centroids to those of a state.
    func take(_ state: LloydState) throws(ClusteringError) {
        guard state.centroids.count == centroids.count * centroids.dimensions else {
            throw .badMatrix(
                elements: state.centroids.count, count: centroids.count, dimensions: centroids.dimensions)
        }
        try computing { () throws(ComputeError) in try backend.write(state.centroids, to: centroids.values) }
    }

    /// Hands the state after an iteration to `keeper` if that is due, and stops if any rank wants that. Collective.
    /// - Throws: ``ClusteringError/interrupted(iterations:)``, ``ClusteringError/file(_:)``.
    func pause(after iterations: Int, _ keeper: any LloydKeeper) throws(ClusteringError) {
        var wishes: [UInt64] = [keeper.isStopping ? 1 : 0]
        if let communicator = source.spread?.communicator {
            try acrossRanks { () throws(RanksError) in try communicator.maximum(&wishes) }
        }
        let stops = wishes[0] > 0
        if stops { keeper.stop() }
        if keeper.isDue(stopping: stops) {
            let state = LloydState(
                iterations: iterations,
                centroids: try computing { () throws(ComputeError) in try backend.read(centroids.values) })
            do throws(FileError) { try keeper.keep(state) } catch { throw .file(error) }
        }
        if stops { throw .interrupted(iterations: iterations) }
    }
}
