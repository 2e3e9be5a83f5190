import Pruning

/// How a method is drawn.
struct Mark: Hashable, Sendable {
    let colour: String
    /// gnuplot's number of the point shape.
    let point: Int
    /// gnuplot's dash pattern.
    let dash: String
}

/// How the methods of a report are drawn: each alike in every plot, and no two alike.
///
/// The article's methods have the same marks in every report. All others take a colour each in their order, first those
/// that the article's leave, then the same again with other dashes and point shapes: nine neighbours, which are more than
/// a picture holds, never share a colour.
struct Marks: Sendable {
    private var marks: [String: Mark] = [:]

    private static let fixed = [
        Selection.whole.kind: Mark(colour: Palette.red, point: 13, dash: "(12,5)"),
        Selection.random.kind: Mark(colour: Palette.ink, point: 7, dash: "(2,4)"),
        Selection.closest.kind: Mark(colour: Palette.blue, point: 9, dash: "solid"),
        Selection.furthest.kind: Mark(colour: Palette.green, point: 5, dash: "(10,3,2,3)"),
        Selection.randomInCluster.kind: Mark(colour: Palette.purple, point: 11, dash: "(5,3)"),
        Selection.hybrid().kind: Mark(colour: Palette.orange, point: 3, dash: "(8,3)"),
    ]
    // Neighbours in these lists are easy to tell apart. Open and filled forms of a shape lie apart.
    private static let colours = [
        Palette.blue, Palette.orange, Palette.green, Palette.purple, Palette.sky, Palette.wine, Palette.olive,
        Palette.violet, Palette.brown,
    ]
    private static let points = [9, 5, 4, 11, 12, 8, 15, 6, 2, 10, 3, 14, 1]
    private static let dashes = ["solid", "(8,3)", "(3,3)", "(10,3,2,3)", "(10,3,2,3,2,3)"]

    /// Marks for the methods of ``Arm/method``, each of which may be there several times.
    init(_ methods: [String]) {
        let present = methods.compactMap { Self.fixed[$0] }
        let isFree = { (colour: String) in !present.contains { $0.colour == colour } }
        let colours = Self.colours.filter(isFree) + Self.colours.filter { !isFree($0) }
        let points = Self.points.filter { point in !present.contains { $0.point == point } }
        var taken: Set<Mark> = []
        var next = 0
        for method in methods where marks[method] == nil {
            if let mark = Self.fixed[method] {
                marks[method] = mark
                continue
            }
            let colour = colours[next % colours.count]
            // Those of the article are no first use of their colours.
            let uses = next / colours.count + (isFree(colour) ? 0 : 1)
            let dash = Self.dashes[uses % Self.dashes.count]
            let shapes = points.indices.map {
                Mark(colour: colour, point: points[(next + $0) % points.count], dash: dash)
            }
            // A shape that this colour does not have yet, while there is one.
            let mark =
                shapes.first { shape in !taken.contains { $0.colour == colour && $0.point == shape.point } }
                ?? shapes.first { !taken.contains($0) } ?? shapes[0]
            marks[method] = mark
            taken.insert(mark)
            next += 1
        }
    }

    /// The mark of a method that the report has.
    subscript(method: String) -> Mark { marks[method] ?? Mark(colour: Palette.ink, point: 1, dash: "solid") }
    /// The mark of an arm.
    subscript(arm: Arm) -> Mark { self[arm.method] }
}
