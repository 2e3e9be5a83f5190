extension Score {
    /// Herding (Welling, ICML 2009): each time the sample that brings the mean of the picks nearest to the mean of all,
    ///
    ///     argmin_i ||(t + 1) mean - sum - x_i||
    ///
    /// where t samples were picked before and add up to `sum`. High: picked early; samples that were not picked have 0. The
    /// paper keeps the picks, over the whole set.
    ///
    /// Deviations: no sample is picked twice, and the samples themselves are the features whose means are matched. It is
    /// argmin: taking the largest norm makes another, worse order. Ties go to the lower index.
    package static let herding = greedyOrder(.herding, "herding")
}
