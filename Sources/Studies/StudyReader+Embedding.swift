import Networks
import Support
import Yams

extension StudyReader {
    /// The keys of embeddings.
    static let embeddingKeys = ["embedding", "embedding_size", "embedding_epochs"]

    /// Reads the keys of embeddings. ``ExperimentGroup/settleEmbedding()`` then puts the values where plans look for
    /// them.
    func readEmbedding(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        if let methods = try embeddings(fields) { settings.embeddings = methods }
        if let size = try fields.integer("embedding_size", in: 1...1_000_000) {
            settings.embeddingSize = size
        } else if fields["pca_components"] != nil {
            // An entry's number overrides one above all entries, whichever key has it.
            settings.embeddingSize = nil
        }
        if let epochs = try fields.integer("embedding_epochs", in: 1...1_000_000) {
            settings.embeddingEpochs = epochs
        }
    }

    /// The values of `embedding`; nil if it is not given.
    private func embeddings(_ fields: StudyFields) throws(StudyError) -> [StudyEmbedding.Method]? {
        if case .sequence(let nodes)? = fields["embedding"], nodes.count > Self.mostModels {
            throw .invalid(
                fields.place(of: "embedding"),
                reason: "embedding has \(nodes.count) values; 1 to \(Self.mostModels) are accepted")
        }
        var own: [OwnAutoencoder] = []
        return try fields.list("embedding") { node throws(StudyError) in
            let method = try embedding(node, fields)
            guard case .own(let autoencoder) = method else { return method }
            if let conflict = own.lazy.compactMap(autoencoder.conflict).first {
                throw .invalid(fields.place(node), reason: "\(conflict) earlier in the list; give each its own name")
            }
            own.append(autoencoder)
            return method
        }
    }

    /// An embedding, given as a word, a file of an autoencoder's layers, or the layers themselves.
    private func embedding(_ node: Node, _ fields: StudyFields) throws(StudyError) -> StudyEmbedding.Method {
        let known = StudyEmbedding.Method.named
        let isMapping = if case .mapping = node { true } else { false }
        if !isMapping {
            let word = try fields.string(node, "embedding", of: known.map(\.word), or: ModelReader.isFile)
            if let method = known.first(where: { $0.word == word }) { return method }
        }
        let model = try ownModel(node, "embedding", fields)
        let own: OwnAutoencoder
        do throws(NetworkError) {
            own = try OwnAutoencoder(model)
        } catch {
            throw .invalid(fields.place(node), reason: "embedding: \(error)")
        }
        // Tables call the pixels of features by that word.
        if let other = (known.map(\.word) + ["features"]).first(where: { $0 == own.plainName }) {
            throw .invalid(
                fields.place(node),
                reason:
                    "the name of the model \(model.name) is that of the embedding \(other); give this model another name"
            )
        }
        return .own(own)
    }

    /// The methods of an entry: those of `embedding`, or of `use_pca`, or else `pixels`.
    func embeddings(_ settings: StudySettings, usePCA: [Bool]?) -> [StudyEmbedding.Method] {
        settings.embeddings ?? usePCA.map { $0.map { $0 ? .pca : .pixels } } ?? [.pixels]
    }
}

extension ExperimentGroup {
    /// Checks the keys of embeddings for conflicts and normalises them: the size of `pca` and `autoencoder` is
    /// ``StudySettings/pcaComponents``, and unused numbers have their defaults.
    /// - Returns: a sentence for each key of the entry that has no effect.
    /// - Throws: ``StudyError/invalid(_:reason:)`` for `use_pca` together with `embedding`, and for conflicting sizes.
    mutating func settleEmbedding() throws(StudyError) -> [String] {
        let (isNamed, size) = (settings.embeddings != nil, settings.embeddingSize)
        defer { (settings.embeddings, settings.embeddingSize) = (nil, nil) }
        if isNamed, let place = places.keys["use_pca"] {
            throw .invalid(
                place,
                reason:
                    "use_pca and embedding conflict: both say what the samples are as points, and embedding is given at"
                    + " \(places.nearest("embedding")); give one (use_pca: true is embedding: pca)")
        }
        let isTrained = embeddings.contains(where: \.isTrained)
        if !isTrained { settings.embeddingEpochs = StudySettings().embeddingEpochs }
        if embeddings.isEmpty { return [] }
        var idle: [String] = []
        if !isTrained { idle.append("embedding_epochs") }
        if embeddings == [.pixels] {
            idle.append("embedding_size")
        } else if let size {
            for method in embeddings {
                guard let fixed = method.fixedSize, size != fixed else { continue }
                throw .invalid(
                    places.nearest("embedding_size"),
                    reason: "embedding_size is \(size), and \(method.word) gives \(fixed) values; leave"
                        + " embedding_size out, or give \(method.word) an entry of its own without it")
            }
            if embeddings.contains(where: \.takesSize) {
                let level = places.keys["embedding_size"] == nil ? places.above : places.keys
                if let place = level["embedding_size"], level["pca_components"] != nil, size != settings.pcaComponents {
                    throw .invalid(
                        place,
                        reason: "embedding_size is \(size) and pca_components \(settings.pcaComponents): both say how"
                            + " many values a point has; give one")
                }
                settings.pcaComponents = size
            }
        }
        let words =
            isNamed
            ? "with embedding \(embeddings.map(\.word).joined(separator: ", "))" : "without the key embedding"
        return idle.compactMap { key in
            places.keys[key].map { "\($0): \(key) has no effect \(words); it is ignored" }
        }
    }

