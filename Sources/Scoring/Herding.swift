extension Score {
    /// Herding (Welling, ICML 2009): each time the sample that brings the mean of the picks nearest to the mean of all,
    ///
    ///     argmin_i ||(t + 1) mean - sum - x_i||
    ///
    /// t samples having been picked before, which add up to `sum`; the difference of the means falls like 1/t. High: picked
    /// early; samples that were not picked have 0. The paper keeps the picks, over the whole set.
    ///
    /// Deviations: no sample is picked twice, and the samples themselves are the features whose means are matched. The
    /// smallest norm is wanted: an order that takes the largest is another, and a worse, one. Ties go to the lower index.
    package static let herding = greedyOrder(.herding, "herding")
}
