extension Score {
    /// DUAL, difficulty and uncertainty: the standard deviation of p_y over `window` consecutive epochs times one less their
    /// mean, mean over all windows and over the networks; p_y is the probability of the sample's class when it was trained on.
    /// High: hard, and the network has changed its mind. Cho et al. 2025, "Lightweight dataset pruning without full training
    /// via example difficulty and prediction uncertainty" (2502.06905); as there, the divisor of the deviation is window - 1.
    /// The paper has one network. It draws samples, and prefers easier ones the fewer are kept (``Order/beta(cD:)``).
    /// `window` above `score_epochs` is refused.
    package static let dual = Score(
        "dual", needs: [.dynamics], paper: PapersChoice(keeping: .beta(cD: OrderNumbers().cD)), usesWindow: true
    ) { input in
        let dynamics = try input.recorded(for: "dual")
        return dynamics.meanOverWindows(of: try input.window(of: dynamics)) { mean, deviation in
            deviation * (1 - mean)
        }
    }
}
