import Foundation

/// A plot as part of a page: ids that collide with no other's, colours and letters that the page's style decides, nothing
/// that draws nothing.
enum InlineSVG {
    /// The `svg` element for a page; nil where `svg` is no XML.
    /// - Parameters:
    ///   - prefix: begins every id.
    ///   - label: what is read out in place of the picture.
    static func element(_ svg: String, prefix: String, label: String) -> String? {
        guard let events = XMLScanner.events(of: svg) else { return nil }
        var writer = Writer(prefix: prefix, label: label)
        for event in events {
            switch event {
            case .start(let name, let attributes): writer.start(name, attributes)
            case .text(let text): writer.text(text)
            case .end: writer.end()
            }
        }
        return writer.result
    }

    /// Writes elements as they end, so that those that turn out to be empty can be dropped.
    private struct Writer {
        private static let dropped: Set<String> = ["title", "desc", "filter"]
        private let prefix: String
        private let label: String
        private var open: [(name: String, start: String, content: String)] = []
        private var skipping = 0
        private(set) var result: String?

        init(prefix: String, label: String) {
            self.prefix = prefix
            self.label = label
        }

        mutating func start(_ name: String, _ attributes: [String: String]) {
            if skipping > 0 || Self.dropped.contains(name) || isBackground(name, attributes) {
                skipping += 1
                return
            }
            let start: String
            if open.isEmpty {
                start =
                    "<svg class=\"chart\" role=\"img\" viewBox=\"\(attributes["viewBox"] ?? "0 0 1 1")\""
                    + " aria-label=\"\(Wording.escaped(label))\">"
            } else {
                start = "<\(name)\(written(attributes))>"
            }
            open.append((name, start, ""))
        }

        mutating func text(_ string: String) {
            guard skipping == 0, !open.isEmpty else { return }
            // Line breaks between elements are no part of the picture.
            guard open.contains(where: { $0.name == "text" }) || !string.allSatisfy(\.isWhitespace) else { return }
            open[open.count - 1].content += Wording.escaped(string)
        }

        mutating func end() {
            if skipping > 0 {
                skipping -= 1
                return
            }
            guard let element = open.popLast() else { return }
            if element.name == "g", element.content.allSatisfy(\.isWhitespace) { return }
            let text = element.start + element.content + "</\(element.name)>"
            if open.isEmpty {
                result = text
            } else {
                open[open.count - 1].content += text
            }
        }

        /// The white sheet under the picture; the page has its own.
        private func isBackground(_ name: String, _ attributes: [String: String]) -> Bool {
            name == "rect" && attributes["x"] == "0" && attributes["y"] == "0" && attributes["fill"] == "#ffffff"
        }

        private func written(_ attributes: [String: String]) -> String {
            var text = ""
            for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
                switch name {
                case "font-family": continue
                case "id": text += " id=\"\(prefix)-\(value)\""
                case "xlink:href", "href":
                    text += " href=\"\(value.hasPrefix("#") ? "#\(prefix)-\(value.dropFirst())" : value)\""
                case "stroke", "fill", "color":
                    if name != "color" || !Self.defaults.contains(value) { text += " \(name)=\"\(colour(value))\"" }
                default: text += " \(name)=\"\(Wording.escaped(value))\""
                }
            }
            return text
        }

        /// gnuplot's own ink, left away where it would be inherited, so that the page's ink is.
        private static let defaults: Set<String> = ["black", "gray"]

        /// A colour by its name in the page's style.
        private func colour(_ value: String) -> String {
            if Self.defaults.contains(value) { return "currentColor" }
            return Self.variables[value.lowercased().filter { $0 != " " }] ?? value
        }

        /// The palette's colours, as gnuplot writes them.
        private static let variables: [String: String] = {
            var variables: [String: String] = [:]
            for (name, colour) in Palette.named {
                let value = Int(colour.dropFirst(), radix: 16) ?? 0
                for text in [colour, "rgb(\(value >> 16),\(value >> 8 & 255),\(value & 255))"] {
                    variables[text] = "var(--\(name))"
                }
            }
            return variables
        }()
    }
}
