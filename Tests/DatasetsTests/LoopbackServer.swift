import Foundation
import Synchronization

/// A request as the server saw it.
struct SeenRequest: Sendable, Equatable {
    let path: String
    /// First byte asked for, where a range was.
    let rangeStart: Int?
}

/// What the server answers.
struct Answer: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// Bytes of the body after which the connection is cut; the announced length stays that of the whole.
    var cutAfter: Int?
    /// Says nothing and keeps the connection open for so many seconds.
    var silence: Double = 0
    /// The same after what is sent of the body.
    var silenceAtCut: Double = 0

    /// `contents` as a server with ranges gives them: 200, 206 or 416.
    static func file(_ contents: [UInt8], from start: Int?, cutAfter: Int? = nil) -> Answer {
        guard let start else { return Answer(body: contents, cutAfter: cutAfter) }
        guard start < contents.count else {
            return Answer(status: 416, headers: ["Content-Range": "bytes */\(contents.count)"])
        }
        return Answer(
            status: 206, headers: ["Content-Range": "bytes \(start)-\(contents.count - 1)/\(contents.count)"],
            body: Array(contents[start...]), cutAfter: cutAfter)
    }
}

/// An HTTP server on a free loopback port, one connection at a time, one request a connection.
final class LoopbackServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[SeenRequest]>([])

    var address: String { "http://127.0.0.1:\(port)/" }
    var requests: [SeenRequest] { seen.withLock { $0 } }

    /// Starts answering with `respond`, which also gets the number of earlier requests.
    init(_ respond: @escaping @Sendable (SeenRequest, Int) -> Answer) throws {
        // curl and wget would send even these requests to a proxy that the environment names.
        setenv("no_proxy", "127.0.0.1", 1)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int32 in
                guard bind(descriptor, generic, size) == 0, listen(descriptor, 16) == 0 else { return -1 }
                return getsockname(descriptor, generic, &size)
            }
        }
        guard port == 0 else { throw POSIXError(.EADDRINUSE) }
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                if let request = Self.readRequest(connection) {
                    let earlier = self?.seen.withLock { seen in
                        seen.append(request)
                        return seen.count - 1
                    }
                    Self.send(respond(request, earlier ?? 0), to: connection)
                }
                close(connection)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func readRequest(_ connection: Int32) -> SeenRequest? {
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while !text.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard text.count < 65_536, recv(connection, &byte, 1, 0) == 1 else { return nil }
            text.append(byte)
        }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
        guard let path = lines.first?.split(separator: " ").dropFirst().first else { return nil }
        let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
        let start = range.flatMap { Int($0.dropFirst("range: bytes=".count).prefix { $0 != "-" }) }
        return SeenRequest(path: String(path), rangeStart: start)
    }

    private static func send(_ answer: Answer, to connection: Int32) {
        if answer.silence > 0 { Thread.sleep(forTimeInterval: answer.silence) }
        var headers = answer.headers
        headers["Content-Length"] = String(answer.body.count)
        headers["Connection"] = "close"
        let head =
            "HTTP/1.1 \(answer.status) X\r\n" + headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        let bytes = Array(head.utf8) + answer.body.prefix(answer.cutAfter ?? answer.body.count)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
        if answer.silenceAtCut > 0 { Thread.sleep(forTimeInterval: answer.silenceAtCut) }
    }
}
