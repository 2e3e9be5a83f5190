import Foundation
import Subprocess
import Support

/// How one request for a file ended.
enum DownloadOutcome: Equatable {
    /// All that the server announced is in the file; `resumed` when it was appended to what was there.
    case complete(resumed: Bool)
    /// The connection failed or ended early; `received` bytes came in this request.
    case interrupted(reason: String, received: Int64)
    /// The server answered with a status that brings no file.
    case refused(status: Int)
    /// The server says that nothing lies beyond what is there already.
    case rangeNotSatisfiable
    /// The answer is not the part that was asked for.
    case wrongRange
    /// More than the file has.
    case tooLong
    /// The bytes could not be written.
    case writeFailed(reason: String)
    /// The task was cancelled.
    case cancelled
}

/// One request whose body goes straight into an open file, from its end on where the server can do that.
struct Download: Sendable {
    private let tool: WebTool
    private let descriptor: Int32
    private let progress: @Sendable (_ received: Int64, _ total: Int64?) -> Void
    private let limit: Int64
    private var offset: Int64
    private var received: Int64 = 0
    /// Bytes the server announced for this answer; nil when it did not say.
    private var announced: Int64?
    private var resumed = false
    /// What has arrived of the answer's header; nil once the body has begun.
    private var header: [UInt8]?

    /// Asks `url` for everything after the file's present end.
    /// - Parameters:
    ///   - descriptor: the file; it is emptied when the server sends the whole instead.
    ///   - tool: the program that speaks HTTP.
    ///   - timeout: seconds without a byte after which the connection counts as lost.
    ///   - limit: bytes that the file has at most; what sends more is given up.
    ///   - progress: called with the bytes in the file and the bytes it will have, where the server says so.
    static func run(
        _ url: URL, into descriptor: Int32, by tool: WebTool, timeout: Double, limit: Int64,
        progress: @escaping @Sendable (_ received: Int64, _ total: Int64?) -> Void
    ) async -> DownloadOutcome {
        let offset = Int64(lseek(descriptor, 0, SEEK_END))
        guard offset >= 0 else { return .writeFailed(reason: systemMessage()) }
        let writesHeader = tool.writesHeader(offset: offset)
        do {
            let result = try await Subprocess.run(
                tool.executable, arguments: Arguments(tool.arguments(url, from: offset, timeout: timeout)),
                input: .none,
                output: .sequence, error: .string(limit: 1 << 16)
            ) { execution in
                var download = Download(
                    tool: tool, descriptor: descriptor, progress: progress, limit: limit, offset: offset,
                    resumed: !writesHeader,
                    header: writesHeader ? [] : nil)
                var verdict: DownloadOutcome?
                for try await buffer in execution.standardOutput {
                    verdict = buffer.withUnsafeBytes { download.take($0) }
                    if verdict != nil { break }
                }
                // An error's body is of no use; not waiting for it also bounds what a server can send.
                if verdict != nil { try? execution.send(signal: .kill) }
                return (download, verdict)
            }
            if Task.isCancelled { return .cancelled }
            let (download, verdict) = result.closureResult
            return verdict ?? download.outcome(result.terminationStatus, complaint: result.standardError)
        } catch {
            if Task.isCancelled { return .cancelled }
            return .interrupted(reason: "\(tool.kind.rawValue) could not be run: \(error)", received: 0)
        }
    }

    /// Takes the next bytes of the answer.
    /// - Returns: how the request ends, where that is known before the end.
    private mutating func take(_ bytes: UnsafeRawBufferPointer) -> DownloadOutcome? {
        guard header != nil else { return write(bytes) }
        header?.append(contentsOf: bytes)
        while let text = header, let end = Self.endOfHeader(text) {
            header = nil
            guard let head = AnswerHeader(text[..<end]) else {
                return .interrupted(reason: "it sent no HTTP header", received: 0)
            }
            let rest = Array(text[end...])
            // Another answer follows: "100 Continue", and redirections, whose bodies the program keeps to itself.
            if head.isPreliminary {
                header = rest
                continue
            }
            return begin(head) ?? rest.withUnsafeBytes { write($0) }
        }
        guard (header?.count ?? 0) <= 1 << 16 else {
            return .interrupted(reason: "its HTTP header does not end within 65536 bytes", received: 0)
        }
        return nil
    }

    private mutating func begin(_ head: AnswerHeader) -> DownloadOutcome? {
        announced = head.contentLength
        switch head.status {
        case 200:
            guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
                return .writeFailed(reason: systemMessage())
            }
            offset = 0
            return nil
        case 206:
            guard head.rangeStart == offset, offset > 0 else { return .wrongRange }
            resumed = true
            return nil
        case 416: return .rangeNotSatisfiable
        default: return .refused(status: head.status)
        }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) -> DownloadOutcome? {
        guard !bytes.isEmpty else { return nil }
        guard offset + received + Int64(bytes.count) <= limit else { return .tooLong }
        do throws(FileError) {
            try AtomicFile.writeAll(bytes, to: descriptor, path: "")
        } catch {
            return .writeFailed(reason: systemMessage())
        }
        received += Int64(bytes.count)
        progress(offset + received, announced.map { $0 + offset })
        return nil
    }

    /// How the request ended, once the program has.
    private func outcome(_ status: TerminationStatus, complaint: String) -> DownloadOutcome {
        // The first reason to tell, since wget says nothing then.
        if let announced, received < announced {
            return .interrupted(
                reason: "the connection ended after \(received) of \(announced) bytes", received: received)
        }
        guard status.isSuccess else {
            if tool.kind == .wget {
                if let status = WebTool.refusal(in: complaint) {
                    return status == 416 ? .rangeNotSatisfiable : .refused(status: status)
                }
                // Of all failures, this is the one that it says nothing about.
                if offset > 0, received == 0, complaint.allSatisfy(\.isWhitespace) { return .wrongRange }
            }
            return .interrupted(reason: tool.reason(complaint, status: status), received: received)
        }
        guard header == nil else { return .interrupted(reason: "it sent no HTTP header", received: 0) }
        return .complete(resumed: resumed)
    }

    /// The index after the empty line that ends a header.
    private static func endOfHeader(_ text: [UInt8]) -> Int? {
        let newline = UInt8(ascii: "\n")
        for index in text.indices where text[index] == newline {
            if text[(index + 1)...].starts(with: [newline]) { return index + 2 }
            if text[(index + 1)...].starts(with: [UInt8(ascii: "\r"), newline]) { return index + 3 }
        }
        return nil
    }
}

/// The header of an HTTP answer.
struct AnswerHeader {
    let status: Int
    private let fields: [String: String]

    /// Reads "HTTP/1.1 200 OK" and the lines after it; nil where it is nothing of the kind.
    init?(_ bytes: some Sequence<UInt8>) {
        let lines = String(decoding: Array(bytes), as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let words = lines.first?.split(separator: " "), words.count > 1, words[0].hasPrefix("HTTP/"),
            let status = Int(words[1]), (100...999).contains(status)
        else { return nil }
        self.status = status
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        self.fields = fields
    }

    /// Whether another header follows.
    var isPreliminary: Bool {
        (100..<200).contains(status) || ((300..<400).contains(status) && status != 304 && fields["location"] != nil)
    }

    /// Bytes of the body; nil where the server does not say.
    var contentLength: Int64? { fields["content-length"].flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil } }

    /// The first byte's number in "bytes 100-199/200".
    var rangeStart: Int64? {
        guard let range = fields["content-range"], range.hasPrefix("bytes ") else { return nil }
        return Int64(range.dropFirst(6).prefix { $0.isNumber })
    }
}
