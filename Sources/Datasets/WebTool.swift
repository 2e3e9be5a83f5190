import Foundation
import Subprocess

/// A program that fetches files over HTTP. No library for it is linked: every host has one of these, with its own
/// certificates and settings for proxies.
struct WebTool: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case curl, wget

        /// How it begins to tell its version.
        var greeting: String { self == .curl ? "curl " : "GNU Wget" }
    }

    let kind: Kind
    let executable: Executable

    /// The first of `kinds` that is on the PATH and works; nil where none does. A broken one must not hide another, and
    /// BusyBox's wget lacks the options that are needed.
    static func find(_ kinds: [Kind]) async -> WebTool? {
        for kind in kinds {
            guard let path = try? await Executable.name(kind.rawValue).resolveExecutablePath(in: .inherit),
                let result = try? await Subprocess.run(
                    .path(path), arguments: ["--version"], input: .none, output: .string(limit: 1 << 16),
                    error: .discarded),
                result.terminationStatus.isSuccess, result.standardOutput.hasPrefix(kind.greeting)
            else { continue }
            return WebTool(kind: kind, executable: .path(path))
        }
        return nil
    }

    /// Whether it writes the answer's header in front of the body: wget does so only for a whole file.
    func writesHeader(offset: Int64) -> Bool { kind == .curl || offset == 0 }

    /// Arguments that write what `url` has from byte `offset` on to standard output, and one line about a failure to
    /// standard error. The user's own settings are left out: some write to other places.
    /// - Parameter timeout: seconds without a byte after which the connection counts as lost.
    func arguments(_ url: URL, from offset: Int64, timeout: Double) -> [String] {
        let seconds = String(Int(max(1, timeout.rounded(.up))))
        // Offsets count the bytes that the server stores, so no further coding may come between.
        let identity = "Accept-Encoding: identity"
        switch kind {
        case .curl:
            return [
                "-q", "--silent", "--show-error", "--no-buffer", "--include", "--suppress-connect-headers", "--globoff",
                "--location", "--max-redirs", "10", "--proto", "=http,https", "--proto-redir", "=http,https",
                "--connect-timeout", seconds, "--speed-limit", "1", "--speed-time", seconds, "--header", identity,
            ] + (offset > 0 ? ["--header", "Range: bytes=\(offset)-"] : []) + ["--url", url.absoluteString]
        case .wget:
            return [
                "--no-config", "--no-verbose", "--output-document=-", "--tries=1", "--max-redirect=10",
                "--timeout=\(seconds)", "--header=\(identity)",
                offset > 0 ? "--start-pos=\(offset)" : "--save-headers", "--", url.absoluteString,
            ]
        }
    }

    /// What it wrote about a failure, as part of a sentence.
    func reason(_ complaint: String, status: TerminationStatus) -> String {
        let line = complaint.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .last { !$0.isEmpty }
        guard let line else {
            guard case .exited(let code) = status else { return "\(kind.rawValue): ended by a signal" }
            return "\(kind.rawValue): ended with status \(code)"
        }
        // "curl: (7) Failed to connect …", "wget: unable to resolve …", "failed: Connection refused."
        let words = line.replacing(#/^(curl|wget): (\(\d+\) )?/#, with: "")
        return "\(kind.rawValue): \(words.hasSuffix(".") ? String(words.dropLast()) : words)"
    }

    /// The HTTP status in "2026-01-31 12:00:00 ERROR 404: Not Found.", which is how wget reports one.
    static func refusal(in complaint: String) -> Int? {
        complaint.firstMatch(of: #/\bERROR (\d{3})\b/#).flatMap { Int($0.1) }
    }
}
