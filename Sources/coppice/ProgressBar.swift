import Foundation

/// A count on its way to a total: a bar with rate and estimated end on a terminal, a line every few seconds elsewhere.
final class ProgressBar {
    private let title: String
    private let unit: String
    private let quiet: Bool
    private var last = ContinuousClock.now
    private var drawn = false
    /// What was done when, over the last minute: the rate of now, whatever went before.
    private var history: [(time: ContinuousClock.Instant, done: Double)]
    private static let window = Duration.seconds(60)

    /// A bar that starts now.
    /// - Parameter done: what was done before, which is no part of the rate.
    init(_ title: String, unit: String, quiet: Bool, done: Double = 0) {
        self.title = title
        self.unit = unit
        self.quiet = quiet
        history = [(last, done)]
    }

    /// Shows that `done` of `total` are done, and `note`.
    func update(_ done: Double, of total: Double, note: @autoclosure () -> String = "") {
        guard !quiet, total > 0 else { return }
        let now = ContinuousClock.now
        let interval: Duration = Terminal.isInteractive ? .milliseconds(100) : .seconds(5)
        guard now - last >= interval else { return }
        last = now
        history.append((now, done))
        // The first one that is kept is at least as old as the window, if there is one so old.
        while history.count > 2, now - history[1].time >= Self.window { history.removeFirst() }
        let rate = (done - history[0].done) / max((now - history[0].time) / .seconds(1), 1e-9)
        let share = min(max(done / total, 0), 1)
        var text = "\(title) \(Int(share * 100))%, \(Int(max(rate, 0))) \(unit)/s"
        if rate > 0 { text += ", \(clockTime(seconds: max(0, total - done) / rate)) left" }
        let note = note()
        if !note.isEmpty { text += ", \(note)" }
        if Terminal.isInteractive {
            // Asked for anew each time: the window may have been made narrower.
            Terminal.write("\r\u{1B}[K" + TerminalLine.bar(share, text, columns: TerminalLine.columns))
            drawn = true
        } else {
            Terminal.write("\(text)\n")
        }
    }

    /// Takes the bar away.
    func finish() {
        if drawn { Terminal.write("\r\u{1B}[K") }
        drawn = false
    }
}

/// A time as minutes and seconds, or hours, minutes and seconds.
func clockTime(seconds: Double) -> String {
    // Beyond what anybody waits for, and within what a whole number holds.
    let whole = Int(min(seconds.rounded(.up), 1e9))
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
}
