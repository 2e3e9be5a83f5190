@preconcurrency import Foundation
import Support

/// Standard error, for people: progress, and the lines that say what is going on.
enum Terminal {
    /// Prints the sentence that ends a command.
    static func complain(_ sentence: String) { write("coppice: \(sentence)\n") }

    /// Prints a line about what is going on.
    static func note(_ line: String, quiet: Bool) {
        if !quiet { write("\(line)\n") }
    }

    /// Writes to standard error. What nobody can receive any more is dropped: there is nowhere left to complain.
    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Whether somebody is looking at standard error.
    static let isInteractive = isatty(STDERR_FILENO) == 1
}

/// Prints one JSON object on stdout.
func printJSON(_ value: some Encodable, keys: JSON.Keys = .snakeCase) throws {
    print(try JSON.text(value, keys: keys, nonFinite: .named, layout: .indented))
}

/// Sends what was printed on its way. What nobody can receive any more, since the reader of a pipe or the terminal is
/// gone, is dropped: the files that a command writes are there all the same.
/// - Returns: false where it was dropped.
/// - Throws: ``Failure`` where it cannot get there for another reason, a full disk for one.
@discardableResult func flushOutput() throws -> Bool {
    // An error of an earlier call, which printing itself made when the buffer was full, is kept in the stream alone.
    let hadFailed = ferror(stdout) != 0
    errno = 0
    guard fflush(stdout) != 0 || hadFailed else { return true }
    let code = errno
    var status = stat()
    let isTerminal = fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
    if isReaderGone() || (isTerminal && code == EIO) { return false }
    let reason = code == 0 ? "a part of it was not written" : systemMessage(code)
    throw Failure("standard output: writing failed: \(reason)", exitCode: 74)
}

/// Whether standard output is a pipe or socket that nobody reads any more.
private func isReaderGone() -> Bool {
    var query = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&query, 1, 0) == 1 && query.revents & Int16(POLLERR | POLLHUP) != 0
}

/// `value` with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// `value` with three digits, which are enough for an estimate.
func threeDigits(_ value: Double) -> String { fixed(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0) }
