/// The numbers that scores and greedy orders take, whatever a paper calls them.
package struct ScoreParameters: Hashable, Sendable, Codable {
    /// `score_epochs`: how long the networks train whose words about the samples are scores.
    package var epochs = 15
    /// `networks`: how many there are.
    package var networks = 10
    /// `window`: epochs over which ``Score/dynUnc`` and ``Score/dual`` take a standard deviation.
    package var window = 10
    /// `neighbors`: nearest neighbours in the graph of ``Score/d2``.
    package var neighbors = 10
    /// `gamma`: how fast the weight of a neighbour falls with its distance, in ``Score/d2``.
    package var gamma = 1.0
    /// `ks`: clusters of ``Score/prototypes``.
    package var k: Int?

    /// What ``networks`` may be: each has random numbers of its own.
    package static let networksRange = 1...1000
    /// What ``window`` may be: of one epoch there is no deviation.
    package static let windowRange = 2...1_000_000

    /// The papers' numbers.
    package init() {}
}
