import Support

extension ErrorCategory {
    /// What a command ends with: the codes of sysexits.h, and the shell's for Ctrl-C.
    var exitCode: Int32 {
        switch self {
        case .usage: 64
        case .badData: 65
        case .noInput: 66
        case .unavailable: 69
        case .software: 70
        case .cannotCreate: 73
        case .writeFailed: 74
        case .temporary: 75
        case .cancelled: 130
        }
    }
}
