import Foundation
import Support

/// A line that stays on one row of a terminal.
enum TerminalLine {
    /// The columns of the terminal at standard error, as wide as its window is now; `$COLUMNS` where it does not tell,
    /// else 80.
    static var columns: Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return EnvironmentVariables.process["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }

    /// A bar of which `share` is filled, and `text`, in `columns` of a terminal. The bar shrinks first, then the text is
    /// cut. The last column stays empty: a terminal may begin a new row once there is something in it.
    static func bar(_ share: Double, _ text: String, columns: Int) -> String {
        let room = max(0, columns - 1)
        let cells = min(24, max(0, room - width(of: text) - 1), room)
        // Less than this shows nothing.
        guard cells >= 8 else { return fitted(text, to: room) }
        let filled = min(max(Int(share * Double(cells)), 0), cells)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
        return "\(bar) \(fitted(text, to: room - cells - 1))"
    }

    /// `text`, cut to so many columns; an ellipsis takes the place of what is cut off. Control characters are left out.
    static func fitted(_ text: String, to columns: Int) -> String {
        let clean = text.filter { width(of: $0) > 0 }
        guard width(of: clean) > columns else { return clean }
        guard columns > 0 else { return "" }
        var kept = ""
        var used = 0
        for character in clean {
            used += width(of: character)
            // One column is the ellipsis's.
            guard used < columns else { break }
            kept.append(character)
        }
        return kept + "…"
    }

    /// The columns that a text takes.
    static func width(of text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

    /// The columns of a character with all that combines with it: 2 for those of East Asian scripts and for pictures,
    /// 0 for control characters.
    static func width(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark, .surrogate:
            return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// Wide and full-width blocks of Unicode's East Asian Width, rounded to whole blocks.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
        0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
