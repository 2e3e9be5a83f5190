import Foundation
import Testing

/// A web server on loopback that answers one request with less than it promises, and then says nothing more.
final class StallingServer: Sendable {
    let port: Int
    private let listener: Int32

    /// Serves `sent` of the `promised` bytes of any address.
    init(promised: Int, sent: Int) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 4) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(isReady)
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            var request = [UInt8](repeating: 0, count: 1 << 14)
            _ = read(connection, &request, request.count)
            let header = "HTTP/1.1 200 OK\r\nContent-Length: \(promised)\r\nConnection: close\r\n\r\n"
            let answer = Array(header.utf8) + [UInt8](repeating: 0x1F, count: sent)
            var start = 0
            while start < answer.count {
                let count = answer[start...].withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                start += count
            }
            // Until the client goes away.
            while read(connection, &request, request.count) > 0 {}
            close(connection)
        }
    }

    deinit { close(listener) }
}
