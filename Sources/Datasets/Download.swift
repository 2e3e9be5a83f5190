import Foundation
import Support
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

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
    /// The bytes could not be written.
    case writeFailed(reason: String)
    /// The task was cancelled.
    case cancelled
}

/// One request whose body goes straight into an open file, from its end on where the server can do that.
final class Download: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var offset: Int64
        var received: Int64 = 0
        /// Bytes the server announced for this answer; nil when it did not say.
        var announced: Int64?
        var resumed = false
        /// Set as soon as the outcome is known before the end.
        var verdict: DownloadOutcome?
        var continuation: CheckedContinuation<DownloadOutcome, Never>?
    }

    private let descriptor: Int32
    private let state: Mutex<State>
    private let progress: @Sendable (_ received: Int64, _ total: Int64?) -> Void

    private init(descriptor: Int32, offset: Int64, progress: @escaping @Sendable (Int64, Int64?) -> Void) {
        self.descriptor = descriptor
        self.progress = progress
        state = Mutex(State(offset: offset))
    }

    /// Asks `url` for everything after the file's present end.
    /// - Parameters:
    ///   - descriptor: the file; it is emptied when the server sends the whole instead.
    ///   - timeout: seconds without a byte after which the connection counts as lost.
    ///   - progress: called with the bytes in the file and the bytes it will have, where the server says so.
    static func run(
        _ url: URL, into descriptor: Int32, timeout: Double,
        progress: @escaping @Sendable (_ received: Int64, _ total: Int64?) -> Void
    ) async -> DownloadOutcome {
        let offset = Int64(lseek(descriptor, 0, SEEK_END))
        guard offset >= 0 else { return .writeFailed(reason: systemMessage()) }
        let download = Download(descriptor: descriptor, offset: offset, progress: progress)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeout
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: timeout)
        // Offsets count the bytes that the server stores, so no further coding may come between.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        let session = URLSession(configuration: configuration, delegate: download, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                download.state.withLock { $0.continuation = continuation }
                task.resume()
            }
        } onCancel: {
            download.state.withLock { $0.verdict = .cancelled }
            task.cancel()
        }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let proceed = state.withLock { state in
            guard let response = response as? HTTPURLResponse else {
                state.verdict = .refused(status: 0)
                return false
            }
            state.announced = response.expectedContentLength >= 0 ? response.expectedContentLength : nil
            switch response.statusCode {
            case 200:
                guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
                    state.verdict = .writeFailed(reason: systemMessage())
                    return false
                }
                state.offset = 0
                return true
            case 206:
                let start = response.value(forHTTPHeaderField: "Content-Range").flatMap(Self.rangeStart)
                guard start == state.offset, state.offset > 0 else {
                    state.verdict = .wrongRange
                    return false
                }
                state.resumed = true
                return true
            case 416: state.verdict = .rangeNotSatisfiable
            default: state.verdict = .refused(status: response.statusCode)
            }
            return false
        }
        completionHandler(.allow)
        // An error's body is of no use; not waiting for it also bounds what a server can send.
        if !proceed { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let now: (received: Int64, total: Int64?)? = state.withLock { state in
            guard state.verdict == nil else { return nil }
            let failure = data.withUnsafeBytes { bytes in
                do throws(DatasetError) {
                    try AtomicFile.writeAll(bytes, to: descriptor, path: "")
                    return String?.none
                } catch {
                    return systemMessage()
                }
            }
            if let failure {
                state.verdict = .writeFailed(reason: failure)
                return nil
            }
            state.received += Int64(data.count)
            return (state.offset + state.received, state.announced.map { $0 + state.offset })
        }
        guard let now else { return dataTask.cancel() }
        progress(now.received, now.total)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (continuation, outcome) = state.withLock { state in
            defer { state.continuation = nil }
            return (state.continuation, state.verdict ?? Self.outcome(of: state, error: error))
        }
        continuation?.resume(returning: outcome)
    }

    private static func outcome(of state: State, error: (any Error)?) -> DownloadOutcome {
        if let error { return .interrupted(reason: error.localizedDescription, received: state.received) }
        if let announced = state.announced, state.received < announced {
            return .interrupted(
                reason: "the connection ended after \(state.received) of \(announced) bytes", received: state.received)
        }
        return .complete(resumed: state.resumed)
    }

    /// The first byte's number in "bytes 100-199/200".
    private static func rangeStart(_ header: String) -> Int64? {
        guard header.hasPrefix("bytes ") else { return nil }
        return Int64(header.dropFirst(6).prefix { $0.isNumber })
    }
}
