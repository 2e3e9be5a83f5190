extension Score {
    /// The order of farthest-first traversal (Gonzalez 1985), as the core-set approach picks the samples to label (Sener &
    /// Savarese, ICLR 2018): each time the sample whose nearest pick is furthest away,
    ///
    ///     argmax_i min_{j picked} ||x_i - x_j||
    ///
    /// which keeps the largest distance of any sample to its nearest pick within twice the least possible. High: picked
    /// early; samples that were not picked have 0. The paper keeps the picks, over the whole set.
    ///
    /// Deviations: the paper starts from samples that have labels already; here the first pick is the sample nearest to
    /// the mean. Its second step, a mixed integer program that leaves outliers uncovered, is left out, as in its authors'
    /// comparisons with "k-Center greedy". Ties go to the lower index; once every distance is 0, picks follow by index.
    package static let kCenter = greedyOrder(.kCenter, "k-center")
}
