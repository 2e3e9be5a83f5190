/// The numbers that scores and greedy orders take, whatever a paper calls them.
package struct ScoreParameters: Hashable, Sendable, Codable {
    /// `score_epochs`: how many epochs each score network trains for.
    package var epochs = 15
    /// `networks`: how many score networks a set has.
    package var networks = 10
    /// `window`: epochs over which ``Score/dynUnc`` and ``Score/dual`` take a standard deviation.
    package var window = 10
    /// `neighbors`: nearest neighbours in the graph of ``Score/d2``.
    package var neighbors = 10
    /// `gamma`: how fast the weight of a neighbour falls with its distance, in ``Score/d2``; nil for 1 / the median
    /// distance of neighbours.
    package var gamma: Double?
    /// `ks`: the number of prototypes of ``Score/prototypes``.
    package var k: Int?

    /// The values that ``epochs`` may take.
    package static let epochsRange = 1...100_000
    /// The values that ``neighbors`` may take: so many are kept for each sample.
    package static let neighborsRange = 1...1000
    /// The values that ``networks`` may take: each network has its own random numbers.
    package static let networksRange = 1...1000
    /// The values that ``window`` may take: one epoch has no deviation.
    package static let windowRange = 2...1_000_000

    /// What would be accepted where a window is longer than networks train, as part of a sentence.
    /// - Parameter name: what `epochs` is called there.
    package static func acceptedWindow(epochs: Int, _ name: String) -> String {
        let least = windowRange.lowerBound
        return epochs < least
            ? "\(least) epochs at least: raise \(name)" : "a window of \(least) to \(epochs) epochs"
    }

    /// The papers' numbers.
    package init() {}
}
