import Datasets
import Pruning
import Yams
import Support

/// A mapping of a study file, its keys known to be accepted, with typed access whose errors name the place.
struct StudyFields {
    /// Where the mapping and its keys stand.
    private(set) var places: SourcePlaces
    private var values: [String: Node] = [:]
    private let file: String

    /// The mapping's own place.
    var place: SourcePlace { places.entry }

    /// - Parameters:
    ///   - what: what the mapping is, for errors.
    ///   - keys: the keys that are accepted here.
    ///   - elsewhere: keys that belong into an experiment's entry, for a helpful error.
    init(
        _ node: Node, file: String, what: String, keys: [String], elsewhere: [String] = []
    ) throws(StudyError) {
        self.file = file
        places = SourcePlaces(entry: Self.place(node, file))
        guard case .mapping(let mapping) = node else {
            throw .invalid(
                places.entry, reason: "\(what) must be a mapping with keys, \(keys[0]) for one, not \(Self.kind(node))")
        }
        var merging = 0
        for (key, value) in try Self.merged(mapping, file, &merging) {
            let place = Self.place(key, file)
            guard case .scalar(let scalar) = key else {
                throw .invalid(place, reason: "a key must be a word, not \(Self.kind(key))")
            }
            let name = scalar.string
            if elsewhere.contains(name) {
                throw .invalid(place, reason: "\(name) belongs into an entry of experiments, not at the top")
            }
            guard keys.contains(name) else {
                throw .invalid(
                    place,
                    reason:
                        "unknown key \(excerpt(name)); the nearest known one is \(nearestWord(to: name, in: keys + elsewhere))"
                )
            }
            // The mapping's own value, or that of an earlier one in a list, goes before what is merged.
            if values[name] != nil { continue }
            if isNull(value) { throw .invalid(place, reason: "\(name) has no value") }
            places.keys[name] = Self.place(value, file)
            if case .sequence(let nodes) = value { places.elements[name] = nodes.map { Self.place($0, file) } }
            values[name] = value
        }
    }

    /// A merge may bring others, and so on; what brings more keys than this is no study.
    private static let mostMergedKeys = 10_000

