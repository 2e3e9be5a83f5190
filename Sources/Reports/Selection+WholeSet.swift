import Pruning

extension Selection {
    /// Whether runs train on more samples than they keep, so that the whole set must be at hand after all. The one place
    /// where tables and legends learn it.
    var needsWholeSet: Bool { resamples }
}

extension Wording {
    /// The name of a method as tables and legends have it.
    static func method(_ name: String, needsWholeSet: Bool) -> String {
        needsWholeSet ? "\(name) (needs the whole set)" : name
    }
}
