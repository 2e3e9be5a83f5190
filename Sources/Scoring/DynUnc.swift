extension Score {
    /// Dyn-Unc, dynamic uncertainty: the standard deviation of p_y over `window` consecutive epochs, mean over all windows and
    /// over the networks; p_y is the probability of the sample's class when it was trained on. High: hard, the network has
    /// changed its mind. He et al. 2024, "Large-scale dataset pruning with dynamic uncertainty" (2306.05175), which keeps the
    /// highest of the whole set; the divisor of the deviation is window - 1, as there. The paper has one network.
    /// `window` above `score_epochs` is refused.
    package static let dynUnc = Score("dyn-unc", needs: [.dynamics], usesWindow: true) { input in
        let dynamics = try input.recorded(for: "dyn-unc")
        return dynamics.meanOverWindows(of: try input.window(of: dynamics)) { _, deviation in deviation }
    }
}