    /// A mapping's own pairs, then those that its merge key `<<` brings (https://yaml.org/type/merge.html), an earlier
    /// mapping of a list before a later one.
    private static func merged(
        _ mapping: Node.Mapping, _ file: String, _ count: inout Int
    ) throws(StudyError) -> [(key: Node, value: Node)] {
        var own: [(key: Node, value: Node)] = []
        var others: [(key: Node, value: Node)] = []
        count += mapping.count
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key, scalar.string == "<<", !isText(key) else {
                own.append((key, value))
                continue
            }
            var sources = [value]
            if case .sequence(let list) = value { sources = Array(list) }
            for source in sources {
                guard count <= mostMergedKeys else {
                    throw .invalid(
                        place(source, file), reason: "<< merges more than \(mostMergedKeys) keys; write them out")
                }
                guard case .mapping(let merged) = source else {
                    throw .invalid(
                        place(source, file),
                        reason: "<< merges a mapping or a list of mappings, *name for one, not \(kind(source))")
                }
                others += try Self.merged(merged, file, &count)
            }
        }
        return own + others
    }

    /// The value of a key, as it stands.
    subscript(key: String) -> Node? { values[key] }

    /// The place of a key's value, or of the mapping where the key is not given.
    func place(of key: String) -> SourcePlace { places[key] }

    func string(_ key: String) throws(StudyError) -> String? {
        guard let node = values[key] else { return nil }
        return try text(node, key, "a word")
    }

    /// One of `known`, or another word that is accepted.
    func string(
        _ node: Node, _ key: String, of known: [String], or isAccepted: (String) -> Bool
    ) throws(StudyError) -> String {
        let name = try text(node, key, "a word")
        guard known.contains(name) || isAccepted(name) else {
            throw unknownWord(name, of: key, known: known, at: place(node))
        }
        return name
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(StudyError) -> Int? {
        guard let node = values[key] else { return nil }
        return try whole(node, key, in: range)
    }

    func seed(_ key: String) throws(StudyError) -> UInt64? {
        guard let node = values[key] else { return nil }
        return try whole(node, key, in: 0...UInt64.max)
    }

    /// A whole number of `range`; 6e3 is one too.
    func whole<Integer: FixedWidthInteger>(
        _ node: Node, _ key: String, in range: ClosedRange<Integer>
    ) throws(StudyError) -> Integer {
        try read(node, key, "a whole number") { text, isQuoted throws(Sentence) in
            try DecimalNumber.whole(text, in: range, isQuoted: isQuoted)
        }
    }

    func number(_ key: String) throws(StudyError) -> Double? {
        guard let node = values[key] else { return nil }
        return try real(node, key)
    }

    func real(_ node: Node, _ key: String) throws(StudyError) -> Double {
        try read(node, key, "a number") { text, isQuoted throws(Sentence) in
            try DecimalNumber.real(text, isQuoted: isQuoted)
        }
    }

    /// A scalar's text as a number, and the place and the text where it is none.
    private func read<Number>(
        _ node: Node, _ key: String, _ wanted: String, _ parse: (String, Bool) throws(Sentence) -> Number
    ) throws(StudyError) -> Number {
        let text = try text(node, key, wanted)
        do throws(Sentence) {
            return try parse(text, isText(node))
        } catch {
            let shown = isText(node) ? "\"\(excerpt(text))\"" : excerpt(text)
            throw .invalid(place(node), reason: "\(key) is \(shown); \(error)")
        }
    }

    func boolean(_ key: String) throws(StudyError) -> Bool? {
        guard let node = values[key] else { return nil }
        return try boolean(node, key)
    }

    func boolean(_ node: Node, _ key: String) throws(StudyError) -> Bool {
        let text = try text(node, key, "true or false")
        guard let value = node.bool, !isText(node) else {
            let isWord = ["true", "false", "yes", "no", "on", "off"].contains(text.lowercased())
            let quotes = isText(node) && isWord ? ", without quotes" : ""
            throw .invalid(place(node), reason: "\(key) is \(excerpt(text)); true or false is needed\(quotes)")
        }
        return value
    }

    func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Word.Type
    ) throws(StudyError) -> Word? where Word.RawValue == String {
        guard let node = values[key] else { return nil }
        return try word(node, key, type)
    }

    func word<Word: RawRepresentable & CaseIterable>(
        _ node: Node, _ key: String, _ type: Word.Type
    ) throws(StudyError) -> Word where Word.RawValue == String {
        let name = try text(node, key, "a word")
        guard let word = Word(rawValue: name) else {
            throw unknownWord(name, of: key, known: Word.allCases.map(\.rawValue), at: place(node))
        }
        return word
    }

    func word(_ key: String, of known: [String]) throws(StudyError) -> String? {
        guard let node = values[key] else { return nil }
        return try word(node, key, of: known)
    }

    func word(_ node: Node, _ key: String, of known: [String]) throws(StudyError) -> String {
        let name = try text(node, key, "a word")
        guard known.contains(name) else { throw unknownWord(name, of: key, known: known, at: place(node)) }
        return name
    }

    /// The path of a file or folder.
    func path(_ node: Node, _ key: String) throws(StudyError) -> String {
        let path = try text(node, key, "a path")
        guard !path.isEmpty, !path.unicodeScalars.contains("\0") else {
            throw .invalid(place(node), reason: "\(key) is \"\(excerpt(path))\"; a path is needed")
        }
        return path
    }

    /// A number of samples, or a share of the set such as 10%.
    func size(_ node: Node) throws(StudyError) -> RequestedSize {
        let text = try text(node, "sizes", "a number of samples or a share such as 10%")
        let accepted = "sizes holds \(excerpt(text)); shares from above 0% to 100% are accepted"
        do throws(DecimalNumber.Refusal) {
            if let percent = try DecimalNumber.percent(text) {
                guard percent > 0, percent <= 100 else { throw DecimalNumber.Refusal(hint: "") }
                return .percent(percent)
            }
        } catch {
            let hint = error.hint.isEmpty ? "" : ", \(error.hint)" + (error.hint.contains(": write ") ? "%" : "")
            throw .invalid(place(node), reason: accepted + hint)
        }
        if let share = (try? DecimalNumber(text))?.double, share > 0, share < 1 {
            throw .invalid(
                place(node),
                reason: "sizes holds \(excerpt(text)); for a share of the set write \(shortest(share * 100))%")
        }
        return .count(try whole(node, "sizes", in: 1...Int(Int32.max)))
    }

    /// A list of values, or one value in a list's place. A value that stands twice is an error, as its experiments would.
    func list<Element: Hashable>(
        _ key: String, element: (Node) throws(StudyError) -> Element
    ) throws(StudyError) -> [Element]? {
        guard let node = values[key] else { return nil }
        guard case .sequence(let nodes) = node else { return [try element(node)] }
        var elements: [Element] = []
        var seen: Set<Element> = []
        for node in nodes {
            let value = try element(node)
            if !seen.insert(value).inserted {
                throw .invalid(place(node), reason: "\(excerpt("\(value)")) stands twice in \(key)")
            }
            elements.append(value)
        }
        if elements.isEmpty { throw .invalid(place(node), reason: "\(key) is an empty list; give at least one value") }
        return elements
    }

    /// The value, or the error that the method cannot do without it.
    func required<Value>(_ value: Value?, _ key: String, _ method: String) throws(StudyError) -> Value {
        guard let value else {
            throw .invalid(place, reason: "this entry has no \(key); pruning_method \(method) needs it")
        }
        return value
    }

    func unknownWord(_ word: String, of key: String, known: [String], at place: SourcePlace? = nil) -> StudyError {
        .invalid(
            place ?? self.place(of: key),
            reason: "unknown \(key) \(excerpt(word)); the nearest known one is \(nearestWord(to: word, in: known))"
                + " (\(known.joined(separator: ", ")) are known)")
    }

    private func text(_ node: Node, _ key: String, _ wanted: String) throws(StudyError) -> String {
        guard case .scalar(let scalar) = node, !isNull(node) else {
            throw .invalid(place(node), reason: "\(key) holds \(Self.kind(node)) where \(wanted) is needed")
        }
        return scalar.string
    }

    func place(_ node: Node) -> SourcePlace { Self.place(node, file) }

    private static func place(_ node: Node, _ file: String) -> SourcePlace {
        SourcePlace(file: file, position: node.mark.map { ($0.line, $0.column) })
    }

    private static func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): isNull(node) ? "nothing" : "\"\(excerpt(scalar.string))\""
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}

/// Whether a node is YAML's null, written out or left empty.
func isNull(_ node: Node) -> Bool {
    if case .scalar = node { node.null != nil && !isText(node) } else { false }
}

/// Whether a scalar is text whatever it looks like: quoted, or a block of lines.
private func isText(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node else { return false }
    return switch scalar.style {
    case .singleQuoted, .doubleQuoted, .literal, .folded: true
    case .any, .plain: false
    }
}