    /// The key that sets the number of values per point; one of the entry overrides one above all entries. Without either,
    /// the one that goes with `embedding` or `use_pca`.
    private var sizeKey: String {
        if places.keys["embedding_size"] != nil { return "embedding_size" }
        if places.keys["pca_components"] != nil { return "pca_components" }
        if places.above["embedding_size"] != nil { return "embedding_size" }
        if places.above["pca_components"] != nil { return "pca_components" }
        return places.keys["embedding"] ?? places.above["embedding"] == nil ? "pca_components" : "embedding_size"
    }

    /// The number of values per point, as the beginning of a sentence.
    private var sizeText: String {
        let isGiven = places.keys[sizeKey] ?? places.above[sizeKey] != nil
        return "\(sizeKey) is \(settings.pcaComponents)\(isGiven ? "" : " (the default)")"
    }

    /// The place of a method in the list of the key `embedding`; nil for a method that the group does not have.
    func place(of method: StudyEmbedding.Method) -> SourcePlace? {
        embeddings.firstIndex(of: method).map { places.nearest("embedding", element: $0) }
    }

    /// The place of the number of values per point; if its value is the default, of the method in a list, or of the entry.
    private func sizePlace(_ method: StudyEmbedding.Method) -> SourcePlace {
        places.keys[sizeKey] ?? places.above[sizeKey]
            ?? embeddings.firstIndex(of: method).flatMap { places.element($0, of: "embedding") } ?? places.entry
    }

    /// Checks that the samples allow the embeddings.
    /// - Throws: ``StudyError/invalid(_:reason:)`` if the size is too large for PCA or an autoencoder of these samples,
    ///   if `lenet5` is to embed features, or as ``checkOwnAutoencoders(_:)``.
    func checkEmbedding(_ shape: DatasetShape) throws(StudyError) {
        let (name, size) = (settings.recipe.dataset, settings.pcaComponents)
        let most = min(shape.featureCount, shape.count)
        if embeddings.contains(.pca), size > most {
            throw .invalid(
                sizePlace(.pca), reason: "\(sizeText); \(name) has room for 1 to \(most)")
        }
        if embeddings.contains(.autoencoder), size > shape.featureCount {
            throw .invalid(
                sizePlace(.autoencoder),
                reason:
                    "\(sizeText), and a sample of \(name) has \(shape.featureCount) values: an autoencoder's"
                    + " code has from 1 to \(min(shape.featureCount, ModelLibrary.widestCode))")
        }
        if embeddings.contains(.autoencoder), size > ModelLibrary.widestCode {
            throw .invalid(
                sizePlace(.autoencoder),
                reason:
                    "\(sizeText), and the code of the autoencoder is narrower than its hidden layers of"
                    + " \(ModelLibrary.hiddenWidth) values: from 1 to \(ModelLibrary.widestCode)")
        }
        if embeddings.contains(.lenet5), settings.recipe.isOfFeatures {
            throw .invalid(
                place(of: .lenet5) ?? places.entry,
                reason:
                    "embedding is lenet5, and the data set \(name) has features: lenet5 takes images alone; pixels (the"
                    + " features themselves), pca and autoencoder are accepted")
        }
        try checkOwnAutoencoders(shape)
    }
}

extension SourcePlaces {
    /// The place of a key in the entry or, failing that, above all entries; otherwise the place of the entry.
    func nearest(_ key: String) -> SourcePlace { keys[key] ?? above[key] ?? entry }

    /// The place of an element (from 0) of the list that ``nearest(_:)`` is the place of; the place of the value if it is
    /// no list.
    func nearest(_ key: String, element index: Int) -> SourcePlace {
        element(index, of: key) ?? nearest(key)
    }

    /// Makes an element of a list the place of its key; without effect if the value is no list.
    mutating func point(to index: Int, of key: String) {
        if let place = element(index, of: key) { keys[key] = place }
    }

    fileprivate func element(_ index: Int, of key: String) -> SourcePlace? {
        let list = (keys[key] == nil ? elementsAbove : elements)[key] ?? []
        return list.indices.contains(index) ? list[index] : nil
    }
}
