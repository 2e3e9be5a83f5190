// The part of swift-crypto that the program uses, over the system's libcrypto, for builds under sanitizers: they look for
// faults in this project, and BoringSSL takes longer to compile than all of it.

import CLibCrypto
import Foundation

/// A SHA-256 under way.
public struct SHA256 {
    private final class Context {
        let pointer = EVP_MD_CTX_new()
        deinit { EVP_MD_CTX_free(pointer) }
    }
    private let context = Context()

    public init() { EVP_DigestInit_ex(context.pointer, EVP_sha256(), nil) }

    public mutating func update(bufferPointer: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context.pointer, bufferPointer.baseAddress, bufferPointer.count)
    }

    public mutating func update(data: some DataProtocol) {
        for region in data.regions { region.withUnsafeBytes { update(bufferPointer: $0) } }
    }

    public func finalize() -> SHA256Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context.pointer, &bytes, nil)
        return SHA256Digest(bytes: bytes)
    }

    public static func hash(data: some DataProtocol) -> SHA256Digest {
        var hash = SHA256()
        hash.update(data: data)
        return hash.finalize()
    }
}

/// The 32 bytes of a SHA-256.
public struct SHA256Digest: Sequence {
    let bytes: [UInt8]
    public func makeIterator() -> IndexingIterator<[UInt8]> { bytes.makeIterator() }
}
