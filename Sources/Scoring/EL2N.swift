extension Score {
    /// EL2N, the length of the error vector: ||p - onehot(y)||, mean over the networks after their first epoch, in inference
    /// mode; 0 to sqrt(2). High: hard, the answer is far from the label. Paul, Ganguli & Dziugaite 2021, "Deep learning on a
    /// data diet", which keeps the highest of the whole set. The paper takes it after several epochs, depending on the data
    /// (20 of 200 for ResNet-18 on CIFAR-10); here it is taken after one.
    package static let el2n = Score("el2n", needs: [.dynamics]) { input in
        let dynamics = try input.recorded(for: "el2n")
        return dynamics.meanOverNetworks(dynamics.el2n)
    }
}
