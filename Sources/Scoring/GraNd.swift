extension Score {
    /// GraNd of the last layer: the norm of the gradient of a sample's loss with respect to the weights and biases of the
    /// last layer, ||p - onehot(y)|| sqrt(1 + ||h||^2) for its input h, mean over the networks after their first epoch, in
    /// inference mode. High: hard, the sample pulls strongly. Paul, Ganguli & Dziugaite 2021, "Deep learning on a data
    /// diet", which keeps the highest of the whole set. The paper takes the gradient with respect to all weights.
    package static let grand = Score("grand", needs: [.dynamics]) { input in
        let dynamics = try input.recorded(for: "grand")
        return dynamics.meanOverNetworks(dynamics.grand)
    }
}
