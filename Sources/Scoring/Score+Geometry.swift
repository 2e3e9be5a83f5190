extension Score {
    /// The scores of where samples are, which need no network.
    package static let ofGeometry: [Score] = [.prototypes, .moderate, .semdedup, .typiclust, .d2]
}
