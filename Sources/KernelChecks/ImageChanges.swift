import Compute

/// How the images at the positions of an order are moved and mirrored.
struct ImageChanges {
    private let changes: [Augmentation.Change]

    /// Changes of all kinds: some images stay as they are, some are out of sight.
    init(count: Int, _ inputs: inout CaseInputs) {
        let (rows, columns, kinds) = (
            inputs.integers(count, in: 0..<7), inputs.integers(count, in: 0..<7), inputs.integers(count, in: 0..<8)
        )
        changes = (0..<count).map { place in
            let isFar = kinds[place] == 7
            return Augmentation.Change(
                rows: isFar ? Augmentation.mostShift : Int(rows[place]) - 3,
                columns: isFar ? -Augmentation.mostShift : Int(columns[place]) - 3, isMirrored: kinds[place] % 2 == 1)
        }
    }

    /// As the operations take them.
    func augmentation(width: Int, on backend: any Backend) throws(ComputeError) -> Augmentation {
        Augmentation(width: width, changes: try backend.makeBuffer(changes.map(\.word), label: "changes of images"))
    }

    /// The pixel of a plane that is seen at a pixel of the batch's image at a place of the order; nil for none.
    func source(of pixel: Int, at place: Int, height: Int, width: Int) -> Int? {
        let (change, row) = (changes[place], pixel / width)
        let column = change.isMirrored ? width - 1 - pixel % width : pixel % width
        let (fromRow, fromColumn) = (row + change.rows, column + change.columns)
        guard (0..<height).contains(fromRow), (0..<width).contains(fromColumn) else { return nil }
        return fromRow * width + fromColumn
    }
}
