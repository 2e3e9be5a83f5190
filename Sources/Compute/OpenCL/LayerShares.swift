extension BlockSizes {
    /// Work-groups that share `units` units of a layer's work: no more than have something to do.
    func layerShares(units: Int) -> Int {
        min(self[.layerShares][0], (units + profile.team - 1) / profile.team)
    }

    /// The number of work-groups that share the features of a tile, which are processed in `units` independent units.
    /// It is one on a CPU, whose caches work best if neighbouring features stay together.
    func featureShares(units: Int) -> Int { profile.splitsWork ? layerShares(units: units) : 1 }
}

extension Tunable {
    /// The most work-groups that share the work of a layer on a tile.
    static let layerShares = Tunable(
        "layer_shares",
        of: [
            AvgPoolBackward.kernel, AvgPoolForward.kernel, Conv2dForward.kernel, Conv2dInputGradient.kernel,
            GatherSamples.kernel, LinearForward.kernel, LinearInputGradient.kernel, LinearWeightGradients.kernel,
            MaxPoolBackward.kernel, MaxPoolForward.kernel, ReluBackward.kernel, TanhBackward.kernel,
        ]
    ) { $0.splitsWork ? [[16], [4], [64]] : [[4]] }
}
