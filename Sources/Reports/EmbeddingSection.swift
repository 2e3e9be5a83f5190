import Foundation
import Studies

/// How an autoencoder of a study reconstructs: samples of the test set beside their reconstructions, and how much of the
/// variance it keeps, beside a PCA of as many components.
struct EmbeddingSection: Sendable {
    let key: EmbeddingKey
    /// How many embeddings of its kind the study has, one per clustering.
    let count: Int
    /// Nil where it is not stored.
    let reconstruction: Reconstruction?
    /// The originals in the upper row, their reconstructions below; nil of features.
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
                EmbeddingSection(
                    key, count: keys.count { $0.points == key.points && $0.trainingSet == key.trainingSet },
                    stored.reconstruction(key), in: stored.environment.datasets[key.dataset])
            }
    }

    private init(
        _ key: EmbeddingKey, count: Int, _ reconstruction: Reconstruction?, in facts: StudyEnvironment.Dataset?
    ) {
        (self.key, self.count, self.reconstruction) = (key, count, reconstruction)
        image = reconstruction.flatMap { shown in
            guard let facts, let channels = facts.channels, let height = facts.height, let width = facts.width else {
                return nil
            }
            return Self.image(shown, channels: channels, height: height, width: width)
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
    /// "autoencoder 64", and the epochs where they are not the usual ones.
    private var words: String { key.embedding.text(isOfFeatures: false) }

    /// What the page says of it.
    var text: String {
        let which = count == 1 ? "" : ", the first of \(count),"
        guard let reconstruction else {
            return "The \(words) of \(key.trainingSet.title)\(which) is not stored yet."
        }
        var sentences = [
            "A network of \(key.size) values in the middle\(which) trained for"
                + " \(Wording.counted(key.epochs, "epoch")) to give back its samples. \(Self.kept(reconstruction.loss))"
        ]
        if let pca = reconstruction.pca {
            sentences.append("A PCA to \(Wording.counted(key.size, "component")): \(Self.kept(pca))")
        }
        if image != nil {
            sentences.append("In the upper row: samples of the test set. In the lower: what it gives back of them.")
        }
        return sentences.joined(separator: " ")
    }

    private static func kept(_ loss: Reconstruction.Loss) -> String {
        let error = "mean squared error \(Number.significant(Double(loss.meanSquaredError))) per value"
        guard let explained = loss.explained else { return Wording.sentence(error) + "." }
        // So bad that the mean sample would do better.
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
