import Datasets
import Foundation
import Studies
import Subprocess
import Support

/// The program that draws the plots.
struct Gnuplot: Sendable {
    private let executable: Executable
    private let environment: [String: String]

    /// What gnuplot hears of this process's environment: where programs, libraries and fonts are. All else is left out:
    /// GNUTERM opens a window in place of the file, and there are more such variables (gnuplot's `help environment`).
    static let inherited = [
        "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS",
    ]

    /// The gnuplot on the PATH; nil where there is none.
    init?() async {
        let named = Executable.name("gnuplot")
        guard let path = try? await named.resolveExecutablePath(in: .inherit) else { return nil }
        executable = .path(path)
        let own = ProcessInfo.processInfo.environment
        var environment = ["LC_ALL": "C"]
        for name in Self.inherited { environment[name] = own[name] }
        self.environment = environment
    }

    /// A chart that was drawn, as SVG; or why it was not.
    enum Outcome: Sendable {
        case drawn(svg: String)
        case failed(reason: String)
    }

    /// File descriptors that a report takes: those of its own files and of what watches the children, and those of each
    /// gnuplot at work (three pipes, /dev/null, the process itself).
    private static let (ownDescriptors, descriptorsEach) = (6, 10)

    /// What a report with plots needs, so that a command can refuse at its start.
    static var fewestDescriptors: Int { ownDescriptors + descriptorsEach }

    /// Draws charts into `folder`, each as NAME.svg and NAME.png, as many at once as there are processors and file
    /// descriptors. Where the task is cancelled, no more are begun.
    /// - Returns: an outcome for each chart's name.
    func draw(_ charts: [Chart], in folder: String) async -> [String: Outcome] {
        let processors = max(1, ProcessInfo.processInfo.activeProcessorCount)
        let most = Self.ownDescriptors + processors * Self.descriptorsEach
        let affordable = (FileDescriptors.available(upTo: most) - Self.ownDescriptors) / Self.descriptorsEach
        return await withTaskGroup(of: (String, Outcome).self) { group in
            var outcomes: [String: Outcome] = [:]
            var waiting = charts[...]
            for _ in 0..<min(processors, max(1, affordable)) {
                guard let chart = waiting.popFirst() else { break }
                group.addTask { (chart.name, await draw(chart, in: folder)) }
            }
            for await (name, outcome) in group {
                outcomes[name] = outcome
                guard !Task.isCancelled, let chart = waiting.popFirst() else { continue }
                group.addTask { (chart.name, await draw(chart, in: folder)) }
            }
            return outcomes
        }
    }

    private func draw(_ chart: Chart, in folder: String) async -> Outcome {
        // Under other names first: a plot is whole or not there.
        let files = ["svg", "png"].map { (temporary: ".\(chart.name).\(getpid()).\($0)", name: "\(chart.name).\($0)") }
        defer { for file in files { unlink("\(folder)/\(file.temporary)") } }
        do {
            // Not the user's own settings; and in the folder, so that no path has to be quoted.
            let result = try await run(
                executable, arguments: ["--default-settings", "-"],
                environment: .custom(
                    Dictionary(
                        uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
                workingDirectory: .init(folder),
                input: .string(Self.script(chart, svg: files[0].temporary, png: files[1].temporary)),
                output: .discarded, error: .string(limit: 1 << 20))
            guard result.terminationStatus.isSuccess else {
                let lines = result.standardError.split(separator: "\n").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                return .failed(reason: lines.last { !$0.isEmpty } ?? "it ended with \(result.terminationStatus)")
            }
        } catch {
            return .failed(reason: "\(error)")
        }
        guard let svg = try? String(contentsOfFile: "\(folder)/\(files[0].temporary)", encoding: .utf8),
            svg.hasSuffix("</svg>\n\n") || svg.hasSuffix("</svg>\n"),
            let png = FileManager.default.contents(atPath: "\(folder)/\(files[1].temporary)"),
            png.suffix(8).elementsEqual([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
        else { return .failed(reason: "its output is not whole") }
        do {
            for file in files { try AtomicFile.move("\(folder)/\(file.temporary)", to: "\(folder)/\(file.name)") }
        } catch {
            return .failed(reason: error.description)
        }
        return .drawn(svg: svg)
    }

    /// The whole script; the letters of both pictures are of one size relative to the plot.
    private static func script(_ chart: Chart, svg: String, png: String) -> String {
        let font = "font 'sans,13' noenhanced background rgb 'white'"
        let lines =
            [
                "set encoding utf8",
                "set terminal svg size \(chart.width),\(chart.height) dynamic \(font) name 'chart'",
                "set output \(Plot.quoted(svg))",
                "set border 3 lw 1 lc rgb '\(Palette.ink)'",
                "set tics nomirror out scale 0.6 tc rgb '\(Palette.ink)'",
                "set grid ytics back lt 1 lw 1 lc rgb '\(Palette.grid)'",
                "set key Left reverse tc rgb '\(Palette.ink)'", "set tmargin 1",
            ] + chart.commands + [
                // Twice the pixels, for screens with many and for print; letters are measured in points there.
                "set terminal pngcairo size \(2 * chart.width),\(2 * chart.height) fontscale 1.5 linewidth 2 pointscale 2"
                    + " \(font)",
                "set output \(Plot.quoted(png))", "replot", "unset output",
            ]
        return lines.joined(separator: "\n") + "\n"
    }
}
