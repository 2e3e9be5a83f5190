extension Score {
    /// The scores of where samples lie among the others, and the greedy orders by clusters and by neighbours.
    package static let ofGeometry: [Score] = [.prototypes, .moderate, .semdedup, .typiclust, .d2]
}
