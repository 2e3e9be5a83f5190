import ArgumentParser

@main
struct Coppice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Finds how little data trains as well as all of it.")
}
