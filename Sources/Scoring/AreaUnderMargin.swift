import Pruning

extension Score {
    /// AUM, the area under the margin: the logit of the sample's class minus the largest other logit when the sample was
    /// trained on, mean over the epochs and the networks. High: easy; below 0 the networks prefer another class, as they do
    /// for mislabelled samples. Pleiss et al. 2020, "Identifying mislabeled data using the area under the margin ranking",
    /// which drops the lowest. The paper finds its threshold with samples of an extra class and trains up to the first drop
    /// of the learning rate; here the budget decides, and all epochs count.
    package static let aum = Score(
        "aum", needs: [.dynamics], isHighHard: false, paper: PapersChoice(keeping: .easy)
    ) { input in
        let dynamics = try input.recorded(for: "aum")
        var sums = [Double](repeating: 0, count: dynamics.count)
        for (place, margin) in dynamics.margin.enumerated() { sums[place % dynamics.count] += Double(margin) }
        return sums.map { Float($0 / Double(dynamics.networks * dynamics.epochs)) }
    }
}
