import Clustering
import Compute
import Datasets
import Networks
import Support

extension BackendExecutor {
    /// Trains the network of an embedding on a training set and embeds the set. For an autoencoder the images are not
    /// resized, unless it is a user's own with a `side`.
    package func embedding(_ key: EmbeddingKey, cancellation: CancellationFlag) throws -> FittedEmbedding {
        let recipe = try key.recipe
        let (dataset, store, test) = try embeddingSamples(key.trainingRecipe)
        let backend = try preparedBackend()
        let embedder: Embedder
        var fitted: FittedEmbedding
        do throws(NetworkError) {
            embedder = try Embedder.fit(
                store, recipe, normalisation: recipe.normalisation(of: dataset.channels), on: backend,
                remedy: dataset.isOfImages
                    ? "embedding: pca takes these images without a training"
                    : "standardize: true brings features into a range that it learns"
            ) { status in
                progress(status.images)
                return !cancellation.isCancelled
            }
            fitted = FittedEmbedding(points: try embedder.embed(store) { _ in !cancellation.isCancelled })
        } catch .unusableWeights(let reason) {
            throw NetworkError.unusableWeights(
                reason: "the embedding \(key.words) of \(key.trainingSet.title): \(reason)")
        }
        guard key.isShown else { return fitted }
        let clock = ContinuousClock()
        let start = clock.now
        // If the network resizes the images, the variances are not comparable.
        if recipe.model.side == nil {
            fitted.spectrum = Self.spectrum(of: dataset.train, components: key.size, on: backend)
        }
        fitted.reconstruction = try Self.reconstruction(
            by: embedder, of: dataset, train: store, test: test, spectrum: fitted.spectrum, cancellation)
        fitted.reportSeconds = (clock.now - start) / .seconds(1)
        return fitted
    }

    /// The variances of a PCA with this number of components, which only reports show; nil if the samples have fewer,
    /// or if it cannot be computed or would take longer than the training.
    static func spectrum(
        of samples: SampleSet, components: Int, mostOrder: Int = PCA.mostOrderBesideNetworks, on backend: any Backend
    ) -> PCASpectrum? {
        let order = min(samples.count, samples.shape.featureCount)
        guard components <= order, order <= mostOrder else { return nil }
        do throws(ClusteringError) {
            let pca = try PCA.fit(FeatureMatrix(samples, forComponents: true), components: components, on: backend)
            return PCASpectrum(variances: pca.explainedVariance, totalVariance: pca.totalVariance)
        } catch {
            return nil
        }
    }

    private static func reconstruction(
        by embedder: Embedder, of dataset: Dataset, train: SampleStore, test: SampleStore, spectrum: PCASpectrum?,
        _ cancellation: CancellationFlag
    ) throws -> Reconstruction {
        let error = try embedder.error(of: train) { _ in !cancellation.isCancelled }
        let shown = shownSamples(of: dataset.test)
        // A PCA is of bytes as they are, and its variances are divided by count - 1.
        let (count, scale) = (Double(train.count), dataset.train.pixels == nil ? 1 : 1 / 255.0)
        let pca = spectrum.map { spectrum in
            let (total, kept) = (spectrum.totalVariance, spectrum.variances.reduce(0, +))
            let lost = max(0, total - kept) * scale * scale * (count - 1) / count
            return Reconstruction.Loss(
                meanSquaredError: Float(lost / Double(dataset.train.shape.featureCount)),
                explained: total > 0 ? Float(kept / total) : nil)
        }
        let originals = try dataset.test.subset(shown).resized(height: test.shape.height, width: test.shape.width)
        return Reconstruction(
            count: shown.count, originals: values(of: originals),
            reconstructions: try embedder.reconstruct(test, rows: shown),
            loss: Reconstruction.Loss(
                meanSquaredError: Float(error.meanSquaredError), explained: error.explainedVariance.map { Float($0) }),
            pca: pca)
    }

    /// Samples that a report shows.
    private static let mostShown = 10

    /// The first sample of each class, then the first of the others, as many as a report shows, by rising index.
    static func shownSamples(of samples: SampleSet) -> [Int] {
        var (firsts, others, seen): ([Int], [Int], Set<UInt8>) = ([], [], [])
        for index in 0..<samples.count {
            let isFirst = samples.labels.isEmpty ? false : seen.insert(samples.labels[index]).inserted
            if isFirst { firsts.append(index) } else if others.count < mostShown { others.append(index) }
        }
        return (firsts + others).prefix(mostShown).sorted()
    }

    /// Samples as an autoencoder takes them: [sample][value].
    private static func values(of samples: SampleSet) -> [Float] {
        switch samples.values {
        case .bytes(let values): values.map { Float($0) / 255 }
        case .floats(let values): values
        // A data set's values are in memory.
        case .stored: []
        }
    }
}
