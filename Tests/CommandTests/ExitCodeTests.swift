import Support
import Testing

@testable import coppice

@Suite struct ExitCodeTests {
    /// The codes of sysexits.h, which scripts rely on.
    @Test func aKindOfFaultHasItsCode() {
        let codes: [(ErrorCategory, Int32)] = [
            (.usage, 64), (.badData, 65), (.noInput, 66), (.unavailable, 69), (.software, 70), (.cannotCreate, 73),
            (.writeFailed, 74), (.temporary, 75), (.cancelled, 130),
        ]
        for (category, code) in codes { #expect(category.exitCode == code, "\(category)") }
    }
}
