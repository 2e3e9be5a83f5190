import Foundation
import Studies

/// The reconstructions by an autoencoder of a study: samples of the test set with their reconstructions, and the share
/// of the variance that it explains, compared with a PCA of as many components.
struct EmbeddingSection: Sendable {
    let key: EmbeddingKey
    /// The number of embeddings of this kind in the study, one per clustering.
    let count: Int
    /// True if another section has the same embedding with another seed.
    private let tellsSeed: Bool
    /// The reconstructions; nil if they are not stored.
    let reconstruction: Reconstruction?
    /// The file that keeps the reconstructions from being read and what is wrong with it, as part of a sentence; nil if
    /// they can be read or have not been made yet.
    private let fault: String?
    /// The originals in the upper row, their reconstructions below; nil for features.
    let image: RasterImage?
    /// The same as a PNG file.
    let png: [UInt8]?

    private static let gap = 2
    /// Small images are drawn larger.
    private static let side = 56

    /// A section for each autoencoder, the first of each size and length of training, as many as a page holds.
    static func all(_ stored: StoredStudy) -> [EmbeddingSection] {
        let keys = stored.results.plan.artifactUses.keys.compactMap { $0.kind as? EmbeddingKey }
        return keys.filter(\.isShown).sorted { $0.fileName < $1.fileName }.prefix(StudyReport.Limits.embeddings)
            .map { key in
                let alike = keys.filter { $0.points == key.points && $0.trainingSet == key.trainingSet }
                let reconstruction = stored.reconstruction(key)
                return EmbeddingSection(
                    key, count: alike.count { $0.seed == key.seed },
                    tellsSeed: alike.contains { $0.seed != key.seed }, reconstruction,
                    fault: reconstruction == nil ? stored.reconstructionFault(key) : nil,
                    in: stored.environment.datasets[key.dataset])
            }
    }

    private init(
        _ key: EmbeddingKey, count: Int, tellsSeed: Bool, _ reconstruction: Reconstruction?, fault: String?,
        in facts: StudyEnvironment.Dataset?
    ) {
        self.fault = fault
        (self.key, self.count, self.tellsSeed, self.reconstruction) = (key, count, tellsSeed, reconstruction)
        image = reconstruction.flatMap { shown in
            guard let facts, let channels = facts.channels, let height = facts.height, let width = facts.width else {
                return nil
            }
            let side = key.model?.model.side
            return Self.image(shown, channels: channels, height: side ?? height, width: side ?? width)
        }
        png = image.flatMap(\.png)
    }

    /// - Returns: nil where the values are not those of images of these extents.
    private static func image(_ shown: Reconstruction, channels: Int, height: Int, width: Int) -> RasterImage? {
        let size = channels * height * width
        guard size > 0, shown.originals.count == shown.count * size else { return nil }
        let scale = max(1, side / max(height, width))
        let (columnWidth, rowHeight) = (width * scale + gap, height * scale + gap)
        var sheet = RasterImage(
            width: shown.count * columnWidth - gap, height: 2 * rowHeight - gap, channels: channels == 3 ? 3 : 1,
            value: ClusterSheet.background)
        for (row, values) in [shown.originals, shown.reconstructions].enumerated() {
            for column in 0..<shown.count {
                let picture = RasterImage(channels: channels, height: height, width: width) { place in
                    UInt8((255 * min(1, max(0, values[column * size + place]))).rounded())
                }
                sheet.draw(picture, x: column * columnWidth, y: row * rowHeight, scale: scale)
            }
        }
        return sheet
    }

    /// The name of its file without the ending.
    var name: String { "embedding-" + Wording.slug("\(key.trainingSet.title)-\(words)") }
    /// "autoencoder 64", the epochs where they are not the usual ones, and the seed where there are several.
    private var words: String {
        key.embedding.text(isOfFeatures: false) + (tellsSeed ? ", seed \(key.seed)" : "")
    }

    /// Why the reconstructions are not shown although they were made, as a sentence without its full stop; nil if they are.
    var missing: String? {
        fault.map {
            "the reconstructions by \(words) of \(key.trainingSet.title) are not shown: \($0); restore the file from a backup"
        }
    }

    /// The section's text.
    var text: String {
        if let missing { return Wording.sentence(missing) + "." }
        let which = count == 1 ? "" : " (one of \(count))"
        guard let reconstruction else {
            return "The \(words) of \(key.trainingSet.title)\(which) is not stored yet."
        }
        var sentences = [
            "An autoencoder with a code of \(Wording.counted(key.size, "value")), trained for"
                + " \(Wording.counted(key.epochs, "epoch"))\(which). \(Self.kept(reconstruction.loss))"
        ]
        if let pca = reconstruction.pca {
            sentences.append("A PCA to \(Wording.counted(key.size, "component")): \(Self.kept(pca))")
        }
        if let side = key.model?.model.side {
            sentences.append("The images are resized to \(side)x\(side) for it.")
        }
        if image != nil {
            sentences.append("Upper row: samples of the test set. Lower row: their reconstructions.")
        }
        return sentences.joined(separator: " ")
    }

    private static func kept(_ loss: Reconstruction.Loss) -> String {
        let error = "mean squared error \(Number.significant(Double(loss.meanSquaredError))) per value"
        guard let explained = loss.explained else { return Wording.sentence(error) + "." }
        // Worse than reconstructing every sample as the mean.
        if explained < 0 { return "Nothing of the variance of the training set is kept (\(error))." }
        return "\(Number.fixed(100 * Double(explained), 1))% of the variance of the training set is kept (\(error))."
    }

    /// The section as the page has it; its picture has the number `number`.
    func contents(number: Int) -> PageContents.Clusters {
        let sheets = png.flatMap { png in image.map { sheet(png, $0, number: number) } }.map { [$0] } ?? []
        return PageContents.Clusters(
            id: name, title: "Embedding of \(key.trainingSet.title): \(words)", text: text, sheets: sheets,
            hasSheets: !sheets.isEmpty)
    }

    private func sheet(_ png: [UInt8], _ image: RasterImage, number: Int) -> PageContents.Sheet {
        let count = reconstruction?.count ?? 0
        return PageContents.Sheet(
            number: number, title: "Reconstructions by \(words)",
            caption: "\(Wording.counted(count, "sample")) of the test set, and their reconstructions.",
            picture: PageContents.Picture(
                alt: "\(count) samples of the test set in the upper row, their reconstructions in the lower.",
                source: "data:image/png;base64," + Data(png).base64EncodedString(), width: image.width,
                height: image.height, style: "pixels"),
            ids: nil)
    }
}
