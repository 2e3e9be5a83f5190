import Foundation
import Studies

/// A picture that gnuplot draws.
struct Chart: Sendable {
    /// The files' name without its ending; unlike every other of the page.
    let name: String
    let title: String
    /// What the picture shows and how it is read.
    let caption: String
    /// The picture in words, for those who do not see it.
    let description: String
    /// Pixels at the size at which letters have their nominal size.
    var width = 560
    var height = 400
    /// gnuplot commands between the choice of the terminal and the end.
    let commands: [String]
}

/// The colours of all pictures: Okabe and Ito's (https://jfly.uni-koeln.de/color/), which people with any kind of colour
/// vision tell apart, with Tol's red for the whole set; and five more for studies of many methods. Each goes with a mark and
/// a dash pattern of its own.
enum Palette {
    static let ink = "#333333"
    static let grid = "#d9d9d9"
    static let red = "#cc3311"
    static let blue = "#0072b2"
    static let green = "#009e73"
    static let purple = "#cc79a7"
    static let orange = "#e69f00"
    static let sky = "#56b4e9"
    static let wine = "#882255"
    static let olive = "#8a8a1e"
    static let violet = "#6a3d9a"
    static let brown = "#a0622d"
    static let named = [
        ("ink", ink), ("grid", grid), ("red", red), ("blue", blue), ("green", green), ("purple", purple),
        ("orange", orange), ("sky", sky), ("wine", wine), ("olive", olive), ("violet", violet), ("brown", brown),
    ]
}

/// Pieces of gnuplot's language.
enum Plot {
    /// A string that gnuplot takes as it is: in single quotes nothing is substituted.
    static func quoted(_ text: String) -> String {
        let line = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
        return "'" + line.replacing("'", with: "''") + "'"
    }

    /// A named block of rows; only numbers, so that nothing in it can be taken for a command.
    static func data(_ name: String, _ rows: [[Double]]) -> String {
        "$\(name) << END\n" + rows.map { $0.map(number).joined(separator: " ") + "\n" }.joined() + "END"
    }

    /// A key below the plot, and the pixels that it adds to the height of a picture with room for two rows of it.
    static func key(_ titles: [String]) -> (command: String, height: Int) {
        // A letter is about 7 pixels wide, and a sample of the line with its gaps about 60.
        let columns = max(1, 540 / (60 + 7 * (titles.map(\.count).max() ?? 0)))
        let rows = (titles.count + columns - 1) / columns
        // The height keeps the key clear of the label of the x axis.
        return ("set key below horizontal center samplen 3 width 1 height 1", 18 * max(0, rows - 2))
    }

    static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "NaN" }

    /// Tics at given places with given labels.
    static func tics(_ axis: String, _ tics: [(place: Double, label: String)]) -> String {
        "set \(axis)tics (" + tics.map { "\(quoted($0.label)) \(number($0.place))" }.joined(separator: ", ") + ")"
    }

    /// A logarithmic axis over `range`, its tics at 1, 2 and 5 times the powers of ten, or at the powers alone where
    /// these are many.
    static func logarithmic(_ axis: String, _ range: ClosedRange<Double>) -> [String] {
        var tics: [(place: Double, label: String)] = []
        var power = 1e-6
        let factors: [Double] = range.upperBound / range.lowerBound > 300 ? [1] : [1, 2, 5]
        while power <= range.upperBound {
            for factor in factors where range.contains(power * factor) {
                let value = power * factor
                tics.append((value, value < 1 ? Number.exact((value * 1e6).rounded() / 1e6) : Number.grouped(value)))
            }
            power *= 10
        }
        return [
            "set logscale \(axis)", "set \(axis)range [\(number(range.lowerBound)):\(number(range.upperBound))]",
            self.tics(axis, tics),
        ]
    }

    /// A linear axis over `range` with a few round tics.
    static func linear(_ axis: String, _ range: ClosedRange<Double>) -> [String] {
        let span = max(range.upperBound - range.lowerBound, 1e-9)
        // Letters stand side by side along x, and above each other along y.
        let most = axis == "x" ? 5.0 : 8
        var power = 1e-6
        while power * 10 < span / most { power *= 10 }
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { span / $0 <= most } ?? span
        let first = (range.lowerBound / step).rounded(.up)
        let tics = stride(from: first, through: (range.upperBound / step + 1e-9).rounded(.down), by: 1).map { index in
            let value = (index * step * 1e6).rounded() / 1e6
            return (value, value < 1000 ? Number.exact(value) : Number.grouped(value))
        }
        return [
            "set \(axis)range [\(number(range.lowerBound)):\(number(range.upperBound))]", self.tics(axis, tics),
        ]
    }

    /// Rows for a point and its interval: x, y, low, high.
    static func rows(
        _ cases: [ReportCase], _ axis: AccuracyAxis, x: (ReportCase) -> Double = { $0.kept }
    ) -> [[Double]] {
        cases.map { entry in
            let interval = entry.summary.medianInterval
            return [
                x(entry), axis.place(entry.accuracy), axis.place(interval?.low ?? entry.accuracy),
                axis.place(interval?.high ?? entry.accuracy),
            ]
        }
    }
}

/// An axis of accuracies. Where they span more than half a decade of error rates, places are spaced by the logarithm of the
/// error rate, so that 98 and 99% lie as far apart as 80 and 90%; labels are accuracies everywhere.
struct AccuracyAxis: Sendable {
    let isLogarithmic: Bool
    private let low: Double
    private let high: Double

    /// An axis on which all `accuracies`, in percent, have room.
    init(_ accuracies: [Double]) {
        let low = accuracies.min() ?? 0
        let high = accuracies.max() ?? 100
        // No test set of ours tells errors below 0.01% apart.
        let errors = (max(100 - high, 0.01), max(100 - low, 0.01))
        isLogarithmic = errors.1 / errors.0 > 3
        if isLogarithmic {
            self.low = min(errors.1 * 1.15, 100)
            self.high = errors.0 / 1.15
        } else {
            let margin = max((high - low) * 0.08, 0.05)
            self.low = low - margin
            self.high = high + margin
        }
    }

    /// Where an accuracy lies in gnuplot's units.
    func place(_ accuracy: Double) -> Double { isLogarithmic ? max(100 - accuracy, 0.01) : accuracy }

    /// The commands that set the axis up.
    func commands(_ axis: String) -> [String] {
        guard isLogarithmic else { return Plot.linear(axis, low...high) }
        // Round accuracies, more of them where the axis is short; of two that would touch, the higher.
        let span = log(low / high)
        let steps = span < 2.5 ? [10.0, 7, 5, 4, 3, 2, 1.5] : [10, 5, 2]
        var errors: [Double] = []
        for power in [0.001, 0.01, 0.1, 1, 10] {
            for step in steps.reversed() where (high...low).contains(step * power) {
                if let last = errors.last, log(step * power / last) < 0.07 * span { continue }
                errors.append(step * power)
            }
        }
        return [
            "set logscale \(axis)", "set \(axis)range [\(Plot.number(low)):\(Plot.number(high))]",
            Plot.tics(axis, errors.map { ($0, Number.exact(((100 - $0) * 1000).rounded() / 1000)) }),
        ]
    }

    /// What a caption says of the axis.
    var note: String {
        isLogarithmic ? " The accuracy axis is spaced by the logarithm of the error rate." : ""
    }
}
