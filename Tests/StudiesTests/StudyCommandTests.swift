import Testing

@testable import Studies

/// Commands as a user would type them.
@Suite struct StudyCommandTests {
    @Test(arguments: [
        ["run", "my.yaml"], ["run", "it's", "--out", "a b", ""], ["'", "\\", "\\'", "$x"], ["a'\u{301}b", " \u{301}"],
        [],
    ]) func wordsReadBack(words: [String]) {
        #expect(Shell.words(Shell.command(words)) == words)
    }

    @Test(arguments: ["run 'my", "run \\"]) func whatIsCutOffHasNoWords(command: String) {
        #expect(Shell.words(command) == nil)
    }

    @Test(
        arguments: [
            ("run my.yaml", "coppice run my.yaml --runs 7"),
            ("run --runs 5 my.yaml --seed 1", "coppice run my.yaml --seed 1 --runs 7"),
            ("run my.yaml --shard=1/2 --runs=5 --out 'a b'", "coppice run my.yaml --out 'a b' --runs 7"),
            ("run my.yaml --shard auto/4", "coppice run my.yaml --runs 7"),
            (nil, "coppice run STUDY --runs 7"), ("run 'my", "coppice run STUDY --runs 7"),
            ("report results", "coppice run STUDY --runs 7"),
        ] as [(String?, String)]) func moreRunsAreAddedByTheStudysOwnCommand(command: String?, more: String)
    {
        #expect(StudyResults.command(command, runs: 7) == more)
    }
}
