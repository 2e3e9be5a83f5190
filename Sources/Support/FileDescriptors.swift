import Foundation

/// How many files this process may have open.
package enum FileDescriptors {
    /// The soft limit; nil where there is none.
    package static var limit: Int? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(Int32.max) else { return nil }
        return Int(limit.rlim_cur)
    }

    /// Raises the soft limit to `wanted` where the hard limit allows it.
    package static func raiseLimit(to wanted: Int) {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(wanted) else { return }
        limit.rlim_cur = min(limit.rlim_max, rlim_t(wanted))
        _ = setrlimit(resource, &limit)
    }

    /// How many more can be opened, counted up to `most`.
    package static func available(upTo most: Int) -> Int {
        var opened: [Int32] = []
        while opened.count < most {
            let descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { break }
            opened.append(descriptor)
        }
        for descriptor in opened { close(descriptor) }
        return opened.count
    }

    /// Why there are fewer than `needed` descriptors left for `purpose`, as a sentence; nil where there are enough.
    package static func shortage(of needed: Int, for purpose: String) -> String? {
        let available = available(upTo: needed)
        guard available < needed else { return nil }
        return "\(purpose) needs \(needed) more file descriptors and only \(available) are left\(advice)"
    }

    /// What to add to the system's words when descriptors ran out.
    static var advice: String {
        guard let limit else { return "" }
        return ": the limit is \(limit) (ulimit -n), and `ulimit -n 1024` raises it"
    }

    // The constant is an enumeration in C, whose Swift type depends on the C library.
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}

/// The system's description of a failed call, by default the last one.
package func systemMessage(_ code: Int32 = errno) -> String {
    String(cString: strerror(code)) + (code == EMFILE ? FileDescriptors.advice : "")
}

/// Why Foundation could not do something with a file: the system's words where the error has a number of it, as nearly
/// all have.
package func systemReason(_ error: any Error) -> String {
    var cause = error as NSError
    while cause.domain != NSPOSIXErrorDomain, let deeper = cause.userInfo[NSUnderlyingErrorKey] as? NSError {
        cause = deeper
    }
    if cause.domain == NSPOSIXErrorDomain { return systemMessage(Int32(cause.code)) }
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile, .fileNoSuchFile: return systemMessage(ENOENT)
    case .fileReadNoPermission, .fileWriteNoPermission: return systemMessage(EACCES)
    default: return error.localizedDescription
    }
}

/// Whether a call that makes something failed for want of room or of descriptors: not for what it was asked for, but for
/// the state of the machine. Writing has then failed, whatever the call.
package func isExhaustion(_ code: Int32) -> Bool { [ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, EIO].contains(code) }
