import Compute
import Pruning

extension Score {
    /// The Euclidean distance to the mean of the sample's class (Xia et al., "Moderate coreset: a universal method of
    /// data selection for real-world data-efficient deep learning", ICLR 2023, equation 1). High: far from what is
    /// typical of the class. Within each class the paper keeps those whose distance is nearest to the median.
    ///
    /// The paper takes hidden representations of a trained network; this takes whatever the points are. The authors'
    /// program measures from the median of each class and keeps the middle ranks of the whole set.
    ///
    /// Throws ``ScoringError/missing(what:score:)`` without points or classes.
    package static let moderate = Score(
        "moderate", needs: [.points, .classes], paper: PapersChoice(within: .class, keeping: .middle)
    ) { input in
        let (points, backend) = try input.located(for: "moderate")
        guard let classes = input.classes else { throw ScoringError.missing(what: "classes", score: "moderate") }
        try ScoreInput.check(classes.labels.count, "class labels", of: points.count)
        let dimensions = points.dimensions
        let classCount = Int(classes.labels.max() ?? 0) + 1
        var means = [Double](repeating: 0, count: classCount * dimensions)
        var sizes = [Double](repeating: 0, count: classCount)
        try HostRows.forEachPiece(of: points, on: backend) { rows, first in
            for row in 0..<rows.count {
                let label = Int(classes.labels[first + row])
                sizes[label] += 1
                means.withUnsafeMutableBufferPointer { means in
                    rows.values.withUnsafeBufferPointer { values in
                        for dimension in 0..<dimensions {
                            means[label * dimensions + dimension] += Double(values[row * dimensions + dimension])
                        }
                    }
                }
            }
        }
        for element in means.indices { means[element] /= max(1, sizes[element / dimensions]) }
        try input.cancellation.check()
        var distances = [Float](repeating: 0, count: points.count)
        try HostRows.forEachPiece(of: points, on: backend) { rows, first in
            for row in 0..<rows.count {
                let label = Int(classes.labels[first + row])
                var square = 0.0
                means.withUnsafeBufferPointer { means in
                    rows.values.withUnsafeBufferPointer { values in
                        for dimension in 0..<dimensions {
                            let difference =
                                Double(values[row * dimensions + dimension]) - means[label * dimensions + dimension]
                            square += difference * difference
                        }
                    }
                }
                distances[first + row] = Float(square.squareRoot())
            }
        }
        return distances
    }
}
