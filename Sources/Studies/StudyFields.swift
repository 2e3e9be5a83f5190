import Datasets
import Pruning
import Yams

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
        for (key, value) in mapping {
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
            if isNull(value) { throw .invalid(place, reason: "\(name) has no value") }
            places.keys[name] = Self.place(value, file)
            values[name] = value
        }
    }

    /// The value of a key, as it stands.
    subscript(key: String) -> Node? { values[key] }

    /// The place of a key's value, or of the mapping where the key is not given.
    func place(of key: String) -> SourcePlace { places[key] }

    func string(_ key: String) throws(StudyError) -> String? {
        guard let node = values[key] else { return nil }
        return try text(node, key, "a word")
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(StudyError) -> Int? {
        guard let node = values[key] else { return nil }
        return try integer(node, key, in: range)
    }

    func seed(_ key: String) throws(StudyError) -> UInt64? {
        guard let node = values[key] else { return nil }
        let text = try text(node, key, "a whole number")
        guard let value = UInt64(text), !quoted(node) else {
            throw .invalid(
                place(node), reason: "\(key) is \(excerpt(text)); a whole number from 0 to \(UInt64.max) is needed")
        }
        return value
    }

    /// A whole number of `range`; 6e3 is one too.
    func integer(_ node: Node, _ key: String, in range: ClosedRange<Int>) throws(StudyError) -> Int {
        let wanted = "from \(range.lowerBound) to \(range.upperBound)"
        let text = try text(node, key, "a whole number")
        // YAML 1.1 counts in sixties where there are colons; nobody means that, and what is too large would trap.
        guard !text.contains(":"), let value = node.int ?? node.float.flatMap(Int.init(exactly:)), !quoted(node) else {
            throw .invalid(place(node), reason: "\(key) is \(excerpt(text)); a whole number \(wanted) is needed")
        }
        guard range.contains(value) else {
            throw .invalid(place(node), reason: "\(key) is \(value); a whole number \(wanted) is needed")
        }
        return value
    }

    func number(_ key: String) throws(StudyError) -> Double? {
        guard let node = values[key] else { return nil }
        let text = try text(node, key, "a number")
        guard !text.contains(":"), let value = node.float, !quoted(node) else {
            throw .invalid(place(node), reason: "\(key) is \(excerpt(text)); a number is needed")
        }
        return value
    }

    func boolean(_ node: Node, _ key: String) throws(StudyError) -> Bool {
        let text = try text(node, key, "true or false")
        guard let value = node.bool, !quoted(node) else {
            throw .invalid(place(node), reason: "\(key) is \(excerpt(text)); true or false is needed")
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

    /// A number of samples, or a share of the set such as 10%.
    func size(_ node: Node) throws(StudyError) -> RequestedSize {
        let text = try text(node, "sizes", "a number of samples or a share such as 10%")
        guard text.hasSuffix("%") else {
            if !text.contains(":"), let share = node.float, share > 0, share < 1, !quoted(node) {
                throw .invalid(
                    place(node),
                    reason: "sizes holds \(excerpt(text)); for a share of the set write \(shortest(share * 100))%")
            }
            return .count(try integer(node, "sizes", in: 1...Int(Int32.max)))
        }
        guard let percent = Double(text.dropLast()), percent > 0, percent <= 100 else {
            throw .invalid(
                place(node), reason: "sizes holds \(excerpt(text)); shares from above 0% to 100% are accepted")
        }
        return .percent(percent)
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
            if !seen.insert(value).inserted { throw .invalid(place(node), reason: "\(value) stands twice in \(key)") }
            elements.append(value)
        }
        if elements.isEmpty { throw .invalid(place(node), reason: "\(key) is an empty list; give at least one value") }
        return elements
    }

    /// The value, or the error that the method cannot do without it.
    func required<Value>(_ value: Value?, _ key: String, _ method: PruningMethod) throws(StudyError) -> Value {
        guard let value else {
            throw .invalid(place, reason: "this entry has no \(key); pruning_method \(method.rawValue) needs it")
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

    private func place(_ node: Node) -> SourcePlace { Self.place(node, file) }

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
    if case .scalar = node { node.null != nil && !quoted(node) } else { false }
}

private func quoted(_ node: Node) -> Bool {
    if case .scalar(let scalar) = node { scalar.style == .singleQuoted || scalar.style == .doubleQuoted } else { false }
}
