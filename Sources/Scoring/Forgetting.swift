extension Score {
    /// Forgetting events: how often an answer that was right when the sample was trained on is wrong the next time, mean
    /// over the networks. High: hard, often forgotten. Toneva et al. 2019, "An empirical study of example forgetting during deep
    /// neural network learning", algorithm 1, which drops what is never forgotten first.
    ///
    /// A sample that was never right counts as forgotten infinitely often, as in the paper. For several networks, which the
    /// paper does not say: it is infinite where none of them was ever right; a network that never was, among others that
    /// were, counts as many events as there are epochs, which is more than there can be.
    package static let forgetting = Score("forgetting", needs: [.dynamics]) { input in
        let dynamics = try input.recorded(for: "forgetting")
        let (epochs, count) = (dynamics.epochs, dynamics.count)
        return (0..<count).map { sample in
            var (events, isLearned) = (0, false)
            for network in 0..<dynamics.networks {
                let first = network * epochs * count + sample
                let answers = (0..<epochs).map { dynamics.isRight[first + $0 * count] > 0 }
                if answers.contains(true) {
                    isLearned = true
                    events += zip(answers, answers.dropFirst()).count { $0 && !$1 }
                } else {
                    events += epochs
                }
            }
            return isLearned ? Float(Double(events) / Double(dynamics.networks)) : .infinity
        }
    }
}
