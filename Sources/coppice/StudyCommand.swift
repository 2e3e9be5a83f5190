import ArgumentParser
import Studies

/// `coppice study`
struct StudyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study", abstract: "Lists and shows the built-in studies.",
        subcommands: [List.self, Show.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The built-in studies, and what each asks.")
        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            if json {
                try printJSON(["studies": StudyLibrary.names])
            } else {
                let width = StudyLibrary.names.map(\.count).max() ?? 0
                for name in StudyLibrary.names {
                    let padding = String(repeating: " ", count: width - name.count)
                    print("\(name)\(padding)  \(StudyLibrary.summary(name) ?? "")")
                }
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "A built-in study's YAML, to run or to change.")
        @Argument(help: "Its name.")
        var name: String

        func run() throws {
            guard let text = StudyLibrary.text(name) else {
                throw StudyError.unknownStudy(name: name, builtIn: StudyLibrary.names)
            }
            print(text, terminator: "")
        }
    }
}
