import Foundation
import Support
import Testing

@Suite struct EnvironmentVariablesTests {
    @Test func anEmptyVariableIsAnUnsetOne() {
        let environment: EnvironmentVariables = ["A": "", "B": "b", "HOME": "", "XDG_CACHE_HOME": "", "TMPDIR": ""]
        #expect(environment["A"] == nil && environment["C"] == nil && environment["B"] == "b")
        #expect(environment.cacheFolder == NSHomeDirectory() + "/.cache")
        #expect(environment.temporaryFolders == ["/tmp", "/var/tmp", "/dev/shm"])
    }

    @Test func foldersAreAbsolute() {
        #expect(EnvironmentVariables(["HOME": "/h"]).cacheFolder == "/h/.cache")
        #expect(EnvironmentVariables(["HOME": "/h", "XDG_CACHE_HOME": "/x"]).cacheFolder == "/x")
        #expect(EnvironmentVariables(["HOME": "/h", "XDG_CACHE_HOME": "x"]).cacheFolder == "/h/.cache")
        #expect(EnvironmentVariables(["HOME": "h"]).cacheFolder.hasPrefix("/"))
        #expect(EnvironmentVariables(["TMPDIR": "/t"]).temporaryFolders.first == "/t")
        #expect(EnvironmentVariables(["TMPDIR": "t"]).temporaryFolders.first == "/tmp")
    }
}
