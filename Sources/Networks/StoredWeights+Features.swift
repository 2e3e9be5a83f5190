import Datasets
import Foundation
import Support

/// The scaling of the features that a network was trained on, as its weights file records it.
package struct TrainedScaling: Equatable, Sendable {
    /// The operations applied.
    package let requested: RequestedScaling
    /// [column]: the figures that columns were standardized by; nil without standardization, or where the file lacks
    /// them.
    package let columns: [FeatureScaling.Column]?
    /// [column]: what was subtracted from them; nil where nothing was.
    package let medians: [Double]?

    /// The figures by which other rows are changed in the same way.
    package var figures: FeatureFigures {
        let isScaled = columns != nil || requested.normalize
        return FeatureFigures(
            scaling: isScaled ? FeatureScaling(columns: columns, isNormalized: requested.normalize) : nil,
            medians: medians)
    }
}

extension RequestedScaling {
    /// The options for it, as part of a sentence: "--standardize and --normalize".
    package var options: String { StoredWeights.options(StoredWeights.words(self)) }
}

extension StoredWeights {
    /// True if the file says that the network was trained on images.
    package var areOfImages: Bool { metadata[Self.samplesKey] == Self.images }

    /// The means and standard deviations of the training rows' columns, in double precision.
    private static let (meansKey, deviationsKey) = ("column_means", "column_stds")

    /// The metadata of features about their scaling.
    static func figures(of scaling: FeatureScaling?) -> [String: String] {
        let requested = RequestedScaling(
            standardize: scaling?.columns != nil, normalize: scaling?.isNormalized == true)
        var metadata = [scalingKey: words(requested)]
        if let columns = scaling?.columns {
            metadata[meansKey] = try? JSON.text(columns.map(\.mean))
            metadata[deviationsKey] = try? JSON.text(columns.map(\.std))
        }
        return metadata
    }

    /// The scaling of the features that the network was trained on; nil if the file has no record, as files from PyTorch.
    /// - Throws: ``NetworkError/badWeights(reason:model:)`` for metadata that has no such meaning.
    package func trainedScaling(path: String) throws(NetworkError) -> TrainedScaling? {
        let standardized = Self.words(RequestedScaling(standardize: true))
        func checkFigures() throws(NetworkError) {
            guard let key = [Self.meansKey, Self.deviationsKey].first(where: { metadata[$0] != nil }) else { return }
            throw .badWeights(
                reason:
                    "metadata of \(path): there is \(key), and \(Self.scalingKey) does not have \(standardized); both "
                    + "are needed, or none")
        }
        guard let text = metadata[Self.scalingKey] else {
            try checkFigures()
            return nil
        }
        let known = [false, true].flatMap { standardize in
            [false, true].map { RequestedScaling(standardize: standardize, normalize: $0) }
        }
        guard let requested = known.first(where: { Self.words($0) == text }) else {
            throw .badWeights(
                reason: "metadata of \(path): scaling is \"\(excerpt(text))\"; "
                    + known.map { "\"\(Self.words($0))\"" }.joined(separator: ", ") + " are accepted")
        }
        if !requested.standardize { try checkFigures() }
        return TrainedScaling(
            requested: requested, columns: requested.standardize ? try columns(path) : nil,
            medians: try numbers(Self.mediansKey, path))
    }

    /// The figures by which `evaluate` and `train --init` standardize features: those of the rows that the network was
    /// trained on, where the file has them and these options ask for the same scaling. Otherwise nil.
    /// - Throws: as ``trainedScaling(path:)``.
    package func figures(for requested: RequestedScaling, path: String) throws(NetworkError) -> FeatureFigures? {
        guard requested.standardize, let trained = try trainedScaling(path: path), trained.requested == requested,
            trained.columns != nil
        else { return nil }
        return FeatureFigures(scaling: trained.figures.scaling)
    }

    /// The figures of columns; nil where the file has none.
    private func columns(_ path: String) throws(NetworkError) -> [FeatureScaling.Column]? {
        let (means, deviations) = (try numbers(Self.meansKey, path), try numbers(Self.deviationsKey, path))
        guard let means, let deviations else {
            guard means == nil, deviations == nil else {
                let (found, missing) =
                    means == nil ? (Self.deviationsKey, Self.meansKey) : (Self.meansKey, Self.deviationsKey)
                throw .badWeights(
                    reason: "metadata of \(path): there is \(found) and no \(missing); both are needed, or none")
            }
            return nil
        }
        if let std = deviations.first(where: { $0 < 0 || $0 > 0 && !(1 / $0).isFinite }) {
            throw .badWeights(
                reason: "metadata of \(path): \(Self.deviationsKey) has \(std); 0 or a number whose inverse is within "
                    + "float64 is needed for each column")
        }
        return zip(means, deviations).map { FeatureScaling.Column(mean: $0, std: $1) }
    }

    /// The numbers of a list in the metadata, one per value of a sample; nil where the file has no such key.
    /// - Throws: ``NetworkError/badWeights(reason:model:)`` for another text or another length.
    func numbers(_ key: String, _ path: String) throws(NetworkError) -> [Double]? {
        guard let text = metadata[key] else { return nil }
        let numbers: [Double]? = try? JSON.value(of: Data(text.utf8))
        guard let numbers, numbers.allSatisfy(\.isFinite) else {
            throw .badWeights(
                reason:
                    "metadata of \(path): \(key) is \"\(excerpt(text))\"; a list of numbers is needed, one per column")
        }
        let width = weights.layout.input.featureCount
        guard numbers.count == width else {
            throw .badWeights(
                reason:
                    "metadata of \(path): \(key) has \(describeCount(numbers.count, "number")), and the network takes "
                    + "\(describeCount(width, "value")); one for each is needed")
        }
        return numbers
    }
}
