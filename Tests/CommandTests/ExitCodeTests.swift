import Support
import Testing

@testable import coppice

@Suite struct ExitCodeTests {
    /// The codes of sysexits.h, which scripts rely on.
    @Test(arguments: [
        (ErrorCategory.usage, 64), (.badData, 65), (.noInput, 66), (.unavailable, 69), (.software, 70),
        (.cannotCreate, 73), (.writeFailed, 74), (.temporary, 75), (.cancelled, 130),
    ]) func aKindOfFaultHasItsCode(_ category: ErrorCategory, _ code: Int32) {
        #expect(category.exitCode == code)
    }
}
