import Foundation

/// Environment variables as every part of the program reads them: an empty variable is an unset one.
package struct EnvironmentVariables: Sendable, ExpressibleByDictionaryLiteral {
    private let variables: [String: String]

    /// The variables of a dictionary.
    package init(_ variables: [String: String]) { self.variables = variables }

    package init(dictionaryLiteral elements: (String, String)...) {
        variables = Dictionary(elements) { _, last in last }
    }

    /// This process's variables, as they are now.
    package static var process: EnvironmentVariables { EnvironmentVariables(ProcessInfo.processInfo.environment) }

    /// A variable's value; nil where it is unset or empty.
    package subscript(name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The user's folder for caches: `$XDG_CACHE_HOME`, else `.cache` in the home folder. A relative path is ignored, as
    /// the XDG specification demands: it would name another folder in every working directory.
    package var cacheFolder: String {
        if let folder = absolute("XDG_CACHE_HOME") { return folder }
        return (absolute("HOME") ?? NSHomeDirectory()) + "/.cache"
    }

    /// Folders for temporary files, the first choice first: `$TMPDIR`, then those that systems have. Nothing says that
    /// any of them is there.
    package var temporaryFolders: [String] {
        [absolute("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"].compactMap { $0 }
    }

    private func absolute(_ name: String) -> String? { self[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }

    /// Removes every empty variable from this process's environment, so that libraries and child processes, which have
    /// their own ideas of an empty one, see what ``subscript(_:)`` sees. Only for the start of a program: no other thread
    /// may read the environment meanwhile.
    package static func removeEmptyVariables() {
        for (name, value) in ProcessInfo.processInfo.environment where value.isEmpty { unsetenv(name) }
    }
}
