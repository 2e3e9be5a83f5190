import Support

extension Dataset {
    /// What a class is called: its name, or its number where it has none.
    package func className(_ label: Int) -> String { Self.className(label, of: classNames) }

    /// What a class is called where the classes have these names: [class].
    package static func className(_ label: Int, of names: [String]) -> String {
        label < names.count ? excerpt(names[label], longest: 40) : "\(label)"
    }

    /// Classes below the highest label that have no sample at all, as a sentence without its full stop; nil where there are
    /// none. A label out of range, from a damaged file for one, makes many.
    package var emptyClassesNote: String? {
        var isFilled = [Bool](repeating: false, count: 256)
        for labels in [train.labels, test.labels] { for label in labels { isFilled[Int(label)] = true } }
        let highest = isFilled.lastIndex(of: true) ?? 0
        let empty = isFilled[...highest].count { !$0 }
        guard empty > 0 else { return nil }
        return
            "\(name): the highest label is \(highest), and \(empty) of the labels below it \(empty == 1 ? "has" : "have") no"
            + " \(unit); networks have \(classCount) classes"
    }

    /// Classes of test samples that no training sample has, as a sentence without its full stop; nil where there are none.
    /// - Parameter kept: indices of the training samples that are trained on; all of them where nil.
    package func untrainedClassesNote(kept: [Int]? = nil) -> String? {
        var isTrained = [Bool](repeating: false, count: 256)
        if let kept {
            for index in kept where train.labels.indices.contains(index) { isTrained[Int(train.labels[index])] = true }
        } else {
            for label in train.labels { isTrained[Int(label)] = true }
        }
        let missed = test.labels.filter { !isTrained[Int($0)] }
        guard !missed.isEmpty else { return nil }
        let classes = Set(missed).sorted().map { className(Int($0)) }
        let shown = classes.count <= 10 ? classes : classes.prefix(9) + ["\(classes.count - 9) more"]
        let names =
            shown.count == 1 ? shown[0] : shown.dropLast().joined(separator: ", ") + " and " + shown[shown.count - 1]
        return
            "\(name): no training \(unit)\(kept == nil ? "" : " that was kept") is of class \(names), and \(missed.count) of the"
            + " \(test.count) test \(unit)\(test.count == 1 ? " is" : "s are"); a network cannot learn these classes"
    }
}
