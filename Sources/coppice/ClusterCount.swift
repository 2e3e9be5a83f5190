import Clustering
import Support

/// `--k`: a number of clusters, or the wish to have it chosen.
enum ClusterCount: Equatable {
    case number(Int)
    /// Chosen from a range, or from one that follows from the number of samples.
    case automatic(ClosedRange<Int>?)

    static let automaticWord = "auto"
}

/// An option's number of clusters: a whole number, `auto`, or `auto:LOW-HIGH`.
@Sendable func clusterCount(_ text: String) throws -> ClusterCount {
    let word = ClusterCount.automaticWord
    guard text.hasPrefix(word) else {
        do { return .number(try wholeNumber(text)) } catch let error as Sentence {
            throw Sentence("\(error); a whole number, \(word) or \(word):LOW-HIGH is accepted")
        }
    }
    if text == word { return .automatic(nil) }
    let ends = text.dropFirst(word.count + 1).split(separator: "-", omittingEmptySubsequences: false)
    guard text.dropFirst(word.count).first == ":", ends.count == 2,
        let low = try? wholeNumber(String(ends[0])), let high = try? wholeNumber(String(ends[1]))
    else {
        throw Sentence("'\(excerpt(text))' is no range of numbers of clusters; one such as \(word):10-100 is accepted")
    }
    guard low >= 2, low <= high, high <= Int(Int32.max) else {
        throw Sentence(
            "the range \(low)-\(high) is not accepted: LOW must be at least 2, HIGH no less than LOW and at most "
                + "\(Int32.max)")
    }
    return .automatic(low...high)
}

/// The sentence for a command that takes a number alone.
func refuseAutomatic(_ clusters: ClusterCount?, for what: String, because reason: String) throws {
    if case .automatic = clusters {
        throw Failure("--k \(ClusterCount.automaticWord) is not for \(what): \(reason); give a number", exitCode: 64)
    }
}
