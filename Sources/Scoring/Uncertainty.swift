extension Score {
    /// The entropy of a network's answer, -sum p log p in nats, mean over the networks after the last epoch, in inference
    /// mode. High: hard, the answer is undecided. Shannon's entropy as a measure of uncertainty: Settles 2010, "Active
    /// learning literature survey", section 3.1; for selections, Coleman et al. 2020, "Selection via proxy", which keep the
    /// highest of the whole set. They have one network.
    package static let entropy = Score("entropy", needs: [.dynamics]) { input in
        let dynamics = try input.recorded(for: "entropy")
        return dynamics.meanOverNetworks(dynamics.entropy)
    }

    /// One less the largest probability, mean over the networks after the last epoch, in inference mode. High: hard, not
    /// even the likeliest class is likely. Lewis & Gale 1994, "A sequential algorithm for training text classifiers"; for
    /// selections, Coleman et al. 2020, "Selection via proxy", which keep the highest of the whole set. They have one
    /// network.
    package static let leastConfidence = Score("least-confidence", needs: [.dynamics]) { input in
        let dynamics = try input.recorded(for: "least-confidence")
        return dynamics.meanOverNetworks(dynamics.largest.map { 1 - $0 })
    }

    /// The largest probability less the second largest, mean over the networks after the last epoch, in inference mode.
    /// High: easy, one class is ahead of all others; the sample's label has no part in it. Scheffer, Decomain & Wrobel 2001,
    /// "Active hidden Markov models for information extraction", who label the lowest first; here the lowest are kept first.
    package static let margin = Score("margin", needs: [.dynamics], isHighHard: false) { input in
        let dynamics = try input.recorded(for: "margin")
        return dynamics.meanOverNetworks(dynamics.lead)
    }
}
