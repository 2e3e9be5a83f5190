import Networks
import Support

/// A user's own autoencoder, whose code embeds samples.
package struct OwnAutoencoder: Hashable, Sendable {
    /// Its name, layers and side.
    package let model: ModelSpec
    /// Values of its code.
    package let size: Int
    /// SHA-256 of ``model``.
    package let digest: String

    /// - Throws: ``NetworkError/invalid(reason:)`` for a model that is not an autoencoder, or whose code is missing or
    ///   ambiguous.
    package init(_ model: ModelSpec) throws(NetworkError) {
        if let fault = model.noAutoencoder { throw .invalid(reason: fault.reason, layer: fault.layer) }
        size = try model.embeddingLayer().size
        self.model = model
        var hash = SHA256()
        // A model is always encodable.
        hash.update((try? JSON.text(model)) ?? model.name)
        digest = hash.digest
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    /// The name in small letters, digits and hyphens: plots and pictures are named after it.
    var plainName: String {
        model.name.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
    }

    /// The beginning of an error if files and rows of this autoencoder could be confused with those of `other`; nil if
    /// they could not.
    func conflict(with other: OwnAutoencoder) -> String? {
        if let conflict = model.conflict(with: other.model) { return conflict }
        guard model != other.model, plainName == other.plainName else { return nil }
        return
            "the name of the model \(model.name) differs by '.', '-' and '_' alone from the model \(other.model.name)"
    }

    /// The part of the digest that names files.
    var shortDigest: String { String(digest.prefix(12)) }
}

/// In a file, the model alone.
extension OwnAutoencoder: Codable {
    package init(from decoder: any Decoder) throws { try self.init(ModelSpec(from: decoder)) }
    package func encode(to encoder: any Encoder) throws { try model.encode(to: encoder) }
}

extension ExperimentGroup {
    /// Checks that the samples fit the users' own autoencoders.
    /// - Throws: ``StudyError/invalid(_:reason:)`` for images of a fixed side where the samples are features, for a layer that
    ///   does not take what arrives there, and for a code that is wider than its input.
    func checkOwnAutoencoders(_ shape: DatasetShape) throws(StudyError) {
        let dataset = settings.recipe.dataset
        for case .own(let autoencoder) in embeddings {
            let model = autoencoder.model
            let place = place(of: .own(autoencoder)) ?? places.entry
            if let side = model.side, settings.recipe.isOfFeatures {
                throw .invalid(
                    place,
                    reason:
                        "embedding is \(model.name), which takes images (side: \(side)), and the data set \(dataset) has"
                        + " features; a model without side is accepted")
            }
            // A results directory does not say more than the number of values.
            let input = shape.sample.map(model.input(of:))
            let samples = shape.sample.map { " (the samples of \(dataset) are \($0))" } ?? ""
            if let sample = shape.sample {
                do throws(NetworkError) {
                    try model.check(samples: sample, classes: max(1, shape.classCount))
                } catch {
                    throw .invalid(place, reason: "embedding: \(error)\(samples)")
                }
            }
            let most = input?.featureCount ?? (model.side == nil ? shape.featureCount : autoencoder.size)
            guard autoencoder.size > most else { continue }
            throw .invalid(
                place,
                reason:
                    "embedding: the code of \(model.name) has \(autoencoder.size) values, and its input only \(most): a code"
                    + " of 1 to \(most) values is accepted\(samples)")
        }
    }
}

extension Study {
    /// Refuses names that two own autoencoders share, ignoring case and punctuation: tables and plots are named after them.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place.
    func checkEmbeddingNames() throws(StudyError) {
        var before: [String: OwnAutoencoder] = [:]
        for group in groups {
            for case .own(let autoencoder) in group.embeddings {
                let name = autoencoder.plainName
                if let conflict = before[name].flatMap(autoencoder.conflict) {
                    throw .invalid(
                        group.place(of: .own(autoencoder)) ?? group.places.entry,
                        reason: "\(conflict) in an earlier entry; give each its own name")
                }
                before[name] = autoencoder
            }
        }
    }
}
